import type { AgentSandbox } from "@berth/contract";
import { describe, expect, it } from "vitest";
import { Secret } from "../lib/secret.ts";
import { egressWish, type UsableSecret } from "./agent-wish.ts";

const secretFor = (...hosts: readonly string[]): UsableSecret => ({
  value: new Secret("the-value"),
  hosts,
  placeholder: (use) => `placeholder of ${use}`,
});
const wish = (sandbox: Partial<AgentSandbox>, secret: UsableSecret | null = null) =>
  egressWish(
    { egress: [], secrets: [], ...sandbox },
    { orgId: "org", owner: "usr", open: ({ name }) => Promise.resolve(name === "github" ? secret : null) },
  );
const asks = (...hosts: readonly string[]): Partial<AgentSandbox> => ({
  egress: [{ host: "other.test", ports: [8_443] }, ...hosts.map((host) => ({ host }))],
  secrets: [{ env: "TOKEN", secret: "github", hosts: [...hosts] }],
});
const codeOf = async (work: Promise<unknown>) => {
  const error: unknown = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  return typeof error === "object" && error !== null && "code" in error ? error.code : null;
};

describe("what an agent wants of its sandbox's network", () => {
  it("is nothing when it says nothing", async () => {
    expect(await wish({})).toEqual({ egress: { allow: [] }, environment: {} });
  });

  it("has secrets in the rules of their hosts, and placeholders in the environment", async () => {
    const sent = { placeholder: "placeholder of org/usr", value: "the-value" };
    expect(await wish(asks("api.test"), secretFor("api.test"))).toEqual({
      egress: {
        allow: [
          { host: "other.test", ports: [8_443] },
          { host: "api.test", secrets: [sent] },
        ],
      },
      environment: { TOKEN: sent.placeholder },
    });
  });

  it("is refused when a secret is missing, or may not be sent there", async () => {
    expect(await codeOf(wish(asks("api.test")))).toBe("sandbox_secret_not_found");
    const cases: readonly (readonly [allowed: string, host: string, ok: boolean])[] = [
      ["api.test", "api.test", true],
      ["*.test.example", "a.test.example", true],
      ["*.test.example", "a.b.test.example", true],
      ["*.test.example", "*.b.test.example", true],
      ["*.test.example", "*.test.example", true],
      ["*.test.example", "test.example", false],
      ["*.test.example", "xtest.example", false],
      ["api.test", "*.api.test", false],
      ["a.test.example", "*.test.example", false],
      ["api.test", "evil.test", false],
    ];
    for (const [allowed, host, ok] of cases)
      expect([allowed, host, await codeOf(wish(asks(host), secretFor(allowed)))]).toEqual([
        allowed,
        host,
        ok ? null : "sandbox_secret_host",
      ]);
  });
});
