import type { InputBody } from "@berth/contract";
import type { InputContext, MailboxInput } from "../../../src/session/decide-input.ts";
import { epochMs, idOf } from "./ids.ts";
import { person, plan } from "./story.ts";

/** An input as the mailbox has it: input `number`, whose run, if it may begin one, is run 9`number`. */
export function input(number: number, body: InputBody, lane: MailboxInput["lane"] = "control"): MailboxInput {
  const begins = body.type === "user.message" || body.type === "run.retry";
  const runId = begins ? idOf("run", 90 + number) : null;
  return { id: idOf("input", number), lane, body, runId, actor: person };
}

export function message(number: number, content: string, lane: MailboxInput["lane"] = "queue"): MailboxInput {
  return input(number, { type: "user.message", content, onBusy: "enqueue" }, lane);
}

/** What a decision gets to know: nothing but the plan of a run, unless told. */
export function context(change: Partial<InputContext> = {}): InputContext {
  return { now: epochMs, plan, mailbox: [], partials: [], ...change };
}
