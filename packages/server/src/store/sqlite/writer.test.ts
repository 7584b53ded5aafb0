import diagnostics from "node:diagnostics_channel";
import { readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createManualClock } from "../../../test/support/manual-clock.ts";
import type { BerthError } from "../../lib/errors.ts";
import { openSqliteStore, type SqliteStore } from "./sqlite-store.ts";
import type { CommitStats } from "./writer.ts";

describe("the writer thread", () => {
  const commits: CommitStats[] = [];
  const threads: Worker[] = [];
  const note = (message: unknown) => void threads.push((message as { worker: Worker }).worker);
  let dataDir = "";
  let store: SqliteStore;

  beforeEach(async () => {
    commits.length = 0;
    threads.length = 0;
    diagnostics.subscribe("worker_threads", note);
    dataDir = await mkdtemp(join(tmpdir(), "berth-writer-"));
    const telemetry = { onCommit: (stats: CommitStats) => void commits.push(stats) };
    store = await openSqliteStore({ dataDir, clock: createManualClock(), telemetry });
    diagnostics.unsubscribe("worker_threads", note);
  });
  afterEach(async () => {
    await store.close();
    await rm(dataDir, { recursive: true });
  });

  const codeOf = (call: Promise<unknown>) =>
    call.then(
      () => "ok",
      (thrown: unknown) => (thrown as BerthError).code,
    );

  it("commits together what one turn asks for, and then what came while it was busy", async () => {
    const beat = (name: string) => store.system.heartbeat(name);
    const first = [beat("1"), beat("2"), beat("3")];
    await new Promise((resolve) => setImmediate(resolve));
    const second = [beat("4"), beat("5")];
    await Promise.all([...first, ...second]);
    expect(commits.map(({ operations }) => operations)).toEqual([3, 2]);
    expect(commits.every(({ commitMs, totalMs }) => commitMs > 0 && totalMs >= commitMs)).toBe(true);
  });

  it("commits what was asked for before it closes, and refuses what comes later", async () => {
    const asked = Array.from({ length: 5 }, (_, index) => store.system.heartbeat(String(index)));
    const closed = Promise.all([store.close(), store.close()]);
    const late = codeOf(store.system.heartbeat("late"));
    expect(await Promise.all(asked.map(codeOf))).toEqual(["ok", "ok", "ok", "ok", "ok"]);
    expect(await late).toBe("store_unavailable");
    await closed;
    expect(await codeOf(store.system.ping())).toBe("store_unavailable");
    expect(threads[0]?.threadId).toBe(-1);
    expect(readdirSync(dataDir).toSorted()).toEqual(["berth.db", "berth.lock"]);
  });

  it("answers everybody when it dies", async () => {
    const pending = store.system.heartbeat("1");
    const [ended] = await Promise.all([codeOf(pending), threads[0]?.terminate()]);
    expect(["ok", "store_unavailable"]).toContain(ended);
    const after = await store.system.heartbeat("2").catch((thrown: unknown) => thrown as BerthError);
    expect(after).toMatchObject({ code: "store_unavailable", retryable: true });
  });

  it("survives a value that cannot travel to it", async () => {
    const actor = { type: "user", id: (() => "no clone") as never } as const;
    const input = {
      id: "inp_1",
      lane: "queue",
      runId: null,
      clientId: null,
      traceparent: null,
      actor,
    } as const;
    const body = { type: "system.message", content: "x" } as const;
    const bad = store.session("org_1", "ses_1").accept({ inputs: [{ ...input, body }] });
    expect(await codeOf(bad)).toBe("internal");
    expect(await codeOf(store.system.heartbeat("1"))).toBe("ok");
  });
});
