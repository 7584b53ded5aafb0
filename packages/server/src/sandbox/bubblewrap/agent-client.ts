import type { Clock } from "../../lib/clock.ts";
import { BerthError } from "../../lib/errors.ts";
import { parsePath } from "../files/workspace-path.ts";
import { createBackground } from "../output/background.ts";
import { execute } from "../output/exec.ts";
import type { StartProcess } from "../output/running-process.ts";
import type { EndReason, Sandbox } from "../sandbox.ts";
import { type CommandOptions, createCommands } from "./agent-commands.ts";
import { AgentConnection, type AgentStreams } from "./agent-connection.ts";
import type { AgentProcess } from "./agent-process.ts";
import { createPorts } from "./agent-port.ts";

const defaultReadyMs = 10_000;
const healthMs = 250;

export interface AgentOptions extends AgentStreams, CommandOptions {
  /** For the agent's first word. Default: 10 s. */
  readonly readyMs?: number;
}

/** What is done by the agent; files and metrics are not. */
export type SandboxCommands = Omit<Sandbox, "id" | "files" | "metrics">;

export interface AgentClient {
  /** As seen from a folder of the workspace, which must be there when a command is started. All folders have the same processes. */
  inFolder(folder: string): SandboxCommands;
  /** Resolves with the reason when the sandbox is of no use any more and is to be destroyed; not by `close`. */
  readonly lost: Promise<string>;
  /** Gives what ends all that runs now, for a reason that its callers are told; nothing that begins later. */
  endingOfCommands(): (reason: EndReason) => Promise<void>;
  /** What runs is told as killed; nothing can be started any more. To be called before the sandbox is ended. Idempotent. */
  close(): void;
}

/**
 * Takes over the connection to a sandbox's agent. The agent is not trusted: what it says is checked, and the first thing
 * that an honest one would not say ends the connection. Rejects with `sandbox_lost` when it does not start.
 */
export async function connectAgent(options: AgentOptions): Promise<AgentClient> {
  const { clock, readyMs = defaultReadyMs } = options;
  const connection = new AgentConnection(options, { clock, readyMs });
  const ending = new AbortController();
  const background = createBackground(clock);
  const commands = createCommands(options, connection);
  const ports = createPorts(connection, clock);
  await connection.ready;

  return {
    lost: connection.lost,
    endingOfCommands: () => commands.endingOfAll(),
    close() {
      ending.abort();
      connection.close();
    },
    inFolder(folder) {
      const base = parsePath(folder);
      const place = (cwd = "") => [...base, ...parsePath(cwd)].join("/");
      return {
        async exec(spec) {
          if (spec.oneshot === true) throw oneshot();
          const cwd = place(spec.cwd);
          const begun: AgentProcess[] = [];
          const start: StartProcess = async (onOutput) => {
            const process = commands.start(spec, cwd, onOutput);
            begun.push(process);
            return process;
          };
          const result = await execute({ spec, clock, ending: ending.signal, start });
          await begun[0]?.started;
          return result;
        },
        async spawn(spec) {
          const cwd = place(spec.cwd);
          return await background.start(spec, async (onOutput) => {
            const process = commands.start(spec, cwd, onOutput);
            if (!(await process.started) && connection.ended !== null) throw connection.ended;
            return process;
          });
        },
        processes: background.processes,
        logs: background.logs,
        attach: background.attach,
        write: background.write,
        resize: background.resize,
        kill: background.kill,
        listening: () => connection.listening(),
        openPort: (port) => ports.open(port),
        health: () => health(connection, clock),
      };
    },
  };
}

async function health(connection: AgentConnection, clock: Clock): Promise<{ ok: boolean; problem?: string }> {
  const late = Promise.withResolvers<{ ok: boolean; problem: string }>();
  const timer = clock.after(healthMs, () =>
    late.resolve({ ok: false, problem: `The sandbox did not answer within ${healthMs} ms.` }),
  );
  const answer = connection.ping().then(
    () => ({ ok: true }),
    (error: unknown) => ({ ok: false, problem: error instanceof Error ? error.message : String(error) }),
  );
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    timer.cancel();
  }
}

function oneshot(): BerthError {
  return new BerthError("sandbox_unsupported", "A sandbox that runs cannot be one for a single command.");
}
