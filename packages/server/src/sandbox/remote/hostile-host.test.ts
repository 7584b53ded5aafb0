import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FakeHost, infoOf, json } from "../../../test/support/sandbox/fake-host.ts";
import { createDecoy, createHostileRig, type HostileRig } from "../../../test/support/sandbox/hostile-rig.ts";
import { newId } from "../../lib/id.ts";
import { deployment, newLife, policy } from "../sandbox-harness.conformance.ts";
import type { SandboxProvider } from "../sandbox.ts";

const host = "fake";
const spec = { template: "test", policy };
const mebibyte = 1_048_576;

let rig: HostileRig;
let provider: SandboxProvider;
let fake: FakeHost;
beforeEach(async () => {
  rig = await createHostileRig();
  ({ provider, fake } = rig);
});
afterEach(() => rig.close());

describe("SBX-22 a host that lies", () => {
  const hostError = { code: "sandbox_host_error", retryable: true };

  it("SBX-22 does not wait for one that does not answer, nor for one that answers drop by drop", async () => {
    fake.answer("sandbox/create", () => undefined);
    const late = { code: "sandbox_timeout", retryable: true };
    await expect(rig.until(provider.create(rig.newRef(), spec, newLife()))).rejects.toMatchObject(late);
    fake.answer("sandbox/get", (_, response) => response.write("{"));
    await expect(rig.until(provider.get(rig.newRef()))).rejects.toMatchObject(late);
  });

  it("SBX-22 cuts an answer that never ends", { timeout: 30_000 }, async () => {
    let sent = 0;
    const flood = Buffer.alloc(256 * 1_024, 0x20);
    fake.answer("sandbox/get", (_, response) => {
      sent = 0;
      const more = () => {
        // Bounded: what a client takes that has no bound of its own.
        while (sent < 256 * mebibyte && !response.destroyed) {
          sent += flood.length;
          if (!response.write(flood)) return void response.once("drain", more);
        }
        response.end();
      };
      more();
    });
    const before = process.memoryUsage().rss;
    await expect(provider.get(rig.newRef())).rejects.toMatchObject(hostError);
    expect(sent).toBeLessThan(32 * mebibyte);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * mebibyte);
    const naive = await fetch(`${fake.url}/v1/sandbox/x/get`, { method: "POST", body: "{}\n" });
    let taken = 0;
    for await (const chunk of naive.body ?? []) taken += chunk.length;
    expect(taken).toBe(256 * mebibyte);
  });

  it("SBX-22 follows no redirect", async () => {
    const decoy = await createDecoy();
    fake.answer("sandbox/connect", (_, response) =>
      response.writeHead(307, { location: `${decoy.url}/x` }).end(),
    );
    await expect(provider.connect(rig.newRef())).rejects.toMatchObject(hostError);
    expect(decoy.visits()).toBe(0);
    await fetch(`${fake.url}/v1/sandbox/x/connect`, { method: "POST", body: "{}\n" });
    expect(decoy.visits()).toBe(1);
    await decoy.close();
  });

  it("SBX-22 believes no answer that is not one to the letter", async () => {
    const lies: readonly ((call: Parameters<typeof infoOf>[0]) => unknown)[] = [
      () => "",
      () => null,
      () => ({}),
      () => ({ error: { code: "sandbox_not_found", message: "in a 200", retryable: false } }),
      (call) => ({ result: infoOf(call), error: null }),
      (call) => ({ result: infoOf(call, { id: newId("sandbox") }) }),
      (call) => ({ result: infoOf(call, { incarnation: "another" }) }),
      (call) => ({ result: infoOf(call, { url: "https://evil.example" }) }),
      (call) => ({ result: infoOf(call, { host: "evil" }) }),
      (call) => ({ result: infoOf(call, { ageMs: -1 }) }),
      (call) => ({ result: infoOf(call, { workspaceId: "../x" }) }),
    ];
    for (const lie of lies) {
      fake.answer("sandbox/create", (call, response) => {
        if (lie(call) === "") response.end("{ no json");
        else json(response, lie(call));
      });
      await expect(provider.create(rig.newRef(), spec, newLife())).rejects.toMatchObject(hostError);
      await rig.clock.advance(10_000);
    }
    fake.answer("sandbox/create", (call, response) => json(response, { result: infoOf(call) }));
    const ref = rig.newRef();
    expect(await provider.create(ref, spec, newLife())).toMatchObject({
      ...ref,
      url: `${fake.url}/v1/sandbox/${ref.id}`,
    });
  });

  it("SBX-22 believes no list that mixes up deployments or names one twice", async () => {
    const call = { name: "", url: "", id: newId("sandbox"), args: {}, token: "" };
    const lists = [
      [infoOf(call, { deployment: "deployment-b" })],
      [infoOf(call), infoOf(call)],
      [infoOf(call), { id: "what" }],
    ];
    for (const items of lists) {
      fake.answer("host/list", (_, response) => json(response, { result: { items, unreadable: 0 } }));
      await expect(provider.list(host, deployment)).rejects.toMatchObject(hostError);
    }
  });

  it("SBX-22 takes no errors from it that are not errors of sandboxes, and no control characters", async () => {
    const refuse = (code: string, message: string) =>
      fake.answer("sandbox/connect", (_, response) =>
        json(response, { error: { code, message, retryable: false } }, 409),
      );
    refuse("forbidden", "you are not the owner of this organization");
    await expect(provider.connect(rig.newRef())).rejects.toMatchObject({
      ...hostError,
      message: expect.not.stringContaining("owner"),
    });
    refuse("sandbox_busy", "\u001b[31mbusy\r\nInjected: line\u0007");
    await expect(provider.connect(rig.newRef())).rejects.toMatchObject({
      code: "sandbox_busy",
      message: " [31mbusy  Injected: line ",
    });
  });

  it("SBX-22 leaves one alone that only fails, and tries again after a while", async () => {
    fake.answer("sandbox/get", (_, response) => json(response, { nonsense: true }));
    for (let i = 0; i < 3; i++) await expect(provider.get(rig.newRef())).rejects.toMatchObject(hostError);
    expect(fake.count("sandbox/get")).toBe(3);
    for (let i = 0; i < 5; i++) await expect(provider.get(rig.newRef())).rejects.toMatchObject(hostError);
    expect(fake.count("sandbox/get")).toBe(3);
    fake.answer("sandbox/get", (_, response) => json(response, { result: null }));
    await rig.clock.advance(10_001);
    expect(await provider.get(rig.newRef())).toBeNull();
    expect(await provider.get(rig.newRef())).toBeNull();
  });

  it("SBX-22 says why one is not asked, and never its address", async () => {
    await fake.close();
    const refused = async () => String(await provider.get(rig.newRef()).catch((error: unknown) => error));
    for (let i = 0; i < 8; i++) {
      const told = await rig.until(refused());
      expect(told).toContain("Sandbox host fake cannot be reached (connection refused");
      expect(told).not.toContain("127.0.0.1");
    }
    expect(await refused()).toContain("is asked again in some seconds");
  });

  it("SBX-22 keeps one that misses its heartbeats in the list, and not healthy", async () => {
    fake.answer("host/heartbeat", () => undefined);
    // Three beats, each as long as it may wait.
    for (let i = 0; i < 3; i++) {
      await rig.clock.advance(5_000);
      await rig.calls("host/heartbeat", i + 2);
      await rig.clock.advance(2_500);
    }
    expect(await provider.hosts()).toMatchObject([
      { name: host, healthy: false, problem: expect.any(String) },
    ]);
    expect((await provider.probe()).unavailable).toBeTypeOf("string");
  });
});
