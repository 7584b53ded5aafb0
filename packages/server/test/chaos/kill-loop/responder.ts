import type { DecideBody, SessionEvent } from "@berth/contract";
import { sleep } from "../sleep.ts";
import type { Talk } from "./talk.ts";

/** Answers what a session asks for: decides its approvals and runs its client tools, each with a chance of coming twice or late. */
export function respond(talk: Talk, event: SessionEvent): void {
  if (event.type === "approval.requested") talk.world.track(decide(talk, event));
  if (event.type === "input.requested") talk.world.track(answer(talk, event));
}

async function decide(talk: Talk, { data }: SessionEvent<"approval.requested">): Promise<void> {
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

function decisionOf({ random, world }: Talk, tool: string, input: unknown): DecideBody {
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
async function decideOnce(talk: Talk, approvalId: string, body: DecideBody): Promise<void> {
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

async function answer(talk: Talk, { data }: SessionEvent<"input.requested">): Promise<void> {
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
