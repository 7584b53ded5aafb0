import type { Clock } from "../../lib/clock.ts";
import { BerthError } from "../../lib/errors.ts";
import { checkedEnvironment } from "../output/command-environment.ts";
import type { ProcessEnd } from "../output/running-process.ts";
import type { EndReason, ExecSpec, ProcessSpec } from "../sandbox.ts";
import type { AgentConnection, HostMessage } from "./agent-connection.ts";
import { checkedCommand, proxyEnvironment } from "./agent-environment.ts";
import { type AgentProcess, checkedSize, startProcess } from "./agent-process.ts";

export interface CommandOptions {
  readonly clock: Clock;
  /** All that commands see of the environment, besides their own and the proxy's. */
  readonly environment: Readonly<Record<string, string>>;
  /** Whether programs are told where the policy proxy is. */
  readonly proxy: boolean;
  /** Commands at the same time, as it is now. */
  readonly maxProcesses: () => number;
  /** Asked when a command failed that nobody ended: `oom` or `disk_full`, where that is why; null where it is not known. */
  readonly explain?: (end: ProcessEnd) => Promise<EndReason | null>;
}

type CommandSpec = Omit<ProcessSpec, "cwd"> & Pick<ExecSpec, "stdin">;

/** The commands of one sandbox, however they were asked for. */
export function createCommands(options: CommandOptions, connection: AgentConnection) {
  const { clock, maxProcesses, explain = async () => null } = options;
  const environment = { ...options.environment, ...(options.proxy ? proxyEnvironment : {}) };
  const running = new Set<AgentProcess>();

  return {
    /** `cwd`: below the workspace, checked. Throws when there are too many already. */
    start(spec: CommandSpec, cwd: string, onOutput: (chunk: Buffer) => void): AgentProcess {
      if (running.size >= maxProcesses()) throw tooManyCommands(maxProcesses());
      const message = { ...startMessage(spec, environment), cwd };
      const begun = { connection, clock, message, explain, onOutput };
      const process = startProcess(spec.stdin === undefined ? begun : { ...begun, stdin: spec.stdin });
      running.add(process);
      void process.ended.then(() => running.delete(process));
      return process;
    },
    /** Gives what ends all that runs now, and nothing that begins later. */
    endingOfAll(): (reason: EndReason) => Promise<void> {
      const begun = [...running];
      return async (reason) => {
        const left = begun.filter((process) => running.has(process));
        await Promise.all(left.map((process) => process.end(reason)));
      };
    },
  };
}

function startMessage(spec: CommandSpec, base: Readonly<Record<string, string>>) {
  const { pty, stdin, input = false } = spec;
  const terminal = pty === undefined ? {} : { TERM: "xterm-256color", SHELL: "/bin/bash" };
  return {
    type: "start",
    command: checkedCommand(spec.command),
    environment: { ...base, ...terminal, ...checkedEnvironment(spec.environment) },
    input: stdin !== undefined || pty !== undefined || input,
    ...(pty === undefined ? {} : { terminal: checkedSize(pty) }),
  } satisfies Partial<HostMessage>;
}

/** More commands at once than a sandbox may have. */
export function tooManyCommands(most: number): BerthError {
  const message = `${most} commands are running already; end one of them first.`;
  return new BerthError("too_many_processes", message);
}
