import type { ExecResult, ProcessOutput, SandboxProcess } from "@berth/contract";
import type { Principal } from "../auth/principal.ts";
import type { BackgroundProcess, ExecSpec, ProcessEvent, ProcessSpec, Sandbox } from "../sandbox/sandbox.ts";
import { auditDraft } from "./audit-draft.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { processNotFound, sandboxFor } from "./sandbox-access.ts";
import { sandboxToUse } from "./sandbox-agent.ts";
import { commandEnded, unlessStopping } from "./unless-stopping.ts";
import { timeText } from "./views.ts";

export type { ProcessEvent };

interface OfSandbox {
  readonly sandboxId: string;
}

interface OfProcess extends OfSandbox {
  readonly processId: string;
}

/** Background processes that are told of; the newest of them. */
const toldProcesses = 200;

/**
 * Runs a command to its end. It is ended when nobody waits for it any more. Rejects with `sandbox_not_found`, with `shutting_down` when the
 * server stops, and with what `Sandbox.exec` rejects with.
 */
export async function runCommand(
  context: OperationsContext,
  principal: Principal,
  { sandboxId, spec, origin }: OfSandbox & { readonly spec: ExecSpec; readonly origin: Origin },
): Promise<ExecResult> {
  return await unlessStopping(context, spec.signal, async (signal) => {
    const { sandbox, environment } = await sandboxToUse(context, principal, { sandboxId, cwd: spec.cwd });
    await told(context, principal, { sandboxId, origin, action: "sandbox.command_run" });
    const begun = sandbox.exec({ ...spec, signal, environment: { ...environment, ...spec.environment } });
    const result = await begun.catch((error: unknown) => {
      throw context.stopping.aborted ? commandEnded() : error;
    });
    if (result.reason === "killed" && context.stopping.aborted) throw commandEnded();
    return { ...result, durationMs: Math.round(result.durationMs * 10) / 10 };
  });
}

/** Starts a process that goes on after the request. Rejects as `runCommand` does. */
export async function startProcess(
  context: OperationsContext,
  principal: Principal,
  { sandboxId, spec, origin }: OfSandbox & { readonly spec: ProcessSpec; readonly origin: Origin },
): Promise<SandboxProcess> {
  const { sandbox, environment } = await sandboxToUse(context, principal, { sandboxId, cwd: spec.cwd });
  await told(context, principal, { sandboxId, origin, action: "sandbox.process_started" });
  const started = await sandbox.spawn({ ...spec, environment: { ...environment, ...spec.environment } });
  return processView(started);
}

/** Newest first, those that have ended too. */
export async function listProcesses(
  context: OperationsContext,
  principal: Principal,
  { sandboxId }: OfSandbox,
): Promise<{ readonly items: readonly SandboxProcess[] }> {
  const sandbox = await readable(context, principal, sandboxId);
  const all = (await sandbox.processes()).toSorted((a, b) => b.startedAt - a.startedAt);
  return { items: all.slice(0, toldProcesses).map(processView) };
}

/** A process and its output from an offset on. Rejects with `sandbox_not_found` or `process_not_found`. */
export async function readProcess(
  context: OperationsContext,
  principal: Principal,
  { sandboxId, processId, offset }: OfProcess & { readonly offset: number },
): Promise<ProcessOutput> {
  const sandbox = await readable(context, principal, sandboxId);
  const found = await sandbox.logs(processId, offset);
  if (found === null) throw processNotFound(processId);
  return { process: processView(found.process), text: found.text, nextOffset: found.nextOffset };
}

/** What follows its output from an offset on, as it comes, to its end. Rejects as `readProcess` does. */
export async function followProcess(
  context: OperationsContext,
  principal: Principal,
  { sandboxId, processId, from }: OfProcess & { readonly from: number },
): Promise<(signal: AbortSignal) => AsyncIterable<ProcessEvent>> {
  const sandbox = await readable(context, principal, sandboxId);
  const known = await sandbox.processes();
  if (!known.some(({ id }) => id === processId)) throw processNotFound(processId);
  return (signal) => sandbox.attach(processId, { from, signal });
}

/** Rejects with `sandbox_not_found` or `process_not_found`. */
export async function feedProcess(
  context: OperationsContext,
  principal: Principal,
  request: OfProcess & { readonly data?: string | undefined; readonly close?: boolean | undefined },
): Promise<void> {
  const { sandboxId, processId, data, close } = request;
  const sandbox = await usable(context, principal, sandboxId);
  if (data !== undefined) await sandbox.write(processId, Buffer.from(data));
  if (close === true) await sandbox.write(processId, null);
}

/** Kills a process and all that it started. Rejects with `sandbox_not_found` or `process_not_found`. */
export async function endProcess(
  context: OperationsContext,
  principal: Principal,
  { sandboxId, processId, origin }: OfProcess & { readonly origin: Origin },
): Promise<void> {
  const sandbox = await usable(context, principal, sandboxId);
  if (!(await sandbox.kill(processId))) throw processNotFound(processId);
  await told(context, principal, { sandboxId, origin, action: "sandbox.process_ended" });
}

/** To look at: no use of it. */
async function readable(
  context: OperationsContext,
  principal: Principal,
  sandboxId: string,
): Promise<Sandbox> {
  await sandboxFor({ context, principal, id: sandboxId, permission: "session:read" });
  return context.sandboxDirectory.connect(principal.orgId, sandboxId);
}

async function usable(context: OperationsContext, principal: Principal, sandboxId: string): Promise<Sandbox> {
  await sandboxFor({ context, principal, id: sandboxId, permission: "session:write" });
  return context.sandboxDirectory.connect(principal.orgId, sandboxId);
}

/** That somebody used a sandbox with their own hands: no session's log tells of it. What was run may hold secrets, and is not told. */
async function told(
  { store }: OperationsContext,
  principal: Principal,
  { sandboxId, origin, action }: OfSandbox & { readonly origin: Origin; readonly action: string },
): Promise<void> {
  const target = { type: "sandbox", id: sandboxId };
  await store.org(principal.orgId).audit.append(auditDraft(principal, origin, { action, target }));
}

function processView(process: BackgroundProcess): SandboxProcess {
  const { id, command, running, code, startedAt } = process;
  return { id, command, running, code, startedAt: timeText(startedAt) };
}
