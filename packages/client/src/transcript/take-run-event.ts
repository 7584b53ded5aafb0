import { type BudgetNotice, epochOfAttempt, type EventData, type SessionEvent } from "@berth/contract";
import type { Block } from "./block.ts";
import type { Blocks } from "./blocks.ts";
import { notice, placeOf } from "./take-model-event.ts";

type RunEvent = SessionEvent<
  | "subagent.started"
  | "subagent.finished"
  | "run.finished"
  | "session.rewound"
  | "session.resumed"
  | "input.refused"
  | "error"
  | "budget.reached"
  | "budget.warned"
  | "sandbox.allocated"
  | "sandbox.released"
>;

export function takeRunEvent(blocks: Blocks, event: RunEvent): void {
  switch (event.type) {
    case "subagent.started": {
      const { toolUseId, namespace: child, agent, task } = event.data;
      const key = subagentKey(event.runId, child);
      return blocks.put({
        ...placeOf(event),
        kind: "subagent",
        key,
        child,
        toolUseId,
        agent,
        task,
        reason: null,
      });
    }
    case "subagent.finished": {
      const { namespace: child, reason } = event.data;
      const block = blocks.find(subagentKey(event.runId, child));
      blocks.removeUnfinished((one) => one.namespace === child && isOfRun(one, event));
      if (block?.kind === "subagent") blocks.put({ ...block, reason });
      return;
    }
    case "run.finished":
      return finishRun(blocks, event);
    case "session.rewound":
      // What was undone leaves the screen. The run that a rewind ends has its end in the log before it; live text is of a later one.
      return blocks.remove((block) => block.seq !== null && block.seq > event.data.toSeq);
    case "session.resumed":
      // Model calls died with their server and their text is written anew. It may be on the screen already: this event is written
      // with the first thing that comes of going on.
      return blocks.removeUnfinished(
        (_, origin) => origin === undefined || epochOfAttempt(origin.attempt) < event.data.epoch,
      );
    case "input.refused":
      return blocks.put({ ...notice(event, event.data.message, "error"), code: event.data.code });
    case "error":
      return blocks.put({ ...notice(event, event.data.message, "error"), code: event.data.code });
    case "budget.reached": {
      const used = event.data.budgets.map(nameOf).join(" and of ");
      return blocks.put(notice(event, `Nothing is left of ${used}: the run waits until there is more.`));
    }
    case "budget.warned": {
      const { budget } = event.data;
      return blocks.put(notice(event, `Of ${nameOf(budget)} ${amountOf(budget, budget.spent)} are spent.`));
    }
    case "sandbox.allocated":
      return blocks.put(notice(event, givenText(event.data)));
    case "sandbox.released":
      return blocks.put(notice(event, releasedText(event.data)));
  }
}

function releasedText({ reason }: EventData<"sandbox.released">): string {
  // Its files are on the host's disk: whether they are lost is known, and said, when somebody needs them.
  if (reason === "host_lost") return "The sandbox was lost with its host (host_lost).";
  return `The sandbox was taken back (${reason}); the files stay.`;
}

function givenText({ provider, isolation, warm, ms }: EventData<"sandbox.allocated">): string {
  const kind = isolation === "none" ? `${provider}, not isolated` : `${provider}, isolated`;
  return `Commands run in a sandbox (${kind}; ${warm ? "it was ready" : "made"} in ${Math.round(ms)} ms).`;
}

function nameOf(budget: BudgetNotice): string {
  const { scope, period, limit } = budget;
  const time = period === "total" ? "" : ` a ${period}`;
  return `the ${scope === "org" ? "organization" : scope}'s budget of ${amountOf(budget, limit)}${time}`;
}

function amountOf({ unit }: BudgetNotice, amount: number): string {
  return unit === "usd" ? `${amount} dollars` : `${amount} tokens`;
}

/** Sub-agents are numbered within their run. */
function subagentKey(runId: string | undefined, child: string): string {
  return `${runId ?? ""}:${child}`;
}

/** Live text can be ahead of the log: that of the next run stays. */
function isOfRun(block: Block, { runId }: SessionEvent): boolean {
  return block.runId === null || runId === undefined || block.runId === runId;
}

function finishRun(blocks: Blocks, event: SessionEvent<"run.finished">): void {
  const { reason, usage, cost, error, recovery } = event.data;
  blocks.removeUnfinished((block) => isOfRun(block, event));
  blocks.put({
    ...placeOf(event),
    kind: "run",
    key: `event:${event.seq}`,
    reason,
    usage,
    cost,
    error: error ?? null,
    recovery: recovery ?? [],
  });
}
