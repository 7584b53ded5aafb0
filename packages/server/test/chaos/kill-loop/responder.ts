import type { AcceptedInput, DecideBody, SendableInputBody, SessionEvent } from "@berth/contract";
import type { Random } from "../random.ts";
import { sleep } from "../sleep.ts";
import type { AgentKind } from "./agent-kind.ts";
import type { Called } from "./caller.ts";
import type { World } from "./world.ts";

/** A session for which somebody answers. */
export interface Answering {
  readonly kind: AgentKind;
  readonly random: Random;
  readonly world: World;
  send(events: readonly SendableInputBody[]): Promise<unknown>;
  /** Notes what one request was promised. */
  note(called: Called, events: readonly { type: string }[], inputs: readonly AcceptedInput[]): void;
}

/** Answers what a session asks for: decides its approvals and runs its client tools, each with a chance of coming twice or late. */
export function respond(talk: Answering, event: SessionEvent): void {
  if (event.type === "approval.requested") talk.world.track(decide(talk, event));
  if (event.type === "input.requested") talk.world.track(answer(talk, event));
}

async function decide(talk: Answering, { data }: SessionEvent<"approval.requested">): Promise<void> {
  const { random, kind } = talk;
  if (kind === "hasty" && random.chance(0.7)) return;
  await sleep(random.int(0, 120));
  const first = decisionOf(talk, data.name, data.input);
  const decisions: Promise<unknown>[] = [decideOnce(talk, data.approvalId, first)];
  if (random.chance(0.15))
    decisions.push(decideOnce(talk, data.approvalId, decisionOf(talk, data.name, data.input)));
  if (random.chance(0.08))
    decisions.push(talk.send([{ type: "user.interrupt", reason: "in a race with a decision" }]));
  await Promise.all(decisions);
}

function decisionOf({ random, world }: Answering, tool: string, input: unknown): DecideBody {
  const choice = random.weighted([
    [5, "allow"],
    [2, "deny"],
    [3, "edit"],
  ] as const);
  if (choice !== "edit") return { decision: choice, note: world.ledger.word("note") };
  const before = typeof input === "object" && input !== null ? input : {};
  if (tool === "bash_run")
    return { decision: "edit", input: { command: world.once.command("true").command } };
  return { decision: "edit", input: { ...before, content: world.ledger.word("edited") } };
}

/** By one of the two doors that there are. */
async function decideOnce(talk: Answering, approvalId: string, body: DecideBody): Promise<void> {
  const { random, world } = talk;
  if (random.chance(0.5)) {
    await talk.send([{ type: "user.approval", approvalId, ...body }]);
    return;
  }
  const called = await world.caller.call({ method: "POST", path: `/approvals/${approvalId}`, body });
  const { status, json } = called.reply;
  if (status !== 202) return;
  const { input } = json as { input: { id: string; position: number; runId: string | null } };
  talk.note(called, [{ type: "user.approval" }], [input]);
}

async function answer(talk: Answering, { data }: SessionEvent<"input.requested">): Promise<void> {
  if (data.name === "ask_in_vain") return;
  const { random, world } = talk;
  await sleep(random.int(0, 100));
  const result = () =>
    talk.send([
      {
        type: "user.tool_result",
        toolUseId: data.toolUseId,
        content: world.ledger.word("answer"),
        ok: random.chance(0.8),
      },
    ]);
  await Promise.all(random.chance(0.15) ? [result(), result()] : [result()]);
}
