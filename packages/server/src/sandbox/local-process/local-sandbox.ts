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
  /** Whose the processes are when their server is gone. */
  readonly deployment: string;
  readonly layout: Layout;
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string>>;
  readonly shell: string;
  readonly search: Search;
  readonly warn: (details: Readonly<Record<string, unknown>>, message: string) => void;
}

/** One sandbox and its processes. */
export interface LocalSandbox {
  /** Its workspace's path; a folder of its own until it has one. */
  root: string;
  /** As seen from a folder of the workspace. */
  view(base: readonly string[]): Sandbox;
  /** Ends everything that runs in it; what is asked of it after that is refused with this error. */
  stop(why: BerthError): Promise<void>;
}

/** Makes the sandbox's own folder when it is missing. */
export function openLocalSandbox(spec: LocalSandboxSpec): LocalSandbox {
  const { id, layout, clock, warn } = spec;
  const temporary = `${layout.own.temporary}/${id}`;
  mkdirSync(temporary, { recursive: true, mode: 0o700 });
  const background = createBackground(clock);
  const trees = new Set<ProcessTree>();
  const starts = new Set<Promise<ProcessTree>>();
  const ending = new AbortController();
  const held = { root: temporary };

  function assertAlive(): void {
    if (ending.signal.aborted) throw ending.signal.reason;
  }

  async function start(
    command: string,
    names: { base: readonly string[]; cwd: string },
    onOutput: (chunk: Buffer) => void,
  ): Promise<ProcessTree> {
    assertAlive();
    const { root } = held;
    const place = { root, base: names.base, names: parsePath(names.cwd) };
    const starting = withFolder(place, (folder) =>
      startTree({
        command,
        cwd: folder.path,
        environment: { ...spec.environment, HOME: root, TMPDIR: temporary },
        shell: spec.shell,
        markPrefix: `${layout.installation}.${id}`,
        deployment: spec.deployment,
        records: layout.own.processes,
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

  function view(base: readonly string[]): Sandbox {
    return {
      id,
      files: createFiles({
        root: () => {
          assertAlive();
          return held.root;
        },
        base,
        staging: layout.own.staging,
        trash: layout.own.trash,
        search: spec.search,
        onLeft: (error) =>
          warn({ sandbox: id, error }, "a deleted folder could not be emptied; the next start tries again"),
      }),
      exec: async (exec) => {
        if (exec.oneshot === true) throw unsupported("A sandbox for one command");
        return await execute({
          spec: exec,
          clock,
          ending: ending.signal,
          start: (onOutput) => start(exec.command, { base, cwd: exec.cwd ?? "" }, onOutput),
        });
      },
      spawn: ({ command, cwd }) =>
        background.start({ command }, (onOutput) => start(command, { base, cwd: cwd ?? "" }, onOutput)),
      processes: background.processes,
      logs: background.logs,
      kill: background.kill,
      // oxlint-disable-next-line require-yield
      async *attach() {
        throw unsupported("Following a process");
      },
      write: () => Promise.reject(unsupported("Input of a process")),
      resize: () => Promise.reject(unsupported("A terminal")),
      openPort: () => Promise.reject(unsupported("A port")),
      listening: async () => [],
      metrics: async () => ({
        memoryBytes: null,
        memoryPeakBytes: null,
        cpuMs: null,
        pids: null,
        diskBytes: null,
        oomKills: null,
      }),
      health: async () => (ending.signal.aborted ? { ok: false, problem: "it was ended" } : { ok: true }),
    };
  }

  return {
    get root() {
      return held.root;
    },
    set root(path) {
      held.root = path;
    },
    view,
    async stop(why) {
      ending.abort(why);
      await Promise.allSettled(starts);
      await Promise.all([...trees].map((tree) => tree.kill()));
    },
  };
}

function unsupported(what: string): BerthError {
  return new BerthError("sandbox_unsupported", `${what} is not to be had in a sandbox of plain processes.`);
}
