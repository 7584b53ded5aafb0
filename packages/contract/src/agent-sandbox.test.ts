import { describe, expect, it } from "vitest";
import { agentDefinition } from "./agent.ts";
import { agentSandbox, egressHost, secretVariable } from "./agent-sandbox.ts";

describe("an agent's sandbox", () => {
  it("asks for nothing when nothing is said", () => {
    expect(agentSandbox.parse({})).toEqual({ egress: [], secrets: [] });
    expect(agentDefinition.parse({ name: "a", model: "demo/tour" }).sandbox).toEqual({
      egress: [],
      secrets: [],
    });
  });

  it.each([
    "api.example.com",
    "*.example.com",
    "registry",
    "10.0.0.7",
    "2001:db8::1",
    "xn--bcher-kva.example",
  ])("may reach %s", (host) => {
    expect(egressHost.safeParse(host).success).toBe(true);
  });

  it.each([
    ["", "nothing"],
    ["*", "everything"],
    ["*.com", "half of the world"],
    ["a.*.com", "a star in the middle"],
    ["API.example.com", "upper case"],
    ["example.com.", "a dot at the end"],
    ["http://example.com", "an address of a page"],
    ["example.com:443", "a port"],
    ["user@example.com", "a user"],
    ["2130706433", "a number that is 127.0.0.1"],
    ["0x7f.1", "the same in hexadecimal"],
    ["[::1]", "brackets"],
    ["a b.example.com", "a space"],
    ["-a.example.com", "a dash at the beginning"],
    [`${"a".repeat(64)}.example.com`, "a long label"],
  ])("may not name %j: %s", (host) => {
    expect(egressHost.safeParse(host).success).toBe(false);
  });

  it.each([
    "PATH",
    "path",
    "LD_PRELOAD",
    "BERTH_KEY",
    "NODE_OPTIONS",
    "BASH_ENV",
    "HTTPS_PROXY",
    "1A",
    "A-B",
    "",
  ])("has no variable %j", (name) => {
    expect(secretVariable.safeParse(name).success).toBe(false);
  });

  it("sends a secret only to hosts that it may reach, and has each variable once", () => {
    const secret = { env: "API_TOKEN", secret: "api", hosts: ["api.example.com"] };
    const egress = [{ host: "api.example.com" }];
    expect(agentSandbox.safeParse({ egress, secrets: [secret] }).success).toBe(true);
    expect(agentSandbox.safeParse({ secrets: [secret] }).error?.issues[0]?.message).toBe(
      "api.example.com is no host of egress: name it there as well",
    );
    expect(agentSandbox.safeParse({ egress, secrets: [secret, secret] }).success).toBe(false);
  });

  it("takes no fields that it does not know", () => {
    expect(agentSandbox.safeParse({ image: "x" }).success).toBe(false);
    expect(agentSandbox.safeParse({ egress: [{ host: "a.example.com", path: "/" }] }).success).toBe(false);
  });
});
