import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AgentDefinitionInput,
  agentDefinition,
  type InputBody,
  type SessionEvent,
} from "@berth/contract";
import { createInProcessAnnouncements } from "../../../src/coordination/in-process/announcements.ts";
import { createInProcessBus } from "../../../src/coordination/in-process/bus.ts";
import { createInProcessCounter } from "../../../src/coordination/in-process/counter.ts";
import { createInProcessPresence } from "../../../src/coordination/in-process/presence.ts";
import { createInProcessQueue } from "../../../src/coordination/in-process/queue.ts";
import { createOrgShares } from "../../../src/limits/org-shares.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { newId } from "../../../src/lib/id.ts";
import type { OperationsContext } from "../../../src/operations/context.ts";
import type { RuntimeContext, RuntimeSettings } from "../../../src/runtime/context.ts";
import { Worker } from "../../../src/runtime/worker.ts";
import { stamp } from "../../../src/session/new-event.ts";
import { noUsage } from "../../../src/session/state.ts";
import { decodeEvent } from "../../../src/session/upcast.ts";
import { createDiskBlobs } from "../../../src/store/disk/blobs.ts";
import type { Lane } from "../../../src/store/records.ts";
import { openSqliteStore } from "../../../src/store/sqlite/sqlite-store.ts";
import { silentTelemetry } from "../../../src/telemetry/telemetry.ts";
import { createRegistry } from "../../../src/tools/registry.ts";
import type { Tool } from "../../../src/tools/tool.ts";
import { type Answer, scriptedClient } from "./scripted-client.ts";
import { localAllocation } from "../sandbox/local-allocation.ts";

const testSettings: RuntimeSettings = {
  leaseMs: 6_000,
  mailboxPollMs: 50,
  sweepMs: 200,
  snapshotEvery: 200,
  concurrency: 64,
  fairShare: false,
  maxSessions: 100,
  memoryLimitBytes: 4 * 1024 ** 3,
  memoryCheckMs: 30_000,
  idleTtlMs: 3_600_000,
  clientToolTimeoutMs: 60_000,
  defaultModel: null,
};

/** When something that is waited for is given up: before the test is. Milliseconds. */
const giveUpMs = 25_000;

export interface HarnessOptions {
  readonly settings?: Partial<RuntimeSettings>;
  /** What the model says, by the conversation so far. */
  readonly answer: Answer;
  readonly tools?: readonly Tool[];
  readonly overrides?: Partial<Harness["context"]>;
}

/** A worker on a real SQLite store in a temporary folder, with a model that is a function. */
export class Harness {
  readonly context: RuntimeContext & Pick<OperationsContext, "announcements">;
  readonly dataDir: string;
  readonly orgId: string;
  readonly #owners = new Map<string, string>();
  worker: Worker;

  private constructor(context: Harness["context"], dataDir: string, orgId: string) {
    this.context = context;
    this.dataDir = dataDir;
    this.orgId = orgId;
    this.worker = new Worker(context);
  }

  static async open(options: HarnessOptions): Promise<Harness> {
    const dataDir = await mkdtemp(join(tmpdir(), "berth-runtime-"));
    const store = await openSqliteStore({ dataDir, clock: systemClock });
    const { orgId } = await store.system.singleTenant();
    const blobs = createDiskBlobs({
      dataDir,
      note: (org, hash, size) => store.system.noteBlob({ orgId: org, hash, size }),
    });
    const context: Harness["context"] = {
      store,
      blobs,
      queue: createInProcessQueue(),
      bus: createInProcessBus({
        clock: systemClock,
        onError: (error) => {
          throw error;
        },
      }),
      announcements: createInProcessAnnouncements(),
      presence: createInProcessPresence({ clock: systemClock }),
      counter: createInProcessCounter({ clock: systemClock }),
      shares: createOrgShares({ store, clock: systemClock, telemetry: silentTelemetry() }),
      clock: systemClock,
      models: scriptedClient(options.answer),
      tools: createRegistry(options.tools ?? []),
      sandboxes: localAllocation({ dataDir, store, environment: { PATH: process.env["PATH"] ?? "" } })
        .sandboxes,
      fetch: () => Promise.reject(new Error("no network in this test")),
      openSecret: () => Promise.resolve(null),
      openPort: () => Promise.reject(new Error("no previews in this test")),
      telemetry: silentTelemetry(),
      settings: { ...testSettings, ...options.settings },
      memory: () => process.memoryUsage(),
      redact: (text) => text.replaceAll("brt_canary", "[secret]"),
      ...options.overrides,
    };
    const harness = new Harness(context, dataDir, orgId);
    await harness.worker.start();
    return harness;
  }

  /** The same worker for another organization. */
  neighbour(): Harness {
    const other = new Harness(this.context, this.dataDir, newId("org"));
    other.worker = this.worker;
    return other;
  }

  async agent(
    definition: Partial<AgentDefinitionInput> = {},
  ): Promise<{ id: string; version: number; name: string }> {
    const whole = agentDefinition.parse({
      name: "tester",
      model: "test/model",
      permissions: { mode: "auto" },
      ...definition,
    });
    const made = await this.context.store
      .org(this.orgId)
      .createAgent({ id: newId("agent"), definition: whole });
    return { id: made.result.id, version: made.result.version, name: whole.name };
  }

  async session(agent: { id: string; version: number; name: string }, owner = "usr_test"): Promise<string> {
    const id = newId("session");
    this.#owners.set(id, owner);
    const created = { agent, owner, key: null, title: null, metadata: {}, model: null };
    const [event] = stamp(
      { sessionId: id, seq: 0, runId: null, agentId: agent.id },
      [{ type: "session.created", data: created }],
      new Date().toISOString(),
    );
    await this.context.store.org(this.orgId).createSession({
      row: {
        orgId: this.orgId,
        id,
        ...created,
        status: "idle",
        currentRunId: null,
        forkedFrom: null,
        usage: noUsage,
      },
      events: [{ seq: 1, type: "session.created", json: JSON.stringify(event) }],
    });
    return id;
  }

  async send(
    sessionId: string,
    body: InputBody,
    lane: Lane = "queue",
  ): Promise<{ id: string; runId: string | null }> {
    const runId = body.type === "user.message" || body.type === "run.retry" ? newId("run") : null;
    const input = {
      id: newId("input"),
      lane,
      body,
      runId,
      actor: { type: "user" as const, id: "usr_test" },
      clientId: null,
      traceparent: null,
    };
    const { result } = await this.context.store.session(this.orgId, sessionId).accept({ inputs: [input] });
    const owner = this.#owners.get(sessionId) ?? "usr_test";
    await this.context.queue.push({ orgId: this.orgId, sessionId, owner });
    return { id: result[0]?.id ?? "", runId };
  }

  say(sessionId: string, content: string): Promise<{ id: string; runId: string | null }> {
    return this.send(sessionId, { type: "user.message", content, onBusy: "enqueue" });
  }

  async log(sessionId: string): Promise<readonly SessionEvent[]> {
    const page = await this.context.store
      .session(this.orgId, sessionId)
      .readLog({ after: 0, limit: 100_000 });
    return (page?.events ?? []).map((event) => decodeEvent(event.json));
  }

  /** The log as soon as it holds such an event. */
  async until(
    sessionId: string,
    found: (events: readonly SessionEvent[]) => boolean,
    timeoutMs = giveUpMs,
  ): Promise<readonly SessionEvent[]> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const events = await this.log(sessionId);
      if (found(events)) return events;
      if (performance.now() > deadline)
        throw new Error(`not seen in time; the log is ${JSON.stringify(events.map((event) => event.type))}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Resolves when a run is over; asks for its row, not for the log. */
  async untilRun(runId: string): Promise<void> {
    const deadline = performance.now() + giveUpMs;
    while ((await this.context.store.org(this.orgId).findRun(runId))?.finishedAt == null) {
      if (performance.now() > deadline) throw new Error(`run ${runId} did not end in time`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  finished(sessionId: string, runs = 1): Promise<readonly SessionEvent[]> {
    return this.until(
      sessionId,
      (events) => events.filter((event) => event.type === "run.finished").length >= runs,
    );
  }

  async close(): Promise<void> {
    await this.worker.stop(0);
    await this.context.sandboxes.close();
    await this.context.store.close();
    await rm(this.dataDir, { recursive: true, force: true });
  }
}
