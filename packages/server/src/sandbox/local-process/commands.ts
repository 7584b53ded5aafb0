import type { Clock } from "../../lib/clock.ts";
import { withFolder } from "../files/folder.ts";
import { parsePath } from "../files/workspace-path.ts";
import { checkedEnvironment } from "../output/command-environment.ts";
import type { RunningProcess, StartProcess } from "../output/running-process.ts";
import type { Layout } from "./layout.ts";
import { startTree } from "./process-tree.ts";

export interface CommandsOf {
  readonly id: string;
  /** Whose the processes are when their server is gone. */
  readonly deployment: string;
  readonly layout: Layout;
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string>>;
  readonly shell: string;
  readonly temporary: string;
  readonly warn: (details: Readonly<Record<string, unknown>>, message: string) => void;
}

/** Where and how a command runs. */
export interface CommandSpec {
  readonly command: string;
  readonly root: string;
  readonly base: readonly string[];
  readonly cwd?: string | undefined;
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** All of its input; `open`: it comes later. Empty when absent. */
  readonly input?: Uint8Array | "open" | undefined;
}

/** The commands of one sandbox. */
export interface Commands {
  readonly starter: (spec: CommandSpec) => StartProcess;
  /** Aborts when the sandbox ends. */
  readonly ending: AbortSignal;
  /** Ends all; what is started after that is refused with this error. */
  stop(why: Error): Promise<void>;
}

export function createCommands(of: CommandsOf): Commands {
  const { id, layout, clock, temporary, warn } = of;
  const trees = new Set<RunningProcess>();
  const starts = new Set<Promise<RunningProcess>>();
  const ending = new AbortController();

  function begin(spec: CommandSpec, onOutput: (chunk: Buffer) => void): Promise<RunningProcess> {
    const { root, base, command, input } = spec;
    return withFolder({ root, base, names: parsePath(spec.cwd ?? "") }, (folder) =>
      startTree({
        command,
        input,
        cwd: folder.path,
        environment: {
          ...of.environment,
          ...checkedEnvironment(spec.environment),
          HOME: root,
          TMPDIR: temporary,
        },
        shell: of.shell,
        markPrefix: `${layout.installation}.${id}`,
        deployment: of.deployment,
        records: layout.own.processes,
        clock,
        onOutput,
        onLeft: ({ left }) => warn({ sandbox: id, left }, "processes of a command could not be ended"),
      }),
    );
  }

  return {
    ending: ending.signal,
    starter: (spec) => async (onOutput) => {
      ending.signal.throwIfAborted();
      const starting = begin(spec, onOutput);
      starts.add(starting);
      try {
        const tree = await starting;
        trees.add(tree);
        void tree.ended.finally(() => trees.delete(tree));
        return tree;
      } finally {
        starts.delete(starting);
      }
    },
    async stop(why) {
      ending.abort(why);
      await Promise.allSettled(starts);
      await Promise.all([...trees].map((tree) => tree.kill()));
    },
  };
}
