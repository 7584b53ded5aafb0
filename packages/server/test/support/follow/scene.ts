import type { PersistedType } from "@berth/contract";
import { rolePermissions } from "../../../src/auth/permissions.ts";
import type { Principal } from "../../../src/auth/principal.ts";
import type { Bus } from "../../../src/coordination/bus.ts";
import { createInProcessBus } from "../../../src/coordination/in-process/bus.ts";
import { type SessionFrame, sessionTopic } from "../../../src/coordination/session-frames.ts";
import type { OperationsContext } from "../../../src/operations/context.ts";
import {
  createFollowing,
  defaultFollowingSettings,
  type Following,
  type FollowingSettings,
} from "../../../src/operations/follow-events.ts";
import { LiveText } from "../../../src/runtime/live-text.ts";
import type { SessionRecord, StoredEvent } from "../../../src/store/records.ts";
import { silentTelemetry } from "../../../src/telemetry/telemetry.ts";
import { createManualClock, type ManualClock } from "../manual-clock.ts";
import { type Block, createWriter, type Writer } from "./writer.ts";

const orgId = "org_00000000000000000000000000";
export const sessionId = "ses_00000000000000000000000000";
export const principal: Principal = {
  type: "user",
  id: "usr_00000000000000000000000000",
  name: "Ada",
  orgId,
  permissions: rolePermissions.owner,
  credential: { kind: "admin_key", id: "test", expiresAt: null },
};

/** A session whose log, store and bus do what a test says. */
export interface FollowScene {
  readonly clock: ManualClock;
  readonly following: Following;
  /** The session's row; a test may change it. */
  readonly row: { generation: number; status: SessionRecord["status"]; deleted: boolean };
  readonly log: readonly StoredEvent[];
  /** Writes text as a worker does. */
  readonly writer: Writer;
  /** Appends to the log without telling anybody. */
  commit(type: PersistedType, data?: object, namespace?: string): StoredEvent;
  /** Tells the bus about events. */
  publish(...events: readonly StoredEvent[]): void;
  /** Appends and tells. */
  append(type: PersistedType, data?: object, namespace?: string): StoredEvent;
  /** The finished event of a block; the worker forgets its text. */
  finish(block: Block): StoredEvent;
  /** The end of the step whose message this block is of, which leaves none of it open; the worker forgets its text. */
  finishStep(block: Block): StoredEvent;
  /** Called at each read of the log: before it looks, and when it has looked but not yet answered. */
  readonly reads: { count: number; before: (() => void) | null; after: (() => void) | null; fail: boolean };
  /** How often the end of the log was asked for. */
  readonly finds: { count: number };
  /** What the bus does with frames; by default it delivers them at once. */
  readonly wire: { carry: (frame: SessionFrame, deliver: (frame: SessionFrame) => void) => void };
  /** Called before the worker's answer about open blocks arrives, when it has been made. */
  readonly answers: { wait: (() => Promise<void>) | null };
  /** What was reported while reads failed. What is reported at other times is thrown, uncaught. */
  readonly errors: unknown[];
  /** Lets everything happen that waits for nothing but promises and turns of the event loop. */
  settle(): Promise<void>;
}

/** A scene whose log has so many events. */
export function beginScene(events: number, settings: Partial<FollowingSettings> = {}): FollowScene {
  const scene = createFollowScene(settings);
  for (let i = 0; i < events; i++) scene.commit("todo.changed");
  return scene;
}

export function createFollowScene(settings: Partial<FollowingSettings> = {}): FollowScene {
  const clock = createManualClock();
  const errors: unknown[] = [];
  const log: StoredEvent[] = [];
  const row: FollowScene["row"] = { generation: 1, status: "idle", deleted: false };
  const reads: FollowScene["reads"] = { count: 0, before: null, after: null, fail: false };
  const finds = { count: 0 };
  const wire: FollowScene["wire"] = { carry: (frame, deliver) => deliver(frame) };
  const inner = createInProcessBus({ clock });
  const bus: Bus = {
    ...inner,
    publish: (topic, frame) => wire.carry(frame as SessionFrame, (carried) => inner.publish(topic, carried)),
  };
  const topic = sessionTopic(orgId, sessionId);
  const live = new LiveText({ bus, orgId, sessionId, clock });
  const answers: FollowScene["answers"] = { wait: null };
  void inner.answer(topic, async () => {
    const blocks = live.openBlocks();
    await answers.wait?.();
    return blocks;
  });
  const unexpectedError = ({ error }: { error: unknown }) => {
    if (reads.fail) errors.push(error);
    else
      queueMicrotask(() => {
        throw error;
      });
  };
  const context = {
    store: fakeStore({ log, row, reads, finds }),
    bus,
    clock,
    telemetry: { ...silentTelemetry(), unexpectedError },
  } as unknown as OperationsContext;

  const scene: FollowScene = {
    clock,
    following: createFollowing(context, { ...defaultFollowingSettings, ...settings }),
    row,
    log,
    writer: createWriter(live),
    reads,
    finds,
    wire,
    answers,
    errors,
    commit(type, data = {}, namespace = "") {
      const seq = log.length + 1;
      const event = { seq, type, json: JSON.stringify({ seq, type, sessionId, namespace, data }) };
      log.push(event);
      return event;
    },
    publish: (...events) => bus.publish(topic, { kind: "events", events } satisfies SessionFrame),
    append(type, data, namespace) {
      const event = scene.commit(type, data, namespace);
      scene.publish(event);
      return event;
    },
    finish(block) {
      const { messageId, blockId, namespace } = block;
      const data = { messageId, blockId, text: scene.writer.textOf(block) };
      const event = scene.append("agent.message", data, namespace);
      live.close(messageId);
      return event;
    },
    finishStep({ messageId, namespace }) {
      const [seq, stepId] = [log.length + 1, messageId.replace("msg_", "stp_")];
      const json = JSON.stringify({ seq, type: "step.finished", sessionId, namespace, stepId, data: {} });
      const event = { seq, type: "step.finished", json };
      log.push(event);
      live.close(messageId);
      scene.publish(event);
      return event;
    },
    async settle() {
      for (let i = 0; i < 10; i++) await clock.advance(0);
    },
  };
  return scene;
}

/** A store of this one session. Reads answer later, as with a real one, with what was there when they began. */
function fakeStore(of: Pick<FollowScene, "row" | "log" | "reads" | "finds">) {
  const { row, log, reads, finds } = of;
  const record = () =>
    ({ orgId, id: sessionId, lastSeq: log.length, forkedFrom: null, ...row }) as unknown as SessionRecord;
  const findNow = async () => {
    finds.count += 1;
    return row.deleted ? null : record();
  };
  const readLog = async ({ after, limit }: { after: number; limit: number }) => {
    reads.count += 1;
    reads.before?.();
    if (reads.fail) throw new Error("the store does not answer");
    const page = row.deleted ? null : { record: record(), events: log.slice(after, after + limit) };
    await Promise.resolve();
    reads.after?.();
    return page;
  };
  return { org: () => ({ findSession: findNow }), session: () => ({ find: findNow, readLog }) };
}
