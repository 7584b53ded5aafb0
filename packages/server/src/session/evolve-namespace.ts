import type { SessionEvent } from "@berth/contract";
import { compactItems } from "./context-window.ts";
import { addSpending, signalCall } from "./evolve-run.ts";
import { type GraphSignal, graph } from "./graph.ts";
import { bytesOf, itemTokens } from "./size.ts";
import { type ContextItem, type NamespaceState, newNamespace, root, type SessionState } from "./state.ts";
import { type CallSignal, isResolved } from "./tool-call.ts";

type NamespaceLevel =
  | "user.message"
  | "system.message"
  | "step.started"
  | "step.finished"
  | "agent.thinking"
  | "agent.message"
  | "agent.tool_use"
  | "agent.tool_started"
  | "agent.tool_result"
  | "subagent.started"
  | "subagent.finished"
  | "input.requested"
  | "context.compacted";

/** Events of one agent's own conversation: the session's, or a sub-agent's in its namespace. */
export function evolveNamespace(state: SessionState, event: SessionEvent<NamespaceLevel>): SessionState {
  switch (event.type) {
    case "user.message":
    case "system.message":
      return spokenTo(state, event);
    case "step.started":
      return startStep(state, event);
    case "step.finished":
      return finishStep(state, event);
    case "agent.thinking":
    case "agent.message":
      return say(state, event);
    case "agent.tool_use":
      return askForTool(state, event);
    case "agent.tool_started":
    case "input.requested":
      return signalCall(state, event.namespace, event.data.toolUseId, "start");
    case "agent.tool_result":
      return resolveCall(state, event);
    case "subagent.started":
      return startSubagent(state, event);
    case "subagent.finished":
      return finishSubagent(state, event);
    case "context.compacted":
      return compact(state, event);
  }
}

function spokenTo(state: SessionState, event: SessionEvent<"user.message" | "system.message">): SessionState {
  const kind = event.type === "user.message" ? "user" : "system";
  const said = addItem(state, root, { kind, seq: event.seq, content: event.data.content });
  return state.run === null ? said : change(said, root, (own) => walk(own, "spoken_to"));
}

function startStep(state: SessionState, event: SessionEvent<"step.started">): SessionState {
  const { model, estimatedTokens } = event.data;
  const step = { id: event.stepId ?? "", model, startedAt: Date.parse(event.at), estimatedTokens };
  const begun = change(state, event.namespace, (at) => ({ ...at, step, calls: [], lastText: "" }));
  return begun.run === null ? begun : { ...begun, run: { ...begun.run, steps: begun.run.steps + 1 } };
}

function finishStep(state: SessionState, event: SessionEvent<"step.finished">): SessionState {
  const { usage, cost, estimated } = event.data;
  const spent = addSpending(state, { usage, cost });
  return change(spent, event.namespace, (at) => {
    const reported = usage.inputTokens + usage.outputTokens;
    const tokens = estimated === true || reported === 0 ? at.tokens : { reported, since: 0 };
    return settle({ ...at, step: null, tokens });
  });
}

function say(state: SessionState, event: SessionEvent<"agent.thinking" | "agent.message">): SessionState {
  const { messageId, text } = event.data;
  if (event.type === "agent.message") {
    const said = addItem(state, event.namespace, { kind: "text", seq: event.seq, messageId, text });
    return change(said, event.namespace, (at) => ({ ...at, lastText: at.lastText + text }));
  }
  const { signature } = event.data;
  const item = {
    kind: "thinking",
    seq: event.seq,
    messageId,
    text,
    ...(signature !== undefined && { signature }),
  } as const;
  return addItem(state, event.namespace, item);
}

function askForTool(state: SessionState, event: SessionEvent<"agent.tool_use">): SessionState {
  const { toolUseId, messageId, name, input, signature } = event.data;
  const { kind, effect, permission, inputHash, timeoutMs } = event.data;
  const asked = addItem(state, event.namespace, {
    kind: "tool_use",
    seq: event.seq,
    messageId,
    toolUseId,
    name,
    input,
    ...(signature !== undefined && { signature }),
  });
  const call = {
    toolUseId,
    messageId,
    name,
    kind,
    effect,
    permission,
    input,
    inputHash,
    state: "pending",
  } as const;
  return change(asked, event.namespace, (at) => ({
    ...at,
    calls: [...at.calls, { ...call, timeoutMs: timeoutMs ?? null }],
  }));
}

function resolveCall(state: SessionState, event: SessionEvent<"agent.tool_result">): SessionState {
  const { toolUseId, name, ok, content, errorType, note, suggestions, sealed } = event.data;
  const signal: CallSignal = sealed ? "seal" : ok ? "succeed" : errorType === "denied" ? "deny" : "fail";
  const told = addItem(state, event.namespace, {
    kind: "tool_result",
    seq: event.seq,
    toolUseId,
    name,
    ok,
    content,
    ...(errorType !== undefined && { errorType }),
    ...(note !== undefined && { note }),
    ...(suggestions !== undefined && { suggestions }),
  });
  const resolved = change(signalCall(told, event.namespace, toolUseId, signal), event.namespace, settle);
  const call = state.namespaces[event.namespace]?.calls.find((one) => one.toolUseId === toolUseId);
  const touches = call?.kind === "server" && call.effect !== "pure";
  return touches ? { ...resolved, workspaceDirty: true, toolsTouched: true } : resolved;
}

function startSubagent(state: SessionState, event: SessionEvent<"subagent.started">): SessionState {
  const { toolUseId, namespace, agent, model, task, depth } = event.data;
  const parent = { namespace: event.namespace, toolUseId };
  const made = newNamespace({ name: namespace, agent, model, parent, depth });
  const started = signalCall(state, event.namespace, toolUseId, "start");
  const run = started.run === null ? null : { ...started.run, subagents: started.run.subagents + 1 };
  const withOwn = { ...started, run, namespaces: { ...started.namespaces, [namespace]: made } };
  return addItem(withOwn, namespace, { kind: "user", seq: event.seq, content: task });
}

function finishSubagent(state: SessionState, event: SessionEvent<"subagent.finished">): SessionState {
  const { [event.data.namespace]: gone, ...namespaces } = state.namespaces;
  const freed = gone === undefined ? 0 : itemsBytes(gone);
  return { ...state, namespaces, bytes: state.bytes - freed };
}

function compact(state: SessionState, event: SessionEvent<"context.compacted">): SessionState {
  const { usage, cost, tokensAfter } = event.data;
  const at = state.namespaces[event.namespace];
  if (at === undefined) return state;
  const items = compactItems(at.items, event);
  const smaller = { ...at, items, tokens: { reported: 0, since: tokensAfter } };
  const bytes = state.bytes - itemsBytes(at) + itemsBytes(smaller);
  const done = { ...state, bytes, namespaces: { ...state.namespaces, [event.namespace]: smaller } };
  return usage === undefined ? done : addSpending(done, { usage, cost: cost ?? null });
}

/** Where the graph goes once no step is open: by the calls that are still open. */
function settle(at: NamespaceState): NamespaceState {
  if (at.calls.length === 0) return walk(at, "answered");
  const open = at.calls.filter((call) => !isResolved(call.state));
  if (open.length === 0) return walk(at, "results_in");
  return walk(at, open.every((call) => call.kind === "delegate") ? "delegates_open" : "tools_open");
}

function walk(at: NamespaceState, signal: GraphSignal): NamespaceState {
  return { ...at, node: graph[at.node][signal] };
}

function addItem(state: SessionState, namespace: string, item: ContextItem): SessionState {
  const at = state.namespaces[namespace];
  if (at === undefined) return state;
  const tokens = { reported: at.tokens.reported, since: at.tokens.since + itemTokens(item) };
  const next = { ...at, items: at.items.append(item), tokens };
  return {
    ...state,
    bytes: state.bytes + bytesOf(item),
    namespaces: { ...state.namespaces, [namespace]: next },
  };
}

function change(
  state: SessionState,
  namespace: string,
  to: (at: NamespaceState) => NamespaceState,
): SessionState {
  const at = state.namespaces[namespace];
  if (at === undefined) return state;
  return { ...state, namespaces: { ...state.namespaces, [namespace]: to(at) } };
}

function itemsBytes(at: NamespaceState): number {
  let sum = 0;
  for (const item of at.items) sum += bytesOf(item);
  return sum;
}
