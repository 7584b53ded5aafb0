import { BerthError } from "../lib/errors.ts";
import type { Sandbox, SandboxPolicy } from "../sandbox/sandbox.ts";
import type { SandboxRecord } from "../store/sandboxes.ts";
import type { AllocationContext } from "./allocation-context.ts";
import { ConnectingSandboxes } from "./connecting-sandboxes.ts";
import { EmptyingHosts } from "./emptying-hosts.ts";
import { EndingSandboxes } from "./ending-sandboxes.ts";
import { GivingSandboxes } from "./giving-sandboxes.ts";
import { type Held, HeldSandboxes } from "./held-sandboxes.ts";
import { Instances } from "./instances.ts";
import { MakingSandboxes } from "./making-sandboxes.ts";
import { MovingWorkspaces } from "./moving-workspaces.ts";
import { Owners } from "./owners.ts";
import { ReservingSandboxes } from "./reserving-sandboxes.ts";
import { type FormerWorkspace, SessionWorkspaces } from "./session-workspaces.ts";
import type { SandboxWish } from "./session-sandboxes.ts";
import { SharingSandboxes } from "./sharing-sandboxes.ts";
import { Sweep } from "./sweep.ts";
import { Upkeep } from "./upkeep.ts";
import { WaitingLine } from "./waiting-line.ts";
import { WatchedHosts } from "./watched-hosts.ts";
import { WarmPool } from "./warm-pool.ts";

/** The parts of allocation, each with those that it works with. */
export interface AllocationParts {
  readonly context: AllocationContext;
  readonly line: WaitingLine;
  readonly owners: Owners;
  readonly workspaces: SessionWorkspaces;
  readonly ending: EndingSandboxes;
  readonly pool: WarmPool;
  readonly instances: Instances;
  readonly connecting: ConnectingSandboxes;
  readonly upkeep: Upkeep;
  readonly emptying: EmptyingHosts;
  readonly sweep: Sweep;
  /** A view of an active sandbox as a whole, which reaches what is wished. Rejects with `sandbox_not_found`. */
  readonly open: (record: SandboxRecord, wish?: SandboxWish) => Promise<Sandbox>;
}

export function openParts(
  context: AllocationContext,
  { former, deadMs }: { readonly former: FormerWorkspace | null; readonly deadMs: number },
): AllocationParts {
  const line = new WaitingLine(context.clock);
  const onRoom = () => line.reconsider();
  const held = new HeldSandboxes(context.clock);
  const owners = new Owners(context);
  const ending = new EndingSandboxes(context, held, onRoom);
  const hosts = new WatchedHosts({ ...context, deadMs });
  const moving = new MovingWorkspaces(context, ending, hosts);
  const workspaces = new SessionWorkspaces({ context, owners, former, hosts, moving });
  const making = new MakingSandboxes(context);
  const instances = new Instances(context);
  const pool = new WarmPool(context, making, ending);
  const endWarm = (host: string) => pool.endOne(host);
  const reserving = new ReservingSandboxes({ context, held, making, ending, line, endWarm, moving });
  const giving = new GivingSandboxes({
    context,
    held,
    making,
    ending,
    reserving,
    refill: () => pool.refill(),
  });
  const sharing = new SharingSandboxes({ context, held, ending, onIdle: onRoom });
  const connecting = new ConnectingSandboxes({
    context,
    held,
    owners,
    workspaces,
    giving,
    sharing,
    ending,
    moving,
  });
  async function found(record: SandboxRecord): Promise<Held> {
    const known = held.find(record.id);
    if (known !== null && !known.ending) return known;
    const { orgId, userId, sessionId, strategy, host, id } = record;
    const info = host === null ? null : await context.provider.get({ id, host });
    if (orgId === null || userId === null || sessionId === null || strategy === null || info === null)
      throw new BerthError("sandbox_not_found", `There is no sandbox ${id}.`);
    const policy = record.policy as SandboxPolicy;
    return giving.hold(record, {
      owner: { orgId, userId, sessionId, strategy },
      policy,
      ageMs: info.ageMs,
    });
  }
  return {
    context,
    line,
    owners,
    workspaces,
    ending,
    pool,
    instances,
    connecting,
    upkeep: new Upkeep({ context, held, making, ending, giving, instances, pool, hosts }),
    emptying: new EmptyingHosts({ context, owners, hosts, moving }),
    sweep: new Sweep(context, ending, moving),
    async open(record, wish) {
      const one = await found(record);
      if (wish !== undefined) await connecting.holdToEgress(one, wish);
      return await sharing.whole(one);
    },
  };
}

/** Ends everything that this server looks after, all at once. What is left is the next start's. */
export async function endAll({ context, connecting, ending }: AllocationParts): Promise<void> {
  await connecting.close();
  const rows = await context.store.system.sandboxes.live();
  const own = rows.filter(({ ownerInstance }) => ownerInstance === context.instanceId);
  await Promise.all(
    own.map((row) =>
      row.state === "destroying" ? ending.finish(row) : ending.endRow(row, { reason: "shutdown" }),
    ),
  );
  await ending.settle();
}
