import type { RuntimeHealth, RuntimeStats } from "@berth/contract";
import type { WorkerCommand } from "../coordination/session-frames.ts";
import { within } from "../lib/clock.ts";
import type { Activation } from "./activation.ts";
import type { SessionActor } from "./session-actor.ts";

/** How long the turn of a session that still runs here is waited for: who asks is to hear "busy" rather than nothing. Milliseconds. */
const lastTurnMs = 500;

/** What commands need of a worker. */
interface Commanded {
  readonly activation: Activation;
  stats(): RuntimeStats;
  health(): RuntimeHealth;
}

/** Does what the API asks of a worker on the bus, and answers. */
export async function answerCommand(worker: Commanded, command: WorkerCommand): Promise<unknown> {
  const { activation } = worker;
  switch (command.op) {
    case "wake":
      return wake(activation, command);
    case "stats":
      return worker.stats();
    case "health":
      return worker.health();
    case "sessions":
      return activation.sessions(command.orgId);
    case "evict":
      return evict(activation, command);
    case "cleanup": {
      const own = activation.all().filter((actor) => actor.held.orgId === command.orgId);
      await Promise.all(own.map(lastTurn));
      const idle = own.filter((actor) => actor.state.run === null);
      const done = await Promise.all(idle.map((actor) => activation.evict(actor, "asked")));
      return done.filter(Boolean).length;
    }
  }
}

/** Null when the session is not here: who asks tells the queue. */
function wake(
  activation: Activation,
  { orgId, sessionId, inputs }: Extract<WorkerCommand, { op: "wake" }>,
): "woken" | null {
  const actor = activation.get(orgId, sessionId);
  if (actor === null) return null;
  activation.touch(actor);
  actor.wake(inputs);
  return "woken";
}

async function evict(
  activation: Activation,
  { orgId, sessionId }: { orgId: string; sessionId: string },
): Promise<"evicted" | "busy" | "absent"> {
  const actor = activation.get(orgId, sessionId);
  if (actor === null) return "absent";
  await lastTurn(actor);
  return (await activation.evict(actor, "asked")) ? "evicted" : "busy";
}

/** What others saw to its end may still be in its last turn here: the log can be read before the actor hears that it was written. */
async function lastTurn(actor: SessionActor): Promise<void> {
  if (!actor.running) await actor.turned();
  else if (actor.turning) await within(actor.context.clock, lastTurnMs, () => actor.turned());
}
