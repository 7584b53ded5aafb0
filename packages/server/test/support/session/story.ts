import type { AgentRef, BudgetNotice, EventData, SessionEvent, Usage } from "@berth/contract";
import { sessionEvent } from "@berth/contract";
import { hashJson } from "../../../src/lib/canonical-json.ts";
import { type RunPlan, startRun } from "../../../src/session/decide-run.ts";
import {
  approvalIdOf,
  askApproval,
  beginStep,
  type Block,
  delegate,
  finishStep,
  finishSubagent,
  finishTool,
  requestInput,
  startTool,
} from "../../../src/session/decide-step.ts";
import { effectiveEvents, fold } from "../../../src/session/fold.ts";
import { type NewEvent, placeOf, stamp } from "../../../src/session/new-event.ts";
import { finishRun } from "../../../src/session/decide-run.ts";
import {
  noUsage,
  root,
  type NamespaceState,
  type SessionState,
  type ToolCall,
} from "../../../src/session/state.ts";
import { epochMs, idOf, isoAt } from "./ids.ts";

export const person = { type: "user", id: idOf("user", 1) } as const;
export const agent: AgentRef = { id: idOf("agent", 1), version: 1, name: "main" };
export const helper: AgentRef = { id: idOf("agent", 2), version: 1, name: "helper" };
export const limits = { maxSteps: 50, maxDurationMs: 3_600_000, maxTokens: 1_000_000, maxDepth: 2 };
export const plan: RunPlan = { agent, model: "test/model", limits };

type ToolUse = Omit<EventData<"agent.tool_use">, "messageId" | "blockId">;

/** A tool call as a model would make it: a pure, allowed server tool unless told otherwise. */
export function call(number: number, change: Partial<ToolUse> = {}): ToolUse {
  const input = change.input ?? { number };
  const kind = { kind: "server", effect: "pure", permission: "allow" } as const;
  const own = { toolUseId: idOf("toolUse", number), name: `tool_${number}`, input };
  return { ...own, ...kind, inputHash: hashJson(input), ...change };
}

export const client = { kind: "client", effect: "once", timeoutMs: 60_000 } as const;
export const delegation = { kind: "delegate", effect: "pure", name: "delegate" } as const;

/** What a run is told when a budget is in its way. */
export function budgetReached(change: Partial<BudgetNotice> = {}): NewEvent<"budget.reached"> {
  const about = {
    budgetId: idOf("budget", 1),
    scope: "org",
    target: null,
    unit: "usd",
    period: "day",
  } as const;
  const rest = { limit: 5, spent: 5.01, onLimit: "pause", resetsAt: null } as const;
  return { type: "budget.reached", data: { budgets: [{ ...about, ...rest, ...change }] } };
}

export const spent = (inputTokens: number, outputTokens: number): Usage => ({
  ...noUsage,
  inputTokens,
  outputTokens,
});

/** A story of one session, told event by event. Each sentence adds valid events a second after the one before. */
export class Story {
  readonly events: SessionEvent[] = [];
  #now = epochMs;
  #runs = 0;
  #steps = 0;

  /** The state that the story led to. */
  get state(): SessionState {
    return fold(effectiveEvents(this.events));
  }

  get now(): number {
    return this.#now;
  }

  get seq(): number {
    return this.events.length;
  }

  /** Adds any events; they are stamped, and must be valid by the contract. */
  add(...events: readonly NewEvent[]): this {
    this.#now += 1_000;
    const place = { ...placeOf(this.state), seq: this.seq };
    for (const event of stamp(place, events, isoAt(this.#now))) {
      sessionEvent.parse(event);
      this.events.push(event);
    }
    return this;
  }

  later(ms: number): this {
    this.#now += ms;
    return this;
  }

  message(text: string, change: Partial<RunPlan> = {}): this {
    this.#runs += 1;
    const runId = idOf("run", this.#runs);
    const said = { type: "user.message", runId, data: { content: text, runId } } as const;
    return this.add(said, startRun(runId, { ...plan, ...change }));
  }

  steer(text: string): this {
    const runId = this.state.run?.id ?? "";
    return this.add({ type: "user.message", data: { content: text, runId, steered: true } });
  }

  think(namespace = root): this {
    this.#steps += 1;
    return this.add(beginStep(this.at(namespace), idOf("step", this.#steps)));
  }

  /** The model's answer to the open step: text, or calls. Costs 10 tokens in and 5 out. */
  answer(...said: readonly (string | ToolUse)[]): this {
    return this.answerIn(root, ...said);
  }

  answerIn(namespace: string, ...said: readonly (string | ToolUse)[]): this {
    const at = this.at(namespace);
    const stepId = at.step?.id ?? "";
    const blocks = said.map((one, blockId): Block =>
      typeof one === "string"
        ? { blockId, type: "text", text: one }
        : { blockId, type: "tool_use", call: one },
    );
    const messageId = stepId.replace(/^stp_/, "msg_");
    const finish = said.some((one) => typeof one !== "string") ? "tool_calls" : "stop";
    const numbers = { usage: spent(10, 5), cost: 0.5, ttftMs: 100, durationMs: 1_000 } as const;
    return this.add(
      ...finishStep({ namespace, stepId, messageId, blocks, model: at.model, finish, ...numbers }),
    );
  }

  asks(number: number, expiresAt = isoAt(this.#now + 60_000)): this {
    const { at, call: one } = this.find(number);
    return this.add(askApproval(this.state, at, one, expiresAt));
  }

  decided(number: number, change: Partial<EventData<"approval.decided">> = {}): this {
    const { at } = this.find(number);
    const toolUseId = idOf("toolUse", number);
    const data = { approvalId: approvalIdOf(toolUseId), toolUseId, decision: "allow", ...change } as const;
    return this.add({ type: "approval.decided", namespace: at.name, actor: person, data });
  }

  starts(number: number): this {
    const { at, call: one } = this.find(number);
    return this.add(startTool(at, one, 1));
  }

  requests(number: number): this {
    const { at, call: one } = this.find(number);
    return this.add(requestInput(at, one, isoAt(this.#now + 60_000)));
  }

  delegates(number: number, to: AgentRef = helper, task = `task ${number}`): this {
    const { at, call: one } = this.find(number);
    return this.add(delegate(this.state, at, one, { agent: to, model: "test/small", task }));
  }

  returns(number: number, content = `result ${number}`, ok = true): this {
    const { at, call: one } = this.find(number);
    const failed = ok ? {} : { errorType: "runtime" as const };
    return this.add(finishTool(at.name, one, { ok, content, durationMs: 5, ...failed }));
  }

  reports(namespace: string): this {
    return this.add(...finishSubagent(this.at(namespace)));
  }

  ends(reason: "end_turn" | "interrupted" | "error" = "end_turn", manifest?: string): this {
    const kept = manifest === undefined ? {} : { manifest };
    return this.add(...finishRun(this.state, { reason, now: this.#now + 1_000, ...kept }));
  }

  /** A whole run of one question and one answer. */
  turn(text: string, answer = `answer to ${text}`): this {
    return this.message(text).think().answer(answer).ends();
  }

  at(namespace = root): NamespaceState {
    const found = this.state.namespaces[namespace];
    if (found === undefined) throw new Error(`the story has no namespace ${JSON.stringify(namespace)} now`);
    return found;
  }

  find(number: number): { at: NamespaceState; call: ToolCall } {
    const toolUseId = idOf("toolUse", number);
    for (const at of Object.values(this.state.namespaces)) {
      const found = at.calls.find((one) => one.toolUseId === toolUseId);
      if (found !== undefined) return { at, call: found };
    }
    throw new Error(`the story has no call ${number} now`);
  }
}

/** A story that begins with a session of `agent`, owned by `person`. */
export function story(change: Partial<EventData<"session.created">> = {}): Story {
  const data = { agent, owner: person.id, key: null, title: null, metadata: {}, model: null, ...change };
  const begun = new Story();
  const place = { sessionId: idOf("session", 1), seq: 0, runId: null, agentId: agent.id };
  begun.events.push(...stamp(place, [{ type: "session.created", actor: person, data }], isoAt(epochMs)));
  return begun;
}
