import type { SendableInput } from "@berth/contract";
import { requirePermission } from "../auth/permissions.ts";
import type { Principal } from "../auth/principal.ts";
import { BerthError, unreachable } from "../lib/errors.ts";
import { newId } from "../lib/id.ts";
import type { ApprovalRecord, Lane, NewInput, SessionRecord } from "../store/records.ts";
import { newInput } from "./accept-inputs.ts";
import { checkDecision } from "./check-decision.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { keepContent } from "./keep-content.ts";

interface Preparation {
  readonly context: OperationsContext;
  readonly principal: Principal;
  readonly origin: Origin;
  /** Null while it does not exist. */
  readonly session: SessionRecord | null;
}

export interface Prepared {
  readonly inputs: readonly NewInput[];
  readonly rejectIfBusy: boolean;
  /** Decided already: the request is refused unless the store knows it as a repetition. */
  readonly late: ApprovalRecord | null;
}

/**
 * What callers send, as mailbox inputs: lanes chosen, run ids minted, big images and files in the blob store, permissions and
 * decisions checked. Rejects with `forbidden`, `approval_not_found`, `already_decided`, `four_eyes`, `validation_failed`,
 * `tool_result_too_large` or `unknown_blob`.
 */
export async function prepareInputs(
  preparation: Preparation,
  bodies: readonly SendableInput[],
): Promise<Prepared> {
  const inputs: NewInput[] = [];
  let late: ApprovalRecord | null = null;
  for (const body of bodies) {
    if (body.type === "user.approval") {
      requirePermission(preparation.principal, "approval:decide");
      late = (await checkDecision(preparation, body)) ?? late;
    }
    inputs.push(await prepare(preparation, body));
  }
  const rejectIfBusy = bodies.some((body) => body.type === "user.message" && body.onBusy === "reject");
  return { inputs, rejectIfBusy, late };
}

async function prepare(preparation: Preparation, body: SendableInput): Promise<NewInput> {
  const { context, principal, origin } = preparation;
  const orgId = principal.orgId;
  switch (body.type) {
    case "user.message": {
      const content = await keepContent(context, orgId, body.content);
      const draft = { lane: laneOf(body), runId: newId("run"), body: { ...body, content } };
      return newInput(draft, principal, origin);
    }
    case "system.message": {
      const content = await keepContent(context, orgId, body.content);
      return newInput({ lane: "queue", body: { ...body, content } }, principal, origin);
    }
    case "user.interrupt":
    case "user.approval":
      return newInput({ lane: "control", body }, principal, origin);
    case "user.tool_result": {
      checkSize(context, body);
      const content = await keepContent(context, orgId, body.content);
      return newInput({ lane: "control", body: { ...body, content } }, principal, origin);
    }
    default:
      return unreachable(body);
  }
}

function laneOf({ onBusy }: Extract<SendableInput, { type: "user.message" }>): Lane {
  switch (onBusy) {
    case "enqueue":
    case "reject":
      return "queue";
    case "steer":
      return "steer";
    case "interrupt":
    case "rollback":
      return "control";
    default:
      return unreachable(onBusy);
  }
}

function checkSize(
  { settings }: OperationsContext,
  { content }: Extract<SendableInput, { type: "user.tool_result" }>,
): void {
  const texts =
    typeof content === "string" ? [content] : content.map((part) => (part.type === "text" ? part.text : ""));
  const size = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (size <= settings.toolResultBytes) return;
  throw new BerthError(
    "tool_result_too_large",
    `The result's text has ${size} bytes and may have ${settings.toolResultBytes}: send a shorter one, or a file.`,
  );
}
