import type { AcceptedInput, SendableInputBody, SendReply, Session, SessionEvent } from "@berth/contract";
import { codeOf } from "../../support/server/api.ts";
import { Follower } from "../followers/follower.ts";
import type { Random } from "../random.ts";
import { sleep } from "../sleep.ts";
import type { AgentKind } from "./agent-kind.ts";
import type { Called } from "./caller.ts";
import type { Lane } from "./ledger.ts";
import { type Answering, respond } from "./responder.ts";
import { scriptMessage, type Turn } from "./script.ts";
import type { World } from "./world.ts";

const talkRules = { ends: "every accepted message comes to an end" } as const;

/** Longer than any run of the workload takes, deaths of its server included. */
const patienceMs = 120_000;

type OnBusy = NonNullable<Extract<SendableInputBody, { type: "user.message" }>["onBusy"]>;

export interface Said {
  readonly marker: string;
  /** Null: it was refused. */
  readonly input: AcceptedInput | null;
  readonly code: string;
}

/** One session as the driver lives with it: what it says to it, and the log as its first follower sees it. */
export class Talk implements Answering {
  readonly id: string;
  readonly kind: AgentKind;
  readonly world: World;
  readonly random: Random;
  readonly log: SessionEvent[] = [];
  readonly #followers: { readonly follower: Follower; readonly give: () => void }[] = [];
  readonly #watching = new Set<() => void>();

  constructor(world: World, session: { id: string; kind: AgentKind; fork?: { of: string; seq: number } }) {
    this.world = world;
    this.id = session.id;
    this.kind = session.kind;
    this.random = world.random.branch(session.id);
    world.ledger.sessions.set(this.id, { id: this.id, kind: this.kind, fork: session.fork ?? null });
    world.talks.push(this);
    this.#add(null, (event) => {
      this.log.push(event);
      respond(this, event);
      for (const look of this.#watching) look();
    });
  }

  /** Another client that follows the session from a place in its log. */
  followFrom(seq: number): void {
    this.#add(seq === 0 ? null : `1.${seq}`);
  }

  /** One of its clients breaks its connection. */
  disturb(): void {
    this.random.pick(this.#followers).follower.reconnect();
  }

  async unfollow(): Promise<void> {
    for (const { follower, give } of this.#followers.splice(0)) {
      await follower.stop();
      give();
    }
  }

  /** Resolves when every client has seen the log up to a seq; false when one does not in time. */
  async seenUpTo(seq: number, ms: number): Promise<boolean> {
    const deadline = performance.now() + ms;
    while (this.#followers.some(({ follower }) => follower.seq < seq)) {
      if (performance.now() > deadline) return false;
      await sleep(20);
    }
    return true;
  }

  /** What `find` finds in the log, as soon as it does; null when it has not after `ms`. */
  async waitFor<T>(
    find: (log: readonly SessionEvent[]) => T | undefined,
    ms = patienceMs,
  ): Promise<T | null> {
    const found = find(this.log);
    if (found !== undefined) return found;
    return new Promise((resolve) => {
      const end = (result: T | null) => {
        clearTimeout(timer);
        this.#watching.delete(look);
        resolve(result);
      };
      const look = () => {
        const result = find(this.log);
        if (result !== undefined) end(result);
      };
      const timer = setTimeout(() => end(null), ms);
      this.#watching.add(look);
    });
  }

  /** Sends a message that carries its script. */
  async say(turns: readonly Turn[], onBusy?: OnBusy): Promise<Said> {
    const marker = this.world.ledger.word("mark");
    const content = scriptMessage(marker, turns);
    const [said] = await this.send(
      [{ type: "user.message", content, ...(onBusy !== undefined && { onBusy }) }],
      [marker],
    );
    return said ?? { marker, input: null, code: "" };
  }

  /** Sends inputs in one request. `markers` are the words that only they have, in their order. */
  async send(
    events: readonly SendableInputBody[],
    markers: readonly string[] = [],
  ): Promise<readonly Said[]> {
    const path = `/sessions/${this.id}/events`;
    const called = await this.world.caller.call({ method: "POST", path, body: { events } });
    const { reply } = called;
    const inputs = reply.status === 202 ? (reply.json as SendReply).inputs : [];
    this.note(called, events, inputs);
    return events.map((_, index) => {
      const marker = markers[index] ?? "";
      const input = inputs[index] ?? null;
      const code = input === null ? codeOf(reply) || String(reply.status) : "";
      if (marker !== "") this.noteMarker({ marker, inputId: input?.id ?? null, code });
      return { marker, input, code };
    });
  }

  note(
    called: Called,
    events: readonly { type: string; onBusy?: string | undefined }[],
    inputs: readonly AcceptedInput[],
  ): void {
    const { key, sentTick, repliedTick } = called;
    for (const [index, input] of inputs.entries()) {
      const event = events[index];
      if (event === undefined) continue;
      const { type } = event;
      const lane = laneOf(type, event.onBusy);
      const about = { sessionId: this.id, inputId: input.id, runId: input.runId, type, lane };
      this.world.ledger.accepted.push({ ...about, sentTick, repliedTick, index, key });
    }
  }

  noteMarker(note: { marker: string; inputId: string | null; code: string }): void {
    const { marker, inputId, code } = note;
    this.world.ledger.markers.push({ marker, sessionId: this.id, inputId, accepted: code === "", code });
  }

  /** Waits for the end of what was said: the end of its run, or its refusal. Null: it never came. */
  async ended({ input }: Said, ms = patienceMs): Promise<SessionEvent | null> {
    if (input === null) return null;
    const { id, runId } = input;
    const end = await this.waitFor(
      (log) => log.findLast((event) => endsInput(event, id, runId) || joined(log, event, id)),
      ms,
    );
    this.world.checklist.check(
      talkRules.ends,
      end !== null,
      () =>
        `input ${id}, run ${runId}, after ${ms} ms; the log is at ${this.log.at(-1)?.seq} ${this.log.at(-1)?.type}`,
      this.id,
    );
    return end;
  }

  /** Says something and waits for its end. */
  async turn(turns: readonly Turn[]): Promise<SessionEvent | null> {
    return this.ended(await this.say(turns));
  }

  async read(): Promise<Session | null> {
    const { reply } = await this.world.caller.call({ method: "GET", path: `/sessions/${this.id}` });
    return reply.status === 200 ? (reply.json as Session) : null;
  }

  #add(after: string | null, onEvent?: (event: SessionEvent) => void): void {
    const { world, random, id: sessionId } = this;
    const { name: transport, open, give } = world.transport(random);
    const follower = new Follower({
      sessionId,
      after,
      transport,
      open,
      door: () => world.keeper.door(),
      checklist: world.checklist,
      ...(onEvent !== undefined && { onEvent }),
    });
    this.#followers.push({ follower, give });
    world.followers.push(follower);
  }
}

function laneOf(type: string, onBusy: string | undefined): Lane {
  if (type === "system.message") return "queue";
  if (type !== "user.message") return "control";
  if (onBusy === "steer") return "steer";
  return onBusy === "interrupt" || onBusy === "rollback" ? "control" : "queue";
}

function endsInput(event: SessionEvent, inputId: string, runId: string | null): boolean {
  if (event.type === "input.refused") return event.inputId === inputId;
  return event.type === "run.finished" && event.runId === runId;
}

/** A steering message has joined a run: its end is that run's. */
function joined(log: readonly SessionEvent[], event: SessionEvent, inputId: string): boolean {
  if (event.type !== "run.finished") return false;
  return log.some(
    (message) =>
      message.type === "user.message" &&
      message.inputId === inputId &&
      message.seq < event.seq &&
      message.data.runId === event.runId,
  );
}
