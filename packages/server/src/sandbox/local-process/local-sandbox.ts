import type { Clock } from "../../lib/clock.ts";
import { BerthError } from "../../lib/errors.ts";
import { type Background, createBackground } from "../output/background.ts";
import { execute } from "../output/exec.ts";
import type { Sandbox, SandboxFiles } from "../sandbox.ts";
import type { Commands } from "./commands.ts";

export interface LocalSandbox {
  readonly commands: Commands;
  readonly background: Background;
}

export function openLocalSandbox(commands: Commands, clock: Clock): LocalSandbox {
  return { commands, background: createBackground(clock) };
}

/** What a sandbox is seen with. */
export interface ViewOf {
  readonly id: string;
  readonly clock: Clock;
  /** Its workspace's path, or that of a folder of its own while it has none. */
  readonly root: string;
  /** The folder of the workspace that paths and commands begin in. */
  readonly base: readonly string[];
  readonly files: SandboxFiles;
}

/** A sandbox as its users have it. */
export function viewLocalSandbox({ commands, background }: LocalSandbox, of: ViewOf): Sandbox {
  const { id, clock, root, base, files } = of;
  const { ending, starter } = commands;
  return {
    id,
    files,
    async exec(spec) {
      if (spec.oneshot === true) throw unsupported("A sandbox for one command");
      const { command, cwd, environment, stdin: input } = spec;
      const start = starter({ command, root, base, cwd, environment, input });
      return await execute({ spec, clock, ending, start });
    },
    async spawn(spec) {
      if (spec.pty !== undefined) throw unsupported("A terminal");
      const { command, cwd, environment } = spec;
      const input = spec.input === true ? "open" : undefined;
      return await background.start(spec, starter({ command, root, base, cwd, environment, input }));
    },
    processes: background.processes,
    logs: background.logs,
    attach: background.attach,
    write: background.write,
    resize: background.resize,
    kill: background.kill,
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
    health: async () => (ending.aborted ? { ok: false, problem: "it was ended" } : { ok: true }),
  };
}

function unsupported(what: string): BerthError {
  return new BerthError("sandbox_unsupported", `${what} is not to be had in a sandbox of plain processes.`);
}
