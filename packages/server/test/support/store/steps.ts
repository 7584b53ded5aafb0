import type { FailpointName } from "../../../src/lib/failpoint.ts";
import type { StoredEvent } from "../../../src/store/records.ts";
import type { Store } from "../../../src/store/store.ts";
import { createManualClock, type ManualClock } from "../manual-clock.ts";

/** The same in each process: then two stores that took the same steps hold the same rows. */
export const stepsClock = (): ManualClock => createManualClock({ now: Date.UTC(2030, 5, 1) });

const orgId = "org_1";
const sessionId = "ses_1";
const workerId = "wrk_1";
const ref = { orgId, sessionId };
const usage = {
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
};

function event(seq: number): StoredEvent {
  return { seq, type: "agent.message", json: JSON.stringify({ seq, text: "x".repeat(50) }) };
}

interface Step {
  readonly name: string;
  /** Failpoints inside it, as its transaction has and has not been committed. */
  readonly before: readonly FailpointName[];
  readonly after: readonly FailpointName[];
  run(store: Store): Promise<unknown>;
}

/** One write of each kind that has a failpoint, each touching several tables where it can. */
export const steps: readonly Step[] = [
  {
    name: "create an agent",
    before: [],
    after: ["store.agent.after-commit"],
    run: (store) =>
      store
        .org(orgId)
        .createAgent({ id: "agt_1", definition: { name: "helper" } as never, idempotency: key("agent") }),
  },
  {
    name: "create a session",
    before: [],
    after: ["store.create-session.after-commit"],
    run: (store) =>
      store.org(orgId).createSession({
        row: {
          orgId,
          id: sessionId,
          agent: { id: "agt_1", version: 1, name: "helper" },
          owner: "usr_1",
          key: "k",
          title: null,
          metadata: {},
          model: null,
          status: "idle",
          currentRunId: null,
          forkedFrom: null,
          usage,
        },
        events: [event(1)],
        blobs: ["a".repeat(64)],
        projection: { timers: { set: [{ kind: "approval", ref: "apr_1", dueAt: 0 }], clear: [] } },
        idempotency: key("session"),
      }),
  },
  {
    name: "beat",
    before: [],
    after: ["store.heartbeat.after-commit"],
    run: (store) => store.system.heartbeat(workerId),
  },
  {
    name: "claim",
    before: [],
    after: ["store.claim.after-commit"],
    run: (store) => store.system.claim({ ...ref, workerId, leaseMs: 15_000, knownEventVersion: 1 }),
  },
  {
    name: "accept",
    before: ["store.accept.before-commit"],
    after: ["store.accept.after-commit"],
    run: (store) =>
      store.session(orgId, sessionId).accept({
        inputs: [
          {
            id: "inp_1",
            lane: "queue",
            runId: "run_1",
            clientId: "c",
            traceparent: null,
            body: { type: "user.message", content: "hello", onBusy: "enqueue" },
            actor: { type: "user", id: "usr_1" },
          },
        ],
        idempotency: key("accept"),
      }),
  },
  {
    name: "append",
    before: ["store.commit.before"],
    after: ["store.commit.after"],
    run: (store) =>
      store.lane.append({
        ...ref,
        epoch: 1,
        expectedSeq: 1,
        events: [event(2), event(3)],
        taken: ["inp_1"],
        blobs: ["b".repeat(64)],
        projection: {
          session: { status: "running", currentRunId: "run_1" },
          runs: [{ id: "run_1", status: "running", startedAt: 1 }],
          rewind: { at: 3, toSeq: 1 },
        },
      }),
  },
  {
    name: "keep a snapshot",
    before: [],
    after: ["store.snapshot.after-commit"],
    run: (store) =>
      store.session(orgId, sessionId).putSnapshot({ seq: 3, stateVersion: 1, body: "{}", epoch: 1 }),
  },
  {
    name: "release",
    before: [],
    after: ["store.release.after-commit"],
    run: (store) => store.system.release({ ...ref, epoch: 1 }),
  },
  {
    name: "fire a timer",
    before: [],
    after: ["store.timers.after-commit"],
    run: (store) => store.system.fireTimers({ limit: 10, inputId: () => "inp_2" }),
  },
];

function key(name: string) {
  return { scope: "usr_1 POST /x", key: name, bodyHash: "h" };
}
