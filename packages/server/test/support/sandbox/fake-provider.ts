import type { Clock } from "../../../src/lib/clock.ts";
import type { SandboxPolicy, SandboxProvider, Workspaces } from "../../../src/sandbox/sandbox.ts";
import { shownPolicy } from "../../../src/sandbox/shown-policy.ts";
import { error, fakeSandbox, type Faults, filesOf, type Instance, World } from "./fake-world.ts";

export interface FakeProvider extends SandboxProvider {
  readonly faults: Faults;
  /** What lives now, of whichever deployment. */
  instances(): readonly Instance[];
  /** It is gone at once, as after a crash of its host. */
  lose(id: string): void;
  /** Another deployment's. */
  addForeign(id: string, deployment: string): void;
  /** Sandboxes that were ended while a command ran in them, and why. */
  readonly endedBusy: { readonly id: string; readonly reason: string }[];
  readonly destroyed: string[];
  /** Workspaces that there are. */
  readonly kept: Map<string, Map<string, string>>;
  room: { slots: number; memoryBytes: number };
  /** Hosts that do not answer. */
  readonly down: Set<string>;
  readonly draining: Set<string>;
  /** Hosts on which nothing more has room. */
  readonly full: Set<string>;
  /** On which host each workspace is. */
  readonly placed: Map<string, string>;
}

const gibibyte = 1024 ** 3;

/** A provider without sandboxes: it knows what there would be. `hold` runs until it is ended, any other command at once. */
export function createFakeProvider(clock: Clock, names: readonly string[] = ["one"]): FakeProvider {
  const world = new World(clock);
  const room = { slots: 1_000, memoryBytes: 1_000 * gibibyte };
  return {
    kind: "remote",
    faults: world.faults,
    endedBusy: world.endedBusy,
    destroyed: world.destroyed,
    kept: world.kept,
    room,
    down: world.down,
    draining: world.draining,
    full: world.full,
    placed: world.placed,
    instances: () => world.living(),
    lose: (id) => world.remove(id, "lost"),
    addForeign(id, deployment) {
      const life = { template: "t", workspaceId: null, policy: nothing, madeAt: -1e9, endsAt: Infinity };
      const ref = { id, host: names[0] ?? "" };
      world.all.set(id, {
        ...life,
        ref,
        incarnation: "foreign",
        deployment,
        brokenOffAt: null,
        running: new Set(),
      });
    },
    probe: async () => capabilities,
    hosts: () =>
      world.does("hosts", null, () =>
        names.map((name) => {
          const here = world.living().filter(({ ref }) => ref.host === name);
          const promised = here.reduce((sum, { policy }) => sum + policy.limits.memoryBytes, 0);
          const freeMemoryBytes = room.memoryBytes - promised;
          const freeSlots = world.full.has(name) ? 0 : Math.max(0, room.slots - here.length);
          const healthy = !world.down.has(name);
          const state = { healthy, draining: world.draining.has(name), live: here.length };
          return { name, url: name, ...state, freeMemoryBytes, freeSlots };
        }),
      ),
    sweep: (host) => world.does("sweep", { id: "", host }, () => ({ removed: 0, foreign: 0 })),
    workspaces: workspacesIn(world),
    close: async () => undefined,
    ...livesIn(world, room),
    ...usesIn(world),
  };
}

function livesIn(
  world: World,
  room: FakeProvider["room"],
): Pick<SandboxProvider, "create" | "get" | "list" | "destroy"> {
  return {
    create: (ref, { template, policy, workspaceId }, { incarnation, deployment, ttlMs }) =>
      world.does("create", ref, () => {
        if (world.find(ref.id) !== null) return world.told(world.found(ref.id, incarnation));
        const here = world.living().filter((one) => one.ref.host === ref.host);
        if (here.length >= room.slots || world.full.has(ref.host) || world.draining.has(ref.host))
          throw error("sandbox_capacity");
        if (workspaceId !== undefined && world.placed.get(workspaceId) !== ref.host)
          throw error("workspace_not_found");
        const life = { incarnation, deployment, template, madeAt: world.now, endsAt: world.now + ttlMs };
        const made: Instance = {
          ...life,
          ref,
          workspaceId: workspaceId ?? null,
          policy: shownPolicy(policy),
          brokenOffAt: null,
          running: new Set(),
        };
        world.all.set(ref.id, made);
        return world.told(made);
      }),
    get: (ref) =>
      world.does("get", ref, () => {
        const known = world.find(ref.id);
        return known === null ? null : world.told(known);
      }),
    list: (host, deployment) =>
      world.does("list", { id: "", host }, () => {
        const own = world.living().filter((one) => one.ref.host === host && one.deployment === deployment);
        return world.faults.listed({ items: own.map((one) => world.told(one)), unreadable: 0 });
      }),
    destroy: (ref, { incarnation, reason }) =>
      world.does("destroy", ref, () => {
        if (world.find(ref.id) === null) return "absent";
        const { running, brokenOffAt } = world.found(ref.id, incarnation);
        if (running.size > 0 || brokenOffAt === world.now) world.endedBusy.push({ id: ref.id, reason });
        world.destroyed.push(ref.id);
        world.remove(ref.id, "killed");
        return "destroyed";
      }),
  };
}

function usesIn(world: World): Pick<SandboxProvider, "renew" | "apply" | "attach" | "connect"> {
  return {
    renew: (ref, { incarnation, ttlMs }) =>
      world.does("renew", ref, () => {
        const known = world.found(ref.id, incarnation);
        known.endsAt = world.now + ttlMs;
        return world.told(known);
      }),
    apply: (ref, { incarnation, policy }) =>
      world.does("apply", ref, () => {
        const known = world.found(ref.id, incarnation);
        known.policy = shownPolicy(policy);
        return world.told(known);
      }),
    attach: (ref, { incarnation, workspaceId }) =>
      world.does("attach", ref, () => {
        const known = world.found(ref.id, incarnation);
        if (known.workspaceId !== null) throw error("sandbox_busy");
        known.workspaceId = workspaceId;
        return world.told(known);
      }),
    connect: (ref) =>
      world.does("connect", ref, () => {
        world.found(ref.id);
        return fakeSandbox(ref, world);
      }),
  };
}

function workspacesIn(world: World): Workspaces {
  const { kept, placed } = world;
  return {
    create: async (ref) => {
      world.reach(ref.host);
      if (kept.has(ref.id)) return;
      kept.set(ref.id, new Map());
      placed.set(ref.id, ref.host);
    },
    async open({ id, host }, { folder = "" } = {}) {
      world.reach(host);
      return placed.get(id) === host ? filesOf(kept, id, { folder, reach: () => world.reach(host) }) : null;
    },
    usage: async ({ id }) => (kept.has(id) ? { bytes: kept.get(id)?.size ?? 0, files: 0 } : null),
    async remove({ id, host }, { folder } = {}) {
      world.reach(host);
      const files = kept.get(id);
      if (placed.get(id) !== host) return false;
      if (files === undefined || folder === undefined) {
        placed.delete(id);
        return kept.delete(id);
      }
      for (const path of files.keys()) if (path.startsWith(`${folder}/`)) files.delete(path);
      return true;
    },
    list: async (host) => [...kept.keys()].filter((id) => placed.get(id) === host),
  };
}

export const fakeLimits = {
  memoryBytes: 512 * 1024 ** 2,
  cpus: 1,
  pids: 128,
  diskBytes: gibibyte,
  inodes: 100_000,
  tmpBytes: 256 * 1024 ** 2,
  shmBytes: 64 * 1024 ** 2,
  openFiles: 1_024,
  fileBytes: 512 * 1024 ** 2,
  processes: 16,
};
const nothing: SandboxPolicy = { limits: fakeLimits, egress: { allow: [] } };
const capabilities = {
  isolation: "namespace",
  label: "fake",
  cgroup: "v2",
  network: "proxy",
  diskQuota: "image",
  seccomp: true,
  pty: true,
  ports: true,
  reasons: [],
} as const;
