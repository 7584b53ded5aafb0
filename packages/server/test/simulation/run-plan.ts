import { install } from "./engine/virtual-globals.ts";
import { freshIds } from "./engine/fresh-ids.ts";
import { createRandom } from "../chaos/random.ts";
import { Clients } from "./actors/clients.ts";
import { Follower } from "./actors/follower.ts";
import { Operator } from "./actors/operator.ts";
import { Payers } from "./actors/payers.ts";
import { People } from "./actors/people.ts";
import { Requests } from "./actors/requests.ts";
import { checkRest, checkTaken, TimerCheck, whatMoves } from "./checks/rest.ts";
import type { Violation } from "./checks/violation.ts";
import type { Step } from "./engine/scheduler.ts";
import type { PlannedFollower } from "./plan/build.ts";
import type { Part, Plan } from "./plan/plan.ts";
import type { Template } from "./template.ts";
import { World } from "./world.ts";

export interface Outcome {
  readonly plan: Plan;
  /** Of every step and every event. */
  readonly hash: string;
  readonly steps: number;
  readonly events: number;
  /** Virtual milliseconds. */
  readonly elapsed: number;
  readonly counts: ReadonlyMap<string, number>;
  readonly violation: Violation | null;
  readonly lastSteps: readonly Step[];
}

/** How long a follower looks for its session. */
const patienceMs = 60_000;
/** Milliseconds of virtual time in which everything must have come to rest. */
const restMs = 90_000;
const sliceMs = 2_000;
/** For so long nobody answers what will expire by itself: its timers have to end it. */
const patientMs = 16_000;
/** By then those are back who look for timers. */
const sweptMs = 6_000;
/** From then on no input waits that could be taken: until then runs that hang hold the places. */
const takenMs = 40_000;

/** What a long play goes on with when the plan's time is over, hour after hour. */
export interface LongPlay {
  /** Looks at the world and gives what comes next; null: nothing more. */
  goOn(at: { world: World; clients: Clients; followers: Follower[] }): Promise<Part | null>;
}

/** Plays one plan to its end, or to what must never be. */
export async function runPlan(
  plan: Plan,
  template: Template,
  keptSteps = 100,
  long: LongPlay | null = null,
): Promise<Outcome> {
  const random = createRandom(`globals ${plan.seed}`);
  const world = new World(plan, template, keptSteps);
  const { scheduler } = world;
  let drawn = 0;
  install({
    now: () => Math.floor(world.epochMs + scheduler.now),
    elapsed: () => scheduler.now,
    random: () => {
      drawn += 1;
      return random.next();
    },
    after: (ms, call) => scheduler.after(ms, scheduler.current, "timer", call),
    combined: (signal) => scheduler.current?.combined(signal),
  });
  const onUnhandled = (thrown: unknown) => world.failWith(thrown);
  process.on("unhandledRejection", onUnhandled);
  try {
    freshIds(() => drawn);
    await play(world, long).catch((thrown: unknown) => world.failWith(thrown));
    return {
      plan,
      hash: scheduler.hash,
      steps: scheduler.steps,
      events: [...world.ledger.books.values()].reduce(
        (sum, book) => sum + book.raw.length - book.forkedAt,
        0,
      ),
      elapsed: scheduler.now,
      counts: world.faults.counts,
      violation: world.violation,
      lastSteps: scheduler.lastSteps,
    };
  } finally {
    world.close();
    process.off("unhandledRejection", onUnhandled);
    install(null);
  }
}

async function play(world: World, long: LongPlay | null): Promise<void> {
  const { scheduler, plan } = world;
  const requests = new Requests(world);
  const payers = new Payers(world, requests);
  const clients = new Clients({ world, requests, payers });
  const people = new People(world, requests);
  const followers: Follower[] = [];
  const operator = new Operator(world, followers);
  let followed = 0;
  const follow = ({ session, at }: PlannedFollower) => {
    const name = `follower ${++followed}`;
    const begin = () => {
      const book = world.ledger.books.get(clients.sessions.get(session) ?? "");
      if (book !== undefined) followers.push(new Follower(world, requests, name, book));
      else if (!world.resting && scheduler.now < at + patienceMs)
        scheduler.after(500, null, "a follower looks for its session", begin);
    };
    scheduler.at(at, null, `${name} begins`, begin);
  };
  const begin = (part: Part) => {
    clients.plan(part.actions);
    part.followers.forEach(follow);
    operator.plan(part.faults);
  };
  begin({ ...plan, followers: plan.build.followers });
  world.start();
  await scheduler.run(plan.ms);
  const next = () => (scheduler.stopped ? null : (long?.goOn({ world, clients, followers }) ?? null));
  let until = plan.ms;
  for (let part = await next(); part !== null; part = await next()) {
    begin(part);
    await scheduler.run((until += plan.ms));
  }
  if (scheduler.stopped) return;
  world.rest();
  const timers = new TimerCheck();
  for (let left = restMs; left > 0 && !scheduler.stopped; left -= sliceMs) {
    const restedMs = restMs - left;
    if (restedMs >= patientMs || plan.build.approvalMs > patientMs) people.answerAll();
    if (restedMs >= patientMs) payers.raiseAll();
    if (restedMs >= sweptMs) timers.look(world);
    if (restedMs >= takenMs) checkTaken(world);
    await scheduler.run(scheduler.now + sliceMs);
    if (scheduler.stopped) return;
    if (whatMoves(world, requests, followers) === null) return checkRest(world);
  }
  if (!scheduler.stopped)
    world.fail("rest", `it did not come to rest: ${whatMoves(world, requests, followers)}`);
}
