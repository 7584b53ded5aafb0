import {
  type AcceptedInput,
  type BerthClient,
  BerthInputRefusedError,
  createTranscript,
  type FollowedEvent,
  type FollowState,
  type RunHandlers,
  type RunResult,
  type SessionEvent,
  type SessionHandle,
} from "@berth/client";
import { advised } from "../advice.ts";
import type { Printer } from "../terminal/io.ts";
import { decideHere } from "./decide-here.ts";
import type { Interrupter } from "./interrupter.ts";
import type { LineReader } from "./line-reader.ts";
import { createRenderer } from "./renderer.ts";

export interface TurnContext {
  readonly client: BerthClient;
  readonly session: SessionHandle;
  readonly printer: Printer;
  /** Null when nobody can be asked. */
  readonly lines: LineReader | null;
  /** Approve whatever is asked. */
  readonly yes: boolean;
  /** Stops watching. */
  readonly signal: AbortSignal;
  /** Is told which run it would interrupt. */
  readonly interrupter?: Interrupter;
  /** Shows nothing but what has to be said. */
  readonly quiet?: boolean;
}

/** A message to send, or a run that goes on. */
export type TurnStart = { readonly text: string } | { readonly runId: string; readonly after: string };

/** One run from its message to its end, shown as it happens. Null when the message was refused. */
export async function runTurn(context: TurnContext, start: TurnStart): Promise<RunResult | null> {
  const { session, printer } = context;
  const transcript = createTranscript();
  const renderer = createRenderer(printer, { messages: false });
  const onEvent = (event: FollowedEvent) => {
    const changes = transcript.apply(event);
    // Without a word, a run that waits for its budget looks like one that hangs.
    if (context.quiet === true && event.type !== "budget.reached") return;
    renderer.show(changes);
    if (event.type === "budget.reached") renderer.line(howToGoOn(event));
    if (event.type === "todo.changed") renderer.todos(event.data.todos);
  };
  const handlers: RunHandlers = {
    ...answering(context),
    onEvent,
    onState: connectionLines(printer),
    signal: context.signal,
  };
  try {
    if ("text" in start) {
      const onAccepted = ({ runId }: AcceptedInput) => context.interrupter?.accepted(runId);
      return await session.run({ ...handlers, text: start.text, onAccepted });
    }
    context.interrupter?.accepted(start.runId);
    return await session.join(start.runId, { ...handlers, after: start.after });
  } catch (error) {
    if (!(error instanceof BerthInputRefusedError)) throw error;
    printer.err(`The message was refused: ${advised(error.message)}\n`);
    return null;
  } finally {
    renderer.end();
  }
}

function answering({ client, lines, printer, yes, interrupter, signal: watching }: TurnContext): RunHandlers {
  const interrupted = () => watching.aborted || interrupter?.pressed === true;
  // People answer one question at a time.
  let before: Promise<unknown> = Promise.resolve();
  return {
    onApproval(request, { signal }) {
      if (yes) return Promise.resolve({ decision: "allow", note: "allowed by --yes" });
      if (lines === null) {
        printer.err(
          `${request.name} needs an approval and nobody is here to ask: denied. Use --yes to allow everything.\n`,
        );
        return Promise.resolve({
          decision: "deny",
          note: "Nobody is here to ask, so this is not possible now.",
        });
      }
      const answer = before.then(() => decideHere(client, request, { printer, lines, signal, interrupted }));
      before = answer.catch(() => {});
      return answer;
    },
  };
}

function howToGoOn({ runId, data }: SessionEvent<"budget.reached">): string {
  const id = data.budgets[0]?.budgetId ?? "BUDGET";
  return [
    `Whoever may set budgets lets it go on with  ./berth budget raise ${id} --limit AMOUNT`,
    `or this run alone with  ./berth budget allow ${id} --run ${runId ?? "RUN"} --amount AMOUNT`,
  ].join("\n");
}

/** Says once that the connection is gone, and once that it is back. */
function connectionLines(printer: Printer): (state: FollowState) => void {
  let lost = false;
  return ({ status }) => {
    if (status === "reconnecting" && !lost)
      printer.err("\n(connection lost, connecting again; the run goes on)\n");
    if (status === "connected" && lost) printer.err("(connected again)\n");
    lost = status === "reconnecting";
  };
}
