import { accessSync, constants, existsSync } from "node:fs";
import { readdir, unlink } from "node:fs/promises";
import type { Clock } from "../../lib/clock.ts";
import { BerthError } from "../../lib/errors.ts";
import type { SessionPlace, SessionSandboxes } from "../../allocation/session-sandboxes.ts";
import { openRoot } from "../files/folder.ts";
import { killTree } from "./kill-tree.ts";
import { createLayout, type Layout, sandboxId } from "./layout.ts";
import { type LocalSandbox, openLocalSandbox } from "./local-sandbox.ts";
import { emptyTrash, removeTree } from "../files/remove-tree.ts";
import { createSearch } from "../files/search.ts";
import { readTreeRecords } from "./tree-record.ts";

export interface LocalProcessOptions {
  readonly dataDir: string;
  readonly clock: Clock;
  /** All that commands see of the environment, besides HOME, TMPDIR and the mark of their tree. */
  readonly environment: Readonly<Record<string, string>>;
  readonly log?: { warn(details: Readonly<Record<string, unknown>>, message: string): void };
}

const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Runs commands as plain processes of the server's own user: for one trusting user, because a command can do whatever that
 * user can. Files asked for through the port stay in the workspace, whatever links or renames there are. A process that
 * clears its environment, closes its descriptors and leaves its session and parents is not found when it is to be ended;
 * only an isolating provider ends that one too.
 */
export function createLocalProcess({
  dataDir,
  clock,
  environment,
  log,
}: LocalProcessOptions): SessionSandboxes {
  const layout = createLayout(dataDir);
  const search = createSearch({ clock });
  const shell = findShell();
  const sandboxes = new Map<string, LocalSandbox>();
  const inTurn = createTurns();
  const warn = (details: Readonly<Record<string, unknown>>, message: string) => log?.warn(details, message);
  const commandEnvironment = { PATH: defaultPath, ...environment };
  let closed = false;

  function open(id: string): LocalSandbox {
    if (closed)
      throw new BerthError("sandbox_gone", "The server is stopping; try again in a moment.", {
        retryable: true,
      });
    const known = sandboxes.get(id);
    if (known !== undefined) return known;
    const opened = openLocalSandbox({
      id,
      layout,
      clock,
      environment: commandEnvironment,
      shell,
      search,
      warn,
    });
    sandboxes.set(id, opened);
    return opened;
  }

  async function stop(id: string): Promise<void> {
    const known = sandboxes.get(id);
    sandboxes.delete(id);
    await known?.stop();
    await killLeftovers(layout, clock, `${layout.installation}.${id}.`);
  }

  const idOf = (spec: SessionPlace) => sandboxId(layout.installation, spec);
  return {
    kind: "local-process",
    probe: async () => ({
      isolation: "none",
      label: "not isolated",
      cgroup: "none",
      network: "open",
      diskQuota: "none",
      seccomp: false,
      pty: false,
      ports: false,
      reasons: ["Commands run as the server's own user and can do whatever that user can."],
    }),
    connect: (spec) => inTurn(idOf(spec), async () => open(idOf(spec))),
    workspace: (spec) => inTurn(idOf(spec), async () => open(idOf(spec)).files),
    files: (spec) =>
      inTurn(idOf(spec), async () => {
        const known = sandboxes.get(idOf(spec));
        if (known !== undefined) return known.files;
        return existsSync(`${layout.workspaces}/${idOf(spec)}`) ? open(idOf(spec)).files : null;
      }),
    release: (spec) => inTurn(idOf(spec), () => stop(idOf(spec))),
    destroy: (spec) =>
      inTurn(idOf(spec), async () => {
        await stop(idOf(spec));
        return (await removeSandbox(layout, idOf(spec), warn)) ? "destroyed" : "absent";
      }),
    reapLeftovers: () => reap(layout, clock),
    async close() {
      closed = true;
      await Promise.all([...sandboxes.keys()].map((id) => inTurn(id, () => stop(id))));
      await search.close();
    },
  };
}

async function reap(layout: Layout, clock: Clock): Promise<number> {
  const killed = await killLeftovers(layout, clock, `${layout.installation}.`);
  for (const name of await readdir(layout.staging)) await unlink(`${layout.staging}/${name}`);
  await emptyTrash(layout.trash);
  return killed;
}

/** Ends the trees that have a record and whose exec id begins with `prefix`. Returns how many processes. */
async function killLeftovers({ processes }: Layout, clock: Clock, prefix: string): Promise<number> {
  const records = readTreeRecords(processes, prefix);
  if (records.length === 0) return 0;
  const leaders = records.map((record) => record.leader).filter((leader) => leader !== null);
  const marked = (execId: string) => execId.startsWith(prefix);
  const { killed, left } = await killTree({ marked, leaders, since: 0 }, clock);
  if (left === 0) for (const record of records) record.remove();
  return killed;
}

async function removeSandbox(
  layout: Layout,
  id: string,
  warn: (details: Readonly<Record<string, unknown>>, message: string) => void,
): Promise<boolean> {
  const onLeft = (error: unknown) =>
    warn({ sandbox: id, error }, "a deleted workspace could not be emptied; the next start tries again");
  let found = false;
  for (const folder of [layout.temporary, layout.workspaces]) {
    const parent = await openRoot(folder);
    try {
      found = await removeTree({ parent, name: id, trash: layout.trash, onLeft });
    } finally {
      await parent.handle.close();
    }
  }
  return found;
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

/** Runs the calls of one key one after another. */
function createTurns() {
  const last = new Map<string, Promise<unknown>>();
  return async <T>(key: string, call: () => Promise<T>): Promise<T> => {
    const before = last.get(key) ?? Promise.resolve();
    const turn = before.then(call, call);
    last.set(key, turn);
    try {
      return await turn;
    } finally {
      if (last.get(key) === turn) last.delete(key);
    }
  };
}
