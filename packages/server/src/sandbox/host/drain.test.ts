import { describe, expect, it } from "vitest";
import { createFakeProvider, fakeLimits } from "../../../test/support/sandbox/fake-provider.ts";
import { createManualClock } from "../../../test/support/manual-clock.ts";
import { createDrain, type HostRemains } from "./drain.ts";

function openDrain({ drainMs = 3_600_000, workspaces = 2 } = {}) {
  const clock = createManualClock();
  const provider = createFakeProvider(clock);
  const said: unknown[] = [];
  const log = { info: (details: unknown) => void said.push(details), warn: () => undefined };
  const drain = createDrain({ provider, clock, drainMs, log });
  let ended: HostRemains | null = null;
  void drain.done.then((left) => (ended = left));
  const refs = Array.from({ length: workspaces }, (_, at) => ({ id: `wsp_${at}`, host: "one" }));
  return {
    provider,
    drain,
    refs,
    said,
    ended: () => ended,
    make: () => Promise.all(refs.map((ref) => provider.workspaces.create(ref, fakeLimits))),
    /** Looks are made all the while. */
    after: async (ms: number) => {
      for (let passed = 0; passed < ms; passed += 500) await clock.advance(500);
    },
  };
}
const life = { incarnation: "one", deployment: "dep", ttlMs: 1e9 };
const spec = { template: "t", policy: { limits: fakeLimits, egress: { allow: [] } } };

describe("the drain of a sandbox host", () => {
  it("waits for sandboxes, then for workspaces, and says how far it is", async () => {
    const { provider, drain, refs, said, ended, make, after } = openDrain();
    await make();
    const ref = { id: "sbx_1", host: "one" };
    await provider.create(ref, spec, life);
    drain.begin();
    await after(600_000);
    expect(ended()).toBeNull();
    await provider.destroy(ref, { reason: "test" });
    await after(10_000);
    expect(ended()).toBeNull();
    for (const one of refs) await provider.workspaces.remove(one);
    await after(1_000);
    expect(ended()).toEqual({ sandboxes: 0, workspaces: 0 });
    expect(said.slice(0, 2)).toEqual([
      { sandboxes: 1, workspaces: 2 },
      { sandboxes: 0, workspaces: 2 },
    ]);
    drain.end();
  });

  it("does not wait for workspaces when no server asks for any for longer than it takes to try again", async () => {
    const { drain, ended, make, after } = openDrain();
    await make();
    drain.begin();
    for (let tries = 0; tries < 5; tries++) {
      await after(70_000);
      drain.asked();
    }
    expect(ended()).toBeNull();
    await after(80_000);
    expect(ended()).toEqual({ sandboxes: 0, workspaces: 2 });
    drain.end();
  });

  it("ends when its time is over, with what is left", async () => {
    const { drain, ended, make, after } = openDrain({ drainMs: 20_000 });
    await make();
    drain.begin();
    await after(19_500);
    expect(ended()).toBeNull();
    await after(1_000);
    expect(ended()).toEqual({ sandboxes: 0, workspaces: 2 });
    drain.end();
  });

  it("ends at once where there is nothing", async () => {
    const { drain, ended, after } = openDrain({ workspaces: 0 });
    drain.begin();
    await after(500);
    expect(ended()).toEqual({ sandboxes: 0, workspaces: 0 });
    drain.end();
  });
});
