import { accessSync, constants } from "node:fs";
import { freemem } from "node:os";
import type { Clock } from "../../lib/clock.ts";
import { BerthError } from "../../lib/errors.ts";
import { createSearch } from "../files/search.ts";
import { makeFolder } from "../files/folder.ts";
import { parsePath } from "../files/workspace-path.ts";
import type { Capabilities, SandboxProvider, SandboxRef, SandboxSpec } from "../sandbox.ts";
import { checkSandboxId } from "../sandbox-id.ts";
import { shownPolicy } from "../shown-policy.ts";
import { createWorkspaces } from "../workspaces/workspaces.ts";
import { createLayout, derivedWorkspaceId } from "./layout.ts";
import { endLeftSandbox, removeOwnRun, sweepLeftovers } from "./leftovers.ts";
import { type Live, LiveSandboxes } from "./live-sandboxes.ts";
import { openLocalSandbox } from "./local-sandbox.ts";
import { createTurns } from "./turns.ts";

export interface LocalProcessOptions {
  readonly dataDir: string;
  readonly clock: Clock;
  /** All that commands see of the environment, besides HOME, TMPDIR and the mark of their tree. */
  readonly environment: Readonly<Record<string, string>>;
  /** Sandboxes at once. */
  readonly maxSandboxes?: number;
  readonly log?: { warn(details: Readonly<Record<string, unknown>>, message: string): void };
}

export interface LocalProcessProvider extends SandboxProvider {
  readonly kind: "local-process";
  /** See layout.ts. */
  derivedWorkspaceId(place: { readonly orgId: string; readonly sessionId: string }): string;
}

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
  reasons: ["Commands run as the server's own user and can do whatever that user can."],
};

/**
 * Runs commands as plain processes of the server's own user: for one trusting user, because a command can do whatever that
 * user can. Files asked for through the port stay in the workspace, whatever links or renames there are. A process that
 * clears its environment, closes its descriptors and leaves its session and parents is not found when it is to be ended;
 * only an isolating provider ends that one too.
 */
export function createLocalProcess(options: LocalProcessOptions): LocalProcessProvider {
  const { clock, maxSandboxes = 1_000, log } = options;
  const layout = createLayout(options.dataDir);
  const search = createSearch({ clock });
  const shell = findShell();
  const environment = { PATH: defaultPath, ...options.environment };
  const inTurn = createTurns();
  const warn = (details: Readonly<Record<string, unknown>>, message: string) => log?.warn(details, message);
  const left = {
    layout,
    clock,
    onLeft: (error: unknown) =>
      warn({ error }, "a deleted folder could not be emptied; the next sweep tries again"),
  };
  const { staging, trash } = layout.own;
  const workspaces = createWorkspaces({ folder: layout.workspaces, staging, trash, search, warn });
  const live = new LiveSandboxes({
    clock,
    onExpired: (ref) => {
      void inTurn(ref.id, async () => {
        const found = live.find(ref.id);
        if (found !== null && found.endsAt <= clock.monotonic()) await end(found, lost());
      }).catch((error: unknown) => warn({ sandbox: ref.id, error }, "a sandbox could not be ended in time"));
    },
  });
  let closed = false;

  async function end(found: Live, why: BerthError): Promise<void> {
    live.delete(found);
    await found.sandbox.stop(why);
    await endLeftSandbox(left, found.ref.id);
  }

  function open(ref: SandboxRef, spec: SandboxSpec, root: string | null, deployment: string) {
    const opened = openLocalSandbox({
      id: ref.id,
      deployment,
      layout,
      clock,
      environment,
      shell,
      search,
      warn,
    });
    if (root !== null) opened.root = root;
    return opened;
  }

  return {
    kind: "local-process",
    derivedWorkspaceId: (place) => derivedWorkspaceId(layout.installation, place),
    workspaces,
    probe: async () => capabilities,
    hosts: async () => [
      {
        name: host,
        url: "local-process://local",
        healthy: !closed,
        draining: closed,
        live: live.size,
        freeMemoryBytes: freemem(),
        freeSlots: Math.max(0, maxSandboxes - live.size),
      },
    ],
    create: (ref, spec, given) =>
      inTurn(ref.id, async () => {
        checkSandboxId(ref.id);
        if (closed) throw stopping();
        const existing = live.find(ref.id);
        if (existing !== null) return live.info(live.get(ref.id, given.incarnation));
        if (live.size >= maxSandboxes) throw full(maxSandboxes);
        given.signal?.throwIfAborted();
        const root = spec.workspaceId === undefined ? null : await workspaces.prepare(spec.workspaceId);
        const sandbox = open(ref, spec, root, given.deployment);
        return live.info(live.add(ref, spec, { ...given, sandbox }));
      }),
    async get({ id }) {
      const found = live.find(id);
      return found === null ? null : live.info(found);
    },
    list: async (_, deployment) => ({
      items: live
        .all()
        .filter((each) => each.deployment === deployment)
        .map((each) => live.info(each)),
      unreadable: 0,
    }),
    renew: ({ id }, { incarnation, ttlMs }) =>
      inTurn(id, async () => {
        const found = live.get(id, incarnation);
        live.renew(found, ttlMs);
        return live.info(found);
      }),
    apply: ({ id }, { incarnation, policy }) =>
      inTurn(id, async () => {
        const found = live.get(id, incarnation);
        found.policy = shownPolicy(policy);
        return live.info(found);
      }),
    attach: ({ id }, { incarnation, workspaceId }) =>
      inTurn(id, async () => {
        const found = live.get(id, incarnation);
        if (found.workspaceId === workspaceId) return live.info(found);
        if (found.workspaceId !== null) throw attached();
        found.sandbox.root = await workspaces.prepare(workspaceId);
        found.workspaceId = workspaceId;
        return live.info(found);
      }),
    destroy: ({ id }, { incarnation }) =>
      inTurn(id, async () => {
        checkSandboxId(id);
        if (live.find(id) === null) return (await endLeftSandbox(left, id)) ? "destroyed" : "absent";
        await end(live.get(id, incarnation), lost());
        return "destroyed";
      }),
    connect: async ({ id }, { folder = "" } = {}) => {
      if (closed) throw stopping();
      const { sandbox } = live.get(id);
      await makeFolder(sandbox.root, folder);
      return sandbox.view(parsePath(folder));
    },
    sweep: (_, deployment) => inTurn("sweep", () => sweepLeftovers(left, deployment)),
    async close() {
      if (closed) return;
      closed = true;
      await Promise.all(live.all().map((each) => inTurn(each.ref.id, () => end(each, stopping()))));
      await search.close();
      await removeOwnRun(layout);
    },
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
