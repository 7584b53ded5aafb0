import { agentDefinition, type AgentDefinition } from "@berth/contract";
import { afterAll, beforeAll, expect } from "vitest";
import type { ManualClock } from "../../../test/support/manual-clock.ts";
import { BerthError } from "../../lib/errors.ts";
import { newId } from "../../lib/id.ts";
import type { NewInput, SessionRecord, StoredEvent } from "../records.ts";
import type { AppendOutcome, NewSession, OrgStore, SessionCommit, SessionStore, Store } from "../store.ts";

/** What an adapter's test gives to the suites: a store on nothing, and the clock that it reads. */
export interface StoreHarness {
  readonly store: Store;
  readonly clock: ManualClock;
  close(): Promise<void>;
}

export type OpenStore = () => Promise<StoreHarness>;

export const leaseMs = 15_000;
export const noUsage = {
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
};

/** One store for the tests of a `describe`; each test takes orgs of its own in it. */
export function useStore(open: OpenStore): () => Scene {
  let harness: StoreHarness | null = null;
  beforeAll(async () => {
    harness = await open();
  });
  afterAll(() => harness?.close());
  return () => {
    if (harness === null) throw new Error("the store is not open");
    return new Scene(harness);
  };
}

/** An event as the store sees it; `text` pads it. */
export function event(seq: number, type = "agent.message", text = ""): StoredEvent {
  return { seq, type, json: JSON.stringify({ seq, type, text }) };
}

/** `count` events from `first` on. */
export function events(first: number, count: number): StoredEvent[] {
  return Array.from({ length: count }, (_, index) => event(first + index));
}

export const seqs = (list: readonly { seq: number }[] | undefined): number[] =>
  (list ?? []).map(({ seq }) => seq);

export function agentNamed(name: string, change: Partial<AgentDefinition> = {}): AgentDefinition {
  return { ...agentDefinition.parse({ name, model: "demo/tour" }), ...change };
}

/** A message that starts a run. */
export function message(change: Partial<NewInput> = {}): NewInput {
  return {
    id: newId("input"),
    lane: "queue",
    body: { type: "user.message", content: "hello", onBusy: "enqueue" },
    runId: newId("run"),
    actor: { type: "user", id: "usr_1" },
    clientId: null,
    traceparent: null,
    ...change,
  };
}

export function interrupt(change: Partial<NewInput> = {}): NewInput {
  return message({ lane: "control", body: { type: "user.interrupt" }, runId: null, ...change });
}

/** The code of the BerthError that a call rejects with. */
export async function refusal(call: Promise<unknown>): Promise<string> {
  const thrown = await call.then(
    () => null,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(BerthError);
  return (thrown as BerthError).code;
}

export class Scene {
  readonly store: Store;
  readonly clock: ManualClock;
  readonly orgId = newId("org");
  readonly org: OrgStore;

  constructor({ store, clock }: StoreHarness) {
    this.store = store;
    this.clock = clock;
    this.org = store.org(this.orgId);
  }

  /** The same store as another org uses it. */
  neighbour(): Scene {
    return new Scene({ store: this.store, clock: this.clock, close: async () => undefined });
  }

  newSession(row: Partial<NewSession["row"]> = {}, rest: Partial<NewSession> = {}): NewSession {
    const first = (rest.fork?.seq ?? 0) + 1;
    return {
      row: {
        orgId: this.orgId,
        id: newId("session"),
        agent: { id: "agt_1", version: 1, name: "helper" },
        owner: "usr_1",
        key: null,
        title: null,
        metadata: {},
        model: null,
        status: "idle",
        currentRunId: null,
        forkedFrom: rest.fork === undefined ? null : { sessionId: rest.fork.sessionId, seq: rest.fork.seq },
        usage: noUsage,
        ...row,
      },
      events: [event(first, rest.fork === undefined ? "session.created" : "session.forked")],
      ...rest,
    };
  }

  async create(row: Partial<NewSession["row"]> = {}, rest: Partial<NewSession> = {}): Promise<SessionRecord> {
    const { result } = await this.org.createSession(this.newSession(row, rest));
    return result.session;
  }

  /** A new session, held by a live worker; its log ends at `lastSeq`. */
  async held(lastSeq = 1, row: Partial<NewSession["row"]> = {}): Promise<HeldSession> {
    const { id } = await this.create(row, { events: events(1, lastSeq) });
    return this.hold(id);
  }

  /** Has a session claimed by a live worker. */
  async hold(sessionId: string, workerId = newId("worker")): Promise<HeldSession> {
    await this.store.system.heartbeat(workerId);
    const claimed = await this.claim(sessionId, workerId);
    if (!claimed.ok) throw new Error(`not claimed: ${claimed.reason}`);
    return new HeldSession(this, {
      workerId,
      sessionId,
      epoch: claimed.epoch,
      lastSeq: claimed.record.lastSeq,
    });
  }

  claim(sessionId: string, workerId: string, knownEventVersion = 1) {
    return this.store.system.claim({ orgId: this.orgId, sessionId, workerId, leaseMs, knownEventVersion });
  }
}

export class HeldSession {
  readonly scene: Scene;
  readonly workerId: string;
  readonly sessionId: string;
  readonly epoch: number;
  readonly store: SessionStore;
  lastSeq: number;

  constructor(scene: Scene, held: { workerId: string; sessionId: string; epoch: number; lastSeq: number }) {
    this.scene = scene;
    this.workerId = held.workerId;
    this.sessionId = held.sessionId;
    this.epoch = held.epoch;
    this.lastSeq = held.lastSeq;
    this.store = scene.store.session(scene.orgId, held.sessionId);
  }

  get ref() {
    return { orgId: this.scene.orgId, sessionId: this.sessionId, epoch: this.epoch };
  }

  /** Appends `count` events, or what `change` says instead. */
  async append(count: number, change: Partial<SessionCommit> = {}): Promise<AppendOutcome> {
    const outcome = await this.scene.store.lane.append({
      ...this.ref,
      expectedSeq: this.lastSeq,
      events: events(this.lastSeq + 1, count),
      taken: [],
      ...change,
    });
    if (outcome.ok) this.lastSeq += change.events?.length ?? count;
    return outcome;
  }

  /** Undoes what comes after toSeq, as a rewind of the session does. */
  rewind(toSeq: number): Promise<AppendOutcome> {
    const at = this.lastSeq + 1;
    return this.append(1, { events: [event(at, "session.rewound")], projection: { rewind: { at, toSeq } } });
  }

  snapshot(seq: number, stateVersion = 1): Promise<void> {
    return this.store.putSnapshot({ seq, stateVersion, body: `state at ${seq}`, epoch: this.epoch });
  }

  async logged(): Promise<number[]> {
    return seqs((await this.store.readLog({ after: 0, limit: 1_000 }))?.events);
  }

  release(): Promise<boolean> {
    return this.scene.store.system.release(this.ref);
  }
}
