import type { AllocationSettings } from "../../../src/allocation/allocation-settings.ts";
import { type Allocation, createAllocation } from "../../../src/allocation/create-allocation.ts";
import { BerthError } from "../../../src/lib/errors.ts";
import { newId } from "../../../src/lib/id.ts";
import type { Store } from "../../../src/store/store.ts";
import { type AllocationRig, testSettings } from "./allocation-rig.ts";

/** A server that can die in the middle of anything: from then on nothing that it calls does anything or answers. */
export interface Life extends Allocation {
  readonly instanceId: string;
  readonly isDead: () => boolean;
  /** Dies where it next comes to this place; null: nowhere. */
  arm(place: string | null): void;
  kill(): void;
}

export function beginLife(rig: AllocationRig, settings: Partial<AllocationSettings>): Life {
  const instanceId = newId("worker");
  let dead = false;
  let armed: string | null = null;
  const isDead = () => dead;
  const system = { ...rig.store.system, sandboxes: mortal(rig.store.system.sandboxes, isDead) };
  const org = (orgId: string) => {
    const open = rig.store.org(orgId);
    const { sandboxes, identity, userConfig } = open;
    return {
      ...mortal(open, isDead),
      sandboxes: mortal(sandboxes, isDead),
      identity: mortal(identity, isDead),
      userConfig: mortal(userConfig, isDead),
    };
  };
  const store: Store = { ...rig.store, system, org };
  const provider = { ...mortal(rig.provider, isDead), workspaces: mortal(rig.provider.workspaces, isDead) };
  const made = createAllocation({
    store,
    provider,
    clock: rig.clock,
    telemetry: rig.telemetry,
    settings: { ...testSettings, ...settings },
    instanceId,
    step(place) {
      if (place !== armed) return;
      armed = null;
      dead = true;
      throw new BerthError("killed", `The server was killed at ${place}.`);
    },
  });
  return {
    ...made,
    instanceId,
    isDead,
    arm: (place) => void (armed = place),
    kill: () => void (dead = true),
  };
}

type Call = (...args: unknown[]) => unknown;

/** The same, but for its calls, which never answer once it is dead. */
function mortal<T extends object>(target: T, isDead: () => boolean): T {
  const entries = Object.entries(target).map(([name, member]: [string, unknown]) => {
    if (typeof member !== "function") return [name, member];
    const call = (...args: unknown[]): unknown => {
      if (isDead()) return new Promise(() => undefined);
      const answer = (member as Call)(...args);
      if (!(answer instanceof Promise)) return answer;
      return answer.then(
        (value: unknown) => (isDead() ? new Promise(() => undefined) : value),
        (error: unknown) => (isDead() ? new Promise(() => undefined) : Promise.reject(error as Error)),
      );
    };
    return [name, call];
  });
  return Object.fromEntries(entries) as T;
}
