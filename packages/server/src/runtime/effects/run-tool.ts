import type { AgentRef, Todo } from "@berth/contract";
import { hashJson } from "../../lib/canonical-json.ts";
import type { Clock, TimerHandle } from "../../lib/clock.ts";
import { failpoint } from "../../lib/failpoint.ts";
import type { Sandbox, SandboxFiles } from "../../sandbox/sandbox.ts";
import type { ToolDone } from "../../session/decide-step.ts";
import type { ToolCall } from "../../session/state.ts";
import type { Tool, ToolContext, ToolEvent, ToolOutcome } from "../../tools/tool.ts";
import type { RuntimeContext } from "../context.ts";
import type { LiveText } from "../live-text.ts";

export interface ToolJob {
  readonly context: RuntimeContext;
  readonly live: LiveText;
  readonly orgId: string;
  /** Of the session: whose secrets its tools may come across. */
  readonly owner: string;
  readonly sessionId: string;
  readonly runId: string;
  readonly namespace: string;
  readonly agent: AgentRef;
  readonly call: ToolCall;
  readonly signal: AbortSignal;
  /** The signal ends the wait for one. */
  readonly sandbox: (signal: AbortSignal) => Promise<Sandbox>;
  readonly files: () => Promise<SandboxFiles>;
  readonly todos: () => readonly Todo[];
}

export interface ToolFinished {
  readonly done: ToolDone;
  readonly events: readonly ToolEvent[];
}

/** Runs one call with exactly the arguments that its hash stands for (I7). Never rejects. */
export async function runTool(job: ToolJob): Promise<ToolFinished> {
  const { context, call } = job;
  const startedAt = context.clock.monotonic();
  const tool = context.tools.get(call.name);
  const outcome = tool === null ? gone(call.name) : await attempt(job, tool);
  failpoint("runtime.tool-done");
  const durationMs = Math.round((context.clock.monotonic() - startedAt) * 10) / 10;
  const result = outcome.ok ? "ok" : outcome.errorType;
  const { orgId, sessionId, runId, namespace } = job;
  context.telemetry.toolFinished({
    orgId,
    sessionId,
    runId,
    namespace,
    toolUseId: call.toolUseId,
    tool: call.name,
    kind: "server",
    outcome: result,
    durationMs,
  });
  return {
    done: withoutSecrets(doneOf(outcome, durationMs), (text) => context.redact(text, job)),
    events: outcome.ok ? (outcome.events ?? []) : [],
  };
}

function gone(name: string): ToolOutcome {
  return {
    ok: false,
    errorType: "runtime",
    message: `The tool ${name} does not exist in this server any more.`,
  };
}

async function attempt(job: ToolJob, tool: Tool): Promise<ToolOutcome> {
  const { context, call } = job;
  if (hashJson(call.input) !== call.inputHash) {
    return {
      ok: false,
      errorType: "denied",
      message: "The arguments are not those that were approved, so the tool was not run.",
    };
  }
  const overTime = new AbortController();
  const timer = context.clock.after(tool.timeoutMs, () => overTime.abort());
  const signal = AbortSignal.any([job.signal, overTime.signal]);
  try {
    failpoint("runtime.before-tool");
    const running = tool.run(call.input, toolContext(job, signal));
    return await endingWith(context.clock, running, signal, () =>
      stopped(overTime.signal.aborted, tool.timeoutMs),
    );
  } catch (error) {
    const { orgId, sessionId, runId } = job;
    context.telemetry.unexpectedError({ where: `tool ${tool.name}`, error, orgId, sessionId, runId });
    const message = error instanceof Error ? error.message : String(error);
    return { ok: false, errorType: "runtime", message: `The tool failed: ${message}` };
  } finally {
    timer.cancel();
  }
}

/** A tool has this long to give back what it has after its signal; then the run goes on without it. Milliseconds. */
const graceMs = 500;

/** The tool's own outcome, or, when it does not answer its signal, ours. */
function endingWith(
  clock: Clock,
  running: Promise<ToolOutcome>,
  signal: AbortSignal,
  otherwise: () => ToolOutcome,
): Promise<ToolOutcome> {
  return new Promise((resolve, reject) => {
    let grace: TimerHandle | null = null;
    const onAbort = () => {
      grace = clock.after(graceMs, () => resolve(otherwise()));
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    const end = () => {
      grace?.cancel();
      signal.removeEventListener("abort", onAbort);
    };
    running.then(resolve, reject).finally(end);
  });
}

function stopped(overTime: boolean, timeoutMs: number): ToolOutcome {
  if (!overTime) return { ok: false, errorType: "aborted", message: "The tool was stopped." };
  return {
    ok: false,
    errorType: "timeout",
    message: `The tool did not finish within ${timeoutMs} ms.`,
    retryable: true,
  };
}

function toolContext(job: ToolJob, signal: AbortSignal): ToolContext {
  const { context, orgId, sessionId, runId, namespace, call, live } = job;
  const { toolUseId } = call;
  let told = 0;
  return {
    orgId,
    sessionId,
    runId,
    toolUseId,
    signal,
    now: () => context.clock.now(),
    sandbox: () => job.sandbox(signal),
    files: job.files,
    openPort: (port) => context.openPort({ orgId, sessionId, owner: job.owner, ...port }),
    todos: job.todos,
    async putBlob(data, mediaType) {
      const kept = mediaType?.startsWith("text/")
        ? Buffer.from(context.redact(Buffer.from(data).toString(), job))
        : data;
      const { hash, size } = await context.blobs.put(orgId, kept);
      return { hash, size, ...(mediaType !== undefined && { mediaType }) };
    },
    fetch: context.fetch,
    progress(written) {
      const text = context.redact(written, job);
      live.tell({ type: "agent.tool_progress", namespace, runId, data: { toolUseId, text, offset: told } });
      told += text.length;
    },
  };
}

/** A tool runs as the server's own user and may find its keys: they go no further than here. */
function withoutSecrets(done: ToolDone, redact: (text: string) => string): ToolDone {
  const { content, note, suggestions } = done;
  return {
    ...done,
    content:
      typeof content === "string"
        ? redact(content)
        : content.map((part) => (part.type === "text" ? { ...part, text: redact(part.text) } : part)),
    ...(note !== undefined && { note: redact(note) }),
    ...(suggestions !== undefined && { suggestions: suggestions.map(redact) }),
  };
}

function doneOf(outcome: ToolOutcome, durationMs: number): ToolDone {
  if (outcome.ok) {
    const { content, output, note } = outcome;
    return {
      ok: true,
      content,
      durationMs,
      ...(output !== undefined && { output }),
      ...(note !== undefined && { note }),
    };
  }
  const { errorType, message, retryable, suggestions, content, output } = outcome;
  return {
    ok: false,
    content: content === undefined ? message : `${message}\n\n${content}`,
    errorType,
    durationMs,
    ...(retryable !== undefined && { retryable }),
    ...(suggestions !== undefined && { suggestions: [...suggestions] }),
    ...(output !== undefined && { output }),
  };
}
