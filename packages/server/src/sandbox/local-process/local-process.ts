import { accessSync, constants } from "node:fs";
import { mkdir } from "node:fs/promises";
import { freemem } from "node:os";
import type { Clock } from "../../lib/clock.ts";
import { BerthError } from "../../lib/errors.ts";
import { createFiles } from "../files/files.ts";
import { createSearch, type Search } from "../files/search.ts";
import { parsePath } from "../files/workspace-path.ts";
import type { Capabilities, Sandbox, SandboxProvider, SandboxRef } from "../sandbox.ts";
import { checkSandboxId } from "../sandbox-id.ts";
import { shownPolicy } from "../shown-policy.ts";
import { createTurns } from "../turns.ts";
import type { HostWorkspaces } from "../workspaces/host-workspaces.ts";
import { createWorkspaces } from "../workspaces/workspaces.ts";
import { createCommands } from "./commands.ts";
import { createLayout, derivedWorkspaceId, type Layout } from "./layout.ts";
import { endLeftSandbox, type LeftOf, removeOwnRun, sweepLeftovers } from "./leftovers.ts";
import { type Live, LiveSandboxes } from "./live-sandboxes.ts";
import { openLocalSandbox, viewLocalSandbox } from "./local-sandbox.ts";

export interface LocalProcessOptions {
  readonly dataDir: string;
  readonly clock: Clock;
  /** All that commands see of the environment, besides HOME, TMPDIR and the mark of their tree. */
  readonly environment: Readonly<Record<string, string>>;
  /** Sandboxes at once. */
  readonly maxSandboxes?: number;
  /** Why nothing that isolates is used; told with what it can do. */
  readonly insteadOf?: string;
  readonly log?: { warn(details: Readonly<Record<string, unknown>>, message: string): void };
}

export interface LocalProcessProvider extends SandboxProvider {
  readonly kind: "local-process";
  /** See layout.ts. */
  derivedWorkspaceId(place: { readonly orgId: string; readonly sessionId: string }): string;
}

/** What the provider's parts share. */
interface Parts {
  readonly layout: Layout;
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string>>;
  readonly shell: string;
  readonly search: Search;
  readonly left: LeftOf;
  readonly workspaces: HostWorkspaces;
  readonly warn: (details: Readonly<Record<string, unknown>>, message: string) => void;
}

type Change = <T>(
  ref: SandboxRef,
  incarnation: string | undefined,
  call: (found: Live) => Promise<T>,
) => Promise<T>;

const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const host = "local";
const capabilities: Capabilities = {
  isolation: "none",
  label: "not isolated",
  cgroup: "none",
  network: "open",
  diskQuota: "none",
  seccomp: false,
  pty: false,
  ports: false,
  reasons: [],
};

function reasonsOf({ insteadOf }: LocalProcessOptions): readonly string[] {
  const what = "Commands run as the server's own user and can do whatever that user can.";
  return insteadOf === undefined ? [what] : [what, insteadOf];
}

/**
 * Runs commands as plain processes of the server's own user: for one trusting user, because a command can do whatever that
 * user can. Files asked for through the port stay in the workspace, whatever links or renames there are. A process that
 * clears its environment, closes its descriptors and leaves its session and parents is not found when it is to be ended;
 * only an isolating provider ends that one too.
 */
export function createLocalProcess(options: LocalProcessOptions): LocalProcessProvider {
  const { clock, maxSandboxes = 1_000 } = options;
  const parts = openParts(options);
  const { layout, left, workspaces, search, warn } = parts;
  const inTurn = createTurns();
  let closed = false;
  const live = new LiveSandboxes({
    clock,
    onExpired: ({ id }) => {
      void inTurn(id, async () => {
        const found = live.find(id);
        if (found !== null && found.endsAt <= clock.monotonic()) await end(found, lost());
      }).catch((error: unknown) => warn({ sandbox: id, error }, "a sandbox could not be ended in time"));
    },
  });

  async function end(found: Live, why: BerthError): Promise<void> {
    live.delete(found);
    await found.sandbox.commands.stop(why);
    await endLeftSandbox(left, found.ref.id);
    await found.held?.workspace.release();
  }

  /** Does something with the sandbox that an incarnation names, one after another. */
  const change = <T>(
    { id }: SandboxRef,
    incarnation: string | undefined,
    call: (found: Live) => Promise<T>,
  ) => inTurn(id, async () => await call(live.get(id, incarnation)));

  return {
    kind: "local-process",
    derivedWorkspaceId: (place) => derivedWorkspaceId(layout.installation, place),
    workspaces,
    probe: async () => ({ ...capabilities, reasons: reasonsOf(options) }),
    hosts: async () => [hostInfo(live.size, maxSandboxes, closed)],
    create: (ref, spec, given) =>
      inTurn(ref.id, async () => {
        checkSandboxId(ref.id);
        if (closed) throw stopping();
        if (live.find(ref.id) !== null) return live.info(live.get(ref.id, given.incarnation));
        if (live.size >= maxSandboxes) throw full(maxSandboxes);
        given.signal?.throwIfAborted();
        const held = spec.workspaceId === undefined ? null : await hold(workspaces, spec.workspaceId);
        const sandbox = await openSandbox(parts, ref.id, given.deployment);
        return live.info(live.add(ref, spec, { ...given, sandbox, held }));
      }),
    ...tellingVerbs(live, change),
    attach: (ref, { incarnation, workspaceId }) =>
      change(ref, incarnation, async (found) => {
        if (found.held !== null && found.held.id !== workspaceId) throw attached();
        found.held ??= await hold(workspaces, workspaceId);
        return live.info(found);
      }),
    destroy: ({ id }, { incarnation }) =>
      inTurn(id, async () => {
        checkSandboxId(id);
        if (live.find(id) === null) return (await endLeftSandbox(left, id)) ? "destroyed" : "absent";
        await end(live.get(id, incarnation), lost());
        return "destroyed";
      }),
    async connect({ id }, { folder = "" } = {}) {
      if (closed) throw stopping();
      return await view(parts, live.get(id), folder);
    },
    sweep: (_, deployment) =>
      inTurn("sweep", async () => {
        const { removed, foreign } = await sweepLeftovers(left, deployment);
        return { removed: removed + (await workspaces.sweep()), foreign };
      }),
    async close() {
      closed = true;
      await Promise.all(live.all().map((each) => inTurn(each.ref.id, () => end(each, stopping()))));
      await search.close();
      await workspaces.close();
      await removeOwnRun(layout);
    },
  };
}

/** What only reads or changes what is known of a sandbox. */
function tellingVerbs(
  live: LiveSandboxes,
  change: Change,
): Pick<SandboxProvider, "get" | "list" | "renew" | "apply"> {
  return {
    async get({ id }) {
      const found = live.find(id);
      return found === null ? null : live.info(found);
    },
    async list(_, deployment) {
      const items = live.all().filter((each) => each.deployment === deployment);
      return { items: items.map((each) => live.info(each)), unreadable: 0 };
    },
    renew: (ref, { incarnation, ttlMs }) =>
      change(ref, incarnation, async (found) => {
        live.renew(found, ttlMs);
        return live.info(found);
      }),
    apply: (ref, { incarnation, policy }) =>
      change(ref, incarnation, async (found) => {
        found.policy = shownPolicy(policy);
        return live.info(found);
      }),
  };
}

function openParts({ dataDir, clock, environment, log }: LocalProcessOptions): Parts {
  const layout = createLayout(dataDir);
  const search = createSearch({ clock });
  const warn: Parts["warn"] = (details, message) => log?.warn(details, message);
  const onLeft = (error: unknown) =>
    warn({ error }, "a deleted folder could not be emptied; the next sweep tries again");
  return {
    layout,
    clock,
    environment: { PATH: defaultPath, ...environment },
    shell: findShell(),
    search,
    left: { layout, clock, onLeft },
    workspaces: createWorkspaces({ dataDir, quota: { kind: "none" }, clock, search, warn }),
    warn,
  };
}

async function hold(workspaces: HostWorkspaces, id: string) {
  return { id, workspace: await workspaces.hold(id, { uid: null }) };
}

async function openSandbox(parts: Parts, id: string, deployment: string) {
  const temporary = temporaryOf(parts.layout, id);
  await mkdir(temporary, { recursive: true, mode: 0o700 });
  return openLocalSandbox(createCommands({ ...parts, id, deployment, temporary }), parts.clock);
}

const temporaryOf = (layout: Layout, id: string) => `${layout.own.temporary}/${id}`;

async function view(parts: Parts, { ref, sandbox, held }: Live, folder: string): Promise<Sandbox> {
  const { clock, layout, workspaces, search } = parts;
  const [id, base] = [ref.id, parsePath(folder)];
  if (held !== null) {
    const files = await workspaces.open({ id: held.id, host }, { folder });
    if (files === null) throw missing();
    return viewLocalSandbox(sandbox, { id, clock, root: held.workspace.path, base, files });
  }
  const files = createFiles({ use: () => Promise.reject(missing()), search, onLeft: () => undefined });
  return viewLocalSandbox(sandbox, { id, clock, root: temporaryOf(layout, id), base, files });
}

function hostInfo(live: number, most: number, closed: boolean) {
  return {
    name: host,
    url: "local-process://local",
    healthy: !closed,
    draining: closed,
    live,
    freeMemoryBytes: freemem(),
    freeSlots: Math.max(0, most - live),
  };
}

function findShell(): string {
  const found = ["/bin/bash", "/usr/bin/bash", "/usr/local/bin/bash"].find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  return found ?? "/bin/sh";
}

function lost(): BerthError {
  return new BerthError("sandbox_lost", "This sandbox was ended; make a new one.", { retryable: true });
}

function stopping(): BerthError {
  return new BerthError("sandbox_gone", "The server is stopping; try again in a moment.", {
    retryable: true,
  });
}

function full(most: number): BerthError {
  return new BerthError("sandbox_capacity", `There are ${most} sandboxes already; end one of them first.`, {
    retryable: true,
  });
}

function attached(): BerthError {
  return new BerthError("sandbox_busy", "This sandbox has a workspace already; make a new one.");
}

function missing(): BerthError {
  return new BerthError("workspace_not_found", "This sandbox has no workspace.");
}
