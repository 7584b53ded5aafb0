import type { RuntimeHealth, RuntimeStats } from "@berth/contract";
import type { WorkerCommand } from "../coordination/session-frames.ts";
import type { Activation } from "./activation.ts";
import type { SessionActor } from "./session-actor.ts";

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
      const idle = activation
        .all()
        .filter((actor) => actor.held.orgId === command.orgId && actor.state.run === null);
      const done = await Promise.all(idle.map((actor) => evictAtRest(activation, actor)));
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
  return (await evictAtRest(activation, actor)) ? "evicted" : "busy";
}

async function evictAtRest(activation: Activation, actor: SessionActor): Promise<boolean> {
  // What its followers saw to its end may still be in its last turn here.
  if (!actor.running) await actor.turned();
  return await activation.evict(actor, "asked");
}
