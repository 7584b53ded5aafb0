import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FakeHost } from "../../../test/support/sandbox/fake-host.ts";
import { createDecoy, createHostileRig, type HostileRig } from "../../../test/support/sandbox/hostile-rig.ts";
import { readHostAddress } from "../../lib/host-address.ts";
import { newLife, policy } from "../sandbox-harness.conformance.ts";
import type { SandboxProvider } from "../sandbox.ts";

const host = "fake";
const spec = { template: "test", policy };

let rig: HostileRig;
let provider: SandboxProvider;
let fake: FakeHost;
beforeEach(async () => {
  rig = await createHostileRig();
  ({ provider, fake } = rig);
});
afterEach(() => rig.close());

describe("SBX-21 names that could mean another host", () => {
  it("SBX-21 never sends a call with such an id, nor to another host", async () => {
    const decoy = await createDecoy();
    const other = new URL(decoy.url).host;
    const ids = [
      "../../../etc/passwd",
      "sbx_..%2f..%2f",
      "sbx_0000000000000000000000\r\nHost: evil",
      `sbx_${"a".repeat(300)}`,
      `@${other}/`,
      `x@${other}`,
      "evil.com#",
      `//${other}/`,
      `\\\\${other}\\`,
      "sbx_00000000000000000000000000?x=1",
      "SBX_00000000000000000000000000",
    ];
    const before = fake.seen.filter(({ name }) => !name.startsWith("host/")).length;
    for (const id of ids) {
      const ref = { id, host };
      const attempts = [
        provider.create(ref, spec, newLife()),
        provider.renew(ref, { incarnation: "i", ttlMs: 1 }),
        provider.destroy(ref, { reason: "test" }),
        provider.connect(ref),
        provider.workspaces.open(ref),
        provider.workspaces.remove(ref),
      ];
      for (const attempt of attempts) {
        await expect(attempt).rejects.toMatchObject({
          code: expect.stringMatching(/^(sandbox|workspace)_invalid$/),
        });
      }
    }
    expect(fake.seen.filter(({ name }) => !name.startsWith("host/"))).toHaveLength(before);
    expect(decoy.visits()).toBe(0);
    // The same ids in an address that is only put together do lead elsewhere: the decoy can be reached.
    const naive = ids.map((id) => URL.parse(`http://${new URL(fake.url).hostname}:1${id}`)?.host);
    expect(naive).toContain(other);
    await fetch(`http://${other}/`);
    expect(decoy.visits()).toBe(1);
    await decoy.close();
  });

  it.each([
    "http://example.com:7430",
    "http://127.0.0.1@evil.com",
    "http://127.0.0.1.evil.com",
    "http://localhost.evil.com",
    "https://user:pass@a.example",
    "https://a.example/path",
    "https://a.example?x=1",
    "https://a.example#x",
    "ftp://a.example",
    "a.example:7430",
    "a b=https://a.example",
  ])("SBX-21 takes no such address of a host: %s", (text) => {
    expect(() => readHostAddress(text)).toThrow(/^(is|must) /);
  });

  it("SBX-21 names hosts by what stands before the address, else by the address", () => {
    expect(readHostAddress("a=https://10.0.0.7:7430")).toMatchObject({ name: "a" });
    expect(readHostAddress("https://sandbox-1.example:7430")).toMatchObject({
      name: "sandbox-1.example:7430",
    });
    expect(readHostAddress("http://[::1]:7430")).toMatchObject({ name: "[::1]:7430" });
  });
});
