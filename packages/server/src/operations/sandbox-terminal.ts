import type { Principal } from "../auth/principal.ts";
import type { ProcessEvent } from "../sandbox/sandbox.ts";
import { auditDraft } from "./audit-draft.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { processNotFound } from "./sandbox-access.ts";
import { sandboxToUse } from "./sandbox-agent.ts";

export interface TerminalRequest {
  readonly sandboxId: string;
  readonly columns: number;
  readonly rows: number;
  /** Default: a login shell. */
  readonly command?: string;
  readonly cwd?: string;
  /** It goes on when it is closed. */
  readonly keep: boolean;
  /** One that was kept, instead of a new one. */
  readonly process?: string;
  /** Offset of its output to begin at. */
  readonly from: number;
  readonly origin: Origin;
}

/** A terminal in a sandbox. Whoever opened it closes it. */
export interface Terminal {
  readonly process: string;
  /** Its output and then its end. Ends early when the signal aborts. */
  output(signal: AbortSignal): AsyncIterable<ProcessEvent>;
  write(data: Uint8Array): Promise<void>;
  resize(size: { readonly columns: number; readonly rows: number }): Promise<void>;
  /** Ends its process unless it is to be kept. Never rejects. */
  close(): Promise<void>;
}

const shell = "exec bash -l";

/** Rejects with `sandbox_not_found`, `process_not_found`, or `sandbox_unsupported` where there are no terminals. */
export async function openTerminal(
  context: OperationsContext,
  principal: Principal,
  request: TerminalRequest,
): Promise<Terminal> {
  const { sandboxId, columns, rows, command, cwd, keep, from, origin } = request;
  const { store, telemetry } = context;
  const { orgId } = principal;
  const { sandbox, environment: ofAgent } = await sandboxToUse(context, principal, { sandboxId, cwd });
  const process = request.process ?? (await begin());
  if (request.process !== undefined) await again(request.process);
  const audit = { action: "sandbox.terminal_opened", target: { type: "sandbox", id: sandboxId } };
  const ended = () => (keep ? Promise.resolve(false) : sandbox.kill(process));
  await store
    .org(orgId)
    .audit.append(auditDraft(principal, origin, { ...audit, details: { process } }))
    .catch(async (error: unknown) => {
      await ended();
      throw error;
    });
  telemetry.terminalOpened({ orgId, sandboxId });

  async function begin(): Promise<string> {
    const spec = { command: command ?? shell, pty: { columns, rows }, input: true };
    // No history file: what is typed would lie among the session's files, and in their archives.
    const environment = { HISTFILE: "", ...ofAgent, TERM: "xterm-256color" };
    return (await sandbox.spawn({ ...spec, environment, ...(cwd !== undefined && { cwd }) })).id;
  }

  async function again(id: string): Promise<void> {
    if (!(await sandbox.processes()).some((one) => one.id === id)) throw processNotFound(id);
    await sandbox.resize(id, { columns, rows });
  }

  return {
    process,
    output: (signal) => sandbox.attach(process, { from, signal }),
    write: (data) => sandbox.write(process, data),
    resize: (size) => sandbox.resize(process, size),
    async close() {
      telemetry.terminalClosed({ orgId, sandboxId });
      await ended().catch((error: unknown) => {
        telemetry.unexpectedError({ where: "terminal", error });
      });
    },
  };
}
