import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { json } from "../../../test/support/sandbox/fake-host.ts";
import { createHostileRig, type HostileRig } from "../../../test/support/sandbox/hostile-rig.ts";
import { newId } from "../../lib/id.ts";
import type { EgressDecision } from "../egress-decision.ts";
import { deployment, policy } from "../sandbox-harness.conformance.ts";

const own = newId("sandbox");
const journal = "a".repeat(32);
const item = {
  sandboxId: own,
  host: "a.test",
  port: 443,
  method: "CONNECT",
  verdict: "denied",
  reason: "not_listed",
  address: null,
  count: 1,
  bytesOut: 0,
  bytesIn: 0,
};

const times = <T>(length: number, value: T): T[] => Array.from({ length }, () => value);

let rig: HostileRig;
let told: (EgressDecision & { readonly sandboxId: string })[];
let lost: { host: string; why: string; count: number }[];
let failures: unknown[];
let storeIsAway: boolean;
beforeEach(async () => {
  [told, lost, failures, storeIsAway] = [[], [], [], false];
  rig = await createHostileRig({
    breaker: { failures: 1_000, openMs: 1 },
    egress: {
      async isOn(sandboxId, host) {
        if (storeIsAway) throw new Error("the store is away");
        return sandboxId === own && host === "fake";
      },
      decided: (sandboxId, decision) => told.push({ sandboxId, ...decision }),
      lost: (event) => lost.push(event),
      failed: ({ error }) => failures.push(error),
    },
  });
  await rig.calls("host/egress", 1);
  await quiet();
});
afterEach(() => rig.close());

const asked = () => rig.fake.count("host/egress");
/** All calls are over when nothing is timed but the next heartbeat. Lets time pass only for what waits for it. */
async function quiet(): Promise<void> {
  for (let round = 0; rig.clock.timers() > 1; round++) {
    if (round > 100) throw new Error("calls do not end");
    for (let i = 0; i < 10 && rig.clock.timers() > 1; i++) await rig.arrive();
    if (rig.clock.timers() > 1) await rig.clock.advance(50);
  }
}
/** One more heartbeat, and all that comes of it. */
async function beat(): Promise<void> {
  const before = asked();
  await rig.clock.advance(5_000);
  await rig.calls("host/egress", before + 1);
  await quiet();
}
/** Answers as a host does that has so many decisions. */
function has(items: readonly unknown[]): void {
  rig.fake.answer("host/egress", ({ args }, response) => {
    const { number: from = 0 } = (args["after"] ?? {}) as { number?: number };
    const page = items.slice(from, from + 500);
    json(response, { result: { next: { journal, number: from + page.length }, dropped: 0, items: page } });
  });
}

describe("SBX-22 what a host tells of egress", () => {
  it("SBX-22 is handed on once, whatever is asked again", async () => {
    has([item, { ...item, host: "b.test" }]);
    await beat();
    expect(told.map(({ sandboxId, host }) => [sandboxId, host])).toEqual([
      [own, "a.test"],
      [own, "b.test"],
    ]);
    await beat();
    await beat();
    expect(told).toHaveLength(2);
    // It names its deployment, always the same reader, and what it has.
    const calls = rig.fake.seen.filter(({ name }) => name === "host/egress").map(({ args }) => args);
    expect(new Set(calls.map((args) => args["reader"])).size).toBe(1);
    expect(calls.at(-1)).toMatchObject({ deployment, after: { journal, number: 2 } });
    expect([lost, failures]).toEqual([[], []]);
  });

  it("SBX-22 is handed on once when the answer is cut, or comes and is not understood", async () => {
    let cut = 0;
    rig.fake.answer("host/egress", ({ args }, response) => {
      const answer = { next: { journal, number: 1 }, dropped: 0, items: args["after"] ? [] : [item] };
      if (args["after"] || cut++ > 1) return json(response, { result: answer });
      const text = JSON.stringify({ result: answer });
      response.writeHead(200, { "content-length": text.length });
      response.write(text.slice(0, -2), () => response.destroy());
    });
    await beat();
    await beat();
    expect(cut).toBe(3);
    expect(told).toHaveLength(1);
  });

  it("SBX-22 is asked for again and told once when the store cannot say whose it is", async () => {
    has([item]);
    storeIsAway = true;
    await beat();
    await beat();
    expect(told).toEqual([]);
    expect(failures).toHaveLength(1);
    storeIsAway = false;
    await beat();
    await beat();
    expect(told).toHaveLength(1);
  });

  it("SBX-22 is told in full after the host was started again", async () => {
    has([item, item]);
    await beat();
    rig.fake.answer("host/egress", ({ args }, response) => {
      const { journal: known } = (args["after"] ?? {}) as { journal?: string };
      const next = { journal: "b".repeat(32), number: 1 };
      json(response, { result: { next, dropped: 0, items: known === next.journal ? [] : [item] } });
    });
    await beat();
    await beat();
    expect(told).toHaveLength(3);
  });

  it("SBX-22 is not believed of sandboxes that the host does not have, and the others are", async () => {
    const foreign = { ...item, sandboxId: newId("sandbox"), host: "foreign.test" };
    has([foreign, item, foreign]);
    await beat();
    expect(told.map(({ host }) => host)).toEqual(["a.test"]);
    expect(lost).toEqual([{ host: "fake", why: "foreign", count: 2 }]);
  });

  it("SBX-22 is cleaned of what is not for people's eyes", async () => {
    has([{ ...item, host: "\u001b[31m\r\nroot:", address: "not an address" }]);
    await beat();
    expect(told[0]).toMatchObject({ host: "?[31m??root:", address: null });
  });

  const lies: Readonly<Record<string, unknown>> = {
    "more than 500": { next: { journal, number: 501 }, dropped: 0, items: times(501, item) },
    "a cursor that stays": { next: { journal, number: 0 }, dropped: 0, items: [item] },
    "a cursor of less than came": { next: { journal, number: 5 }, dropped: 5, items: [item] },
    "no cursor": { next: null, dropped: 0, items: [item] },
    "fewer than none dropped": { next: { journal, number: 1 }, dropped: -1, items: [item] },
    ...Object.fromEntries(
      [
        { sandboxId: "sbx_../x" },
        { host: "a".repeat(101) },
        { port: 70_000 },
        { method: "GET /?token" },
        { verdict: "maybe" },
        { reason: "because" },
        { count: 1e12 },
        { count: -1 },
        { bytesIn: 0.5 },
        { bytesOut: 2 ** 53 },
        { headers: "authorization: x" },
      ].map((change) => [
        JSON.stringify(change).slice(0, 40),
        { next: { journal, number: 1 }, dropped: 0, items: [item, { ...item, ...change }].slice(-1) },
      ]),
    ),
  };
  it.each(Object.keys(lies))("SBX-22 is not believed at all with %s", async (name) => {
    rig.fake.answer("host/egress", (_, response) => json(response, { result: lies[name] }));
    await beat();
    await beat();
    expect(told).toEqual([]);
    // Said once, and the host is used on.
    expect(failures).toMatchObject([{ code: "sandbox_host_error", retryable: true }]);
    expect(await rig.provider.hosts()).toMatchObject([{ healthy: true }]);
    has([item]);
    await beat();
    expect(told).toHaveLength(1);
  });

  it("SBX-22 is at most 2,500 in one heartbeat, though the host never ends", async () => {
    let number = 0;
    rig.fake.answer("host/egress", (_, response) => {
      number += 503;
      json(response, { result: { next: { journal, number }, dropped: 3, items: times(500, item) } });
    });
    const before = asked();
    await beat();
    expect(asked() - before).toBe(5);
    expect(told).toHaveLength(2_500);
    expect(lost).toEqual(times(5, { host: "fake", why: "dropped", count: 3 }));
  });

  it("SBX-22 is not waited for by heartbeats", async () => {
    const held: (() => void)[] = [];
    rig.fake.answer("host/egress", (_, response) => {
      const next = { journal, number: held.length + 1 };
      held.push(() => json(response, { result: { next, dropped: 0, items: [item] } }));
    });
    const before = rig.fake.count("host/heartbeat");
    await rig.clock.advance(5_000);
    for (let calls = 1; calls <= 3; calls++) {
      await rig.calls("host/egress", 1 + calls);
      await rig.clock.advance(2_400);
      held[calls - 1]?.();
    }
    await rig.calls("host/egress", 5);
    expect(rig.fake.count("host/heartbeat")).toBe(before + 2);
    expect(failures).toEqual([]);
    rig.fake.answer("host/egress", (_, response) => response.destroy());
    held[3]?.();
    await quiet();
  });

  it("SBX-22 is not asked of a host that does not answer heartbeats", async () => {
    rig.fake.answer("host/heartbeat", (_, response) => json(response, {}, 500));
    const [before, beats] = [asked(), rig.fake.count("host/heartbeat")];
    for (let i = 1; i <= 2; i++) {
      await rig.clock.advance(5_000);
      await rig.calls("host/heartbeat", beats + i);
      while (rig.clock.timers() === 0) await rig.arrive();
      await quiet();
    }
    expect(asked()).toBe(before);
  });

  it("SBX-22 comes before the end of a sandbox is told, so that the server still knows whose it was", async () => {
    rig.fake.answer("sandbox/destroy", (_, response) => json(response, { result: "destroyed" }));
    await rig.provider.create({ id: own, host: "fake" }, { template: "t", policy }, life);
    has([item]);
    expect(told).toEqual([]);
    await rig.provider.destroy({ id: own, host: "fake" }, { reason: "test" });
    expect(told).toHaveLength(1);
  });
});

const life = { incarnation: "one", deployment, ttlMs: 60_000 };
