import { mkdirSync } from "node:fs";
import type { Clock } from "../../lib/clock.ts";
import { BerthError } from "../../lib/errors.ts";
import type { Sandbox } from "../sandbox.ts";
import { createBackground } from "../output/background.ts";
import { execute } from "../output/exec.ts";
import { createFiles } from "../files/files.ts";
import { withFolder } from "../files/folder.ts";
import type { Layout } from "./layout.ts";
import { type ProcessTree, startTree } from "./process-tree.ts";
import type { Search } from "../files/search.ts";
import { parsePath } from "../files/workspace-path.ts";

export interface LocalSandboxSpec {
  readonly id: string;
  readonly layout: Layout;
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string>>;
  readonly shell: string;
  readonly search: Search;
  readonly warn: (details: Readonly<Record<string, unknown>>, message: string) => void;
}

export interface LocalSandbox extends Sandbox {
  /** Ends everything that runs in it; it starts nothing after that. */
  stop(): Promise<void>;
}

/** One session's workspace and its processes. Makes the folders when they are missing. */
export function openLocalSandbox(spec: LocalSandboxSpec): LocalSandbox {
  const { id, layout, clock, warn } = spec;
  const root = `${layout.workspaces}/${id}`;
  const temporary = `${layout.temporary}/${id}`;
  for (const folder of [root, temporary]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const environment = { ...spec.environment, HOME: root, TMPDIR: temporary };
  const markPrefix = `${layout.installation}.${id}`;
  const background = createBackground(clock);
  const trees = new Set<ProcessTree>();
  const starts = new Set<Promise<ProcessTree>>();
  const ending = new AbortController();

  async function start(
    command: string,
    cwd: string,
    onOutput: (chunk: Buffer) => void,
  ): Promise<ProcessTree> {
    if (ending.signal.aborted) throw gone();
    const starting = withFolder({ root, names: parsePath(cwd) }, (folder) =>
      startTree({
        command,
        cwd: folder.path,
        environment,
        shell: spec.shell,
        markPrefix,
        records: layout.processes,
        clock,
        onOutput,
        onLeft: ({ left }) => warn({ sandbox: id, left }, "processes of a command could not be ended"),
      }),
    );
    starts.add(starting);
    try {
      const tree = await starting;
      trees.add(tree);
      void tree.ended.finally(() => trees.delete(tree));
      return tree;
    } finally {
      starts.delete(starting);
    }
  }

  return {
    id,
    files: createFiles({
      root,
      staging: layout.staging,
      trash: layout.trash,
      search: spec.search,
      onLeft: (error) =>
        warn({ sandbox: id, error }, "a deleted folder could not be emptied; the next start tries again"),
    }),
    exec: (exec) =>
      execute({
        spec: exec,
        clock,
        ending: ending.signal,
        start: (onOutput) => start(exec.command, exec.cwd ?? "", onOutput),
      }),
    spawn: ({ command, cwd }) => background.start({ command }, (onOutput) => start(command, cwd ?? "", onOutput)),
    processes: background.processes,
    logs: background.logs,
    kill: background.kill,
    // oxlint-disable-next-line require-yield
    async *attach() {
      throw unsupported();
    },
    write: () => Promise.reject(unsupported()),
    resize: () => Promise.reject(unsupported()),
    openPort: () => Promise.reject(unsupported()),
    listening: async () => [],
    metrics: async () => ({
      memoryBytes: null,
      memoryPeakBytes: null,
      cpuMs: null,
      pids: null,
      diskBytes: null,
      oomKills: null,
    }),
    health: async () => ({ ok: true }),
    async stop() {
      ending.abort();
      await Promise.allSettled(starts);
      await Promise.all([...trees].map((tree) => tree.kill()));
    },
  };
}

function unsupported(): BerthError {
  return new BerthError("sandbox_unsupported", "This is not possible in a sandbox of local processes.");
}

function gone(): BerthError {
  return new BerthError("sandbox_gone", "This sandbox was closed; connect to it again.", { retryable: true });
}
