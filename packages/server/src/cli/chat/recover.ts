import { type BerthClient, type RunResult, type Session, type SendReply } from "@berth/client";
import { formatCursor } from "@berth/contract";
import { oneLine } from "../terminal/safe-text.ts";
import { runTurn, type TurnContext } from "./turn.ts";

/** Shows what can be done about a run that failed. */
export function recoveryLines({ recovery }: Pick<RunResult["run"], "recovery">): string {
  return recovery.map(({ label }, at) => `  ${at + 1}  ${oneLine(label, 200)}\n`).join("");
}

export interface Recovered {
  /** The run that went on, null when nothing was chosen. */
  readonly result: RunResult | null;
  /** Another session to talk in: a fork. */
  readonly sessionId: string | null;
}

/** Asks which way out of a failed run to take, takes it, and watches what comes of it. */
export async function recover(
  client: BerthClient,
  context: TurnContext,
  failed: RunResult,
): Promise<Recovered> {
  const nothing = { result: null, sessionId: null };
  const { recovery } = failed.run;
  if (recovery.length === 0 || context.lines === null) return nothing;
  context.printer.out(recoveryLines(failed.run));
  const answer = await context.lines.answer(`What now? 1-${recovery.length}, or Enter for nothing: `, {
    signal: context.signal,
  });
  const chosen = recovery[Number(answer?.trim() || 0) - 1];
  if (chosen === undefined) return nothing;
  const { generation, lastSeq } = await context.session.get();
  const reply = (await client.runs.recover(chosen)) as Partial<SendReply & Session>;
  if (chosen.action === "fork" && reply.id !== undefined) return { result: null, sessionId: reply.id };
  const runId = reply.inputs?.[0]?.runId;
  if (runId === undefined || runId === null) return nothing;
  return {
    result: await runTurn(context, { runId, after: formatCursor(generation, lastSeq) }),
    sessionId: null,
  };
}
