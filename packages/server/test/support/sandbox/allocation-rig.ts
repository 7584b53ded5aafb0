import type { SandboxAllocationStrategy } from "@berth/contract";
import type { AllocationSettings } from "../../../src/allocation/allocation-settings.ts";
import {
  type Allocation,
  type AllocationOptions,
  createAllocation,
} from "../../../src/allocation/create-allocation.ts";
import type { SandboxRequest } from "../../../src/allocation/session-sandboxes.ts";
import { newId } from "../../../src/lib/id.ts";
import { noUsage } from "../../../src/session/state.ts";
import type { LiveSandbox } from "../../../src/store/sandboxes.ts";
import type { Store } from "../../../src/store/store.ts";
import { silentTelemetry } from "../../../src/telemetry/telemetry.ts";
import { createManualClock, type ManualClock } from "../manual-clock.ts";
import { openMemoryStore } from "../store/memory-store.ts";
import { createFakeProvider, fakeLimits, type FakeProvider } from "./fake-provider.ts";

export const testSettings: AllocationSettings = {
  limits: fakeLimits,
  maxLimits: {},
  template: "test",
  warm: 0,
  idleTtlMs: 15 * 60_000,
  maxLifeMs: 4 * 3_600_000,
  perUser: 5,
  perOrg: 50,
  waitMs: 30_000,
};

/** Allocation on a fake provider and a store in memory, in virtual time. */
export interface AllocationRig {
  readonly clock: ManualClock;
  readonly store: Store;
  readonly provider: FakeProvider;
  readonly telemetry: ReturnType<typeof silentTelemetry>;
  /** One more server on the same store and hosts. */
  start(change?: Partial<AllocationSettings>, options?: Partial<AllocationOptions>): Allocation;
  /** A new session; its place with its owner. */
  session(owner?: {
    orgId?: string;
    userId?: string;
    strategy?: SandboxAllocationStrategy;
    visibility?: "private" | "org";
  }): Promise<SandboxRequest>;
  live(): Promise<readonly LiveSandbox[]>;
  close(): Promise<void>;
}

export function openRig({ hosts = ["one"] }: { hosts?: readonly string[] } = {}): AllocationRig {
  const clock = createManualClock();
  // Nothing here reads logs of sessions.
  const store = openMemoryStore(clock) as Store;
  const provider = createFakeProvider(clock, hosts);
  const telemetry = silentTelemetry();
  const started: Allocation[] = [];
  return {
    clock,
    store,
    provider,
    telemetry,
    start(change = {}, options = {}) {
      const settings = { ...testSettings, ...change };
      const made = createAllocation({ store, provider, clock, telemetry, settings, ...options });
      started.push(made);
      return made;
    },
    async session({ orgId = "org_1", userId = "usr_1", strategy, visibility = "private" } = {}) {
      const id = newId("session");
      await store.org(orgId).createSession({
        row: {
          orgId,
          id,
          agent: { id: "agt_1", version: 1, name: "helper" },
          owner: userId,
          key: null,
          title: null,
          metadata: {},
          model: null,
          status: "idle",
          currentRunId: null,
          forkedFrom: null,
          usage: noUsage,
          visibility,
        },
        events: [{ seq: 1, type: "session.created", json: '{"seq":1,"type":"session.created"}' }],
      });
      return { orgId, sessionId: id, ...(strategy !== undefined && { wish: { strategy } }) };
    },
    live: () => store.system.sandboxes.live(),
    async close() {
      await Promise.all(started.map(({ sandboxes }) => sandboxes.close()));
      await store.close();
    },
  };
}
