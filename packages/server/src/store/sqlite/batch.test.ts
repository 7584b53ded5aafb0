import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runBatch, startWriting, type Writing } from "./batch.ts";
import { openForWriting } from "./connection.ts";
import { knownMigrations, migrate } from "./migrate.ts";
import type { SessionCommit } from "../store.ts";
import type { OperationCall, OperationReply, SessionRef } from "./protocol.ts";

const orgId = "org_1";
const usage = {
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
};

function create(id: string): OperationCall {
  const about = {
    orgId,
    id,
    agent: { id: "agt_1", version: 1, name: "a" },
    owner: "usr_1",
    key: null,
    title: null,
  };
  const rest = {
    metadata: {},
    model: null,
    status: "idle",
    currentRunId: null,
    forkedFrom: null,
    usage,
  } as const;
  return {
    name: "createSession",
    args: { orgId, row: { ...about, ...rest }, block: { count: 0, types: "", body: "" } },
  };
}

function claim(sessionId: string): OperationCall {
  const lease = { workerId: "wrk_1", leaseMs: 1_000, knownEventVersion: 1 };
  return { name: "claim", args: { orgId, sessionId, ...lease } };
}

function append(sessionId: string, expectedSeq: number, change: Partial<SessionCommit> = {}): OperationCall {
  const block = { count: 1, types: "agent.message", body: JSON.stringify({ text: "x".repeat(2_000) }) };
  return {
    name: "append",
    args: { commit: { orgId, sessionId, epoch: 1, expectedSeq, taken: [], ...change }, block },
  };
}

const codes = (replies: readonly OperationReply[]) =>
  replies.map((reply) => (reply.ok ? "ok" : reply.error.code));

describe("a batch", () => {
  let folder = "";
  let writing: Writing;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "berth-batch-"));
    writing = startWriting(openForWriting(join(folder, "berth.db")));
    migrate(writing.connection, knownMigrations(), 1);
    run(create("a"), claim("a"), create("b"), claim("b"));
  });
  afterEach(async () => {
    writing.connection.close();
    await rm(folder, { recursive: true });
  });

  function run(...calls: OperationCall[]) {
    return runBatch(writing, calls, { now: 1, steady: 1 }).replies;
  }

  const lastSeq = (id: string) =>
    writing.connection.sql<{ seq: number }>("SELECT last_seq AS seq FROM sessions WHERE id = ?").get(id)?.seq;

  it("undoes an append that fails half-way and keeps its neighbours", () => {
    const rewind = { projection: { rewind: { at: 1, toSeq: 0 } } };
    expect(codes(run(append("a", 0, rewind)))).toEqual(["ok"]);
    // The second rewind at the same place breaks the table's key after the event was written.
    const replies = run(append("b", 0), append("a", 1, rewind), append("b", 1), create("c"));
    expect(codes(replies)).toEqual(["ok", "internal", "ok", "ok"]);
    expect([lastSeq("a"), lastSeq("b"), lastSeq("c")]).toEqual([1, 2, 0]);
    expect(codes(run(append("a", 1)))).toEqual(["ok"]);
  });

  it("refuses an operation without touching what others wrote", () => {
    const replies = run(append("a", 0), create("a"), append("a", 1));
    expect(codes(replies)).toEqual(["ok", "internal", "ok"]);
    expect(lastSeq("a")).toBe(2);
  });

  it("fails as a whole when the disk is full, keeps what was there, and goes on when there is room", () => {
    const { db } = writing.connection;
    const limit = (pages: number) => db.exec(`PRAGMA max_page_count = ${pages}`);
    const used = writing.connection.sql<{ page_count: number }>("PRAGMA page_count").get()?.page_count ?? 0;
    expect(codes(run(append("a", 0), append("b", 0)))).toEqual(["ok", "ok"]);
    limit(used + 8);
    let seq = 1;
    let replies = run(append("a", seq), append("b", seq));
    for (; codes(replies)[0] === "ok" && seq < 100; seq++)
      replies = run(append("a", seq + 1), append("b", seq + 1));
    expect(codes(replies)).toEqual(["disk_full", "disk_full"]);
    expect(replies[0]).toMatchObject({ error: { retryable: true } });
    expect([lastSeq("a"), lastSeq("b")]).toEqual([seq, seq]);
    expect(codes(run({ name: "ping", args: null }))).toEqual(["ok"]);
    expect(writing.failing).toMatchObject({ code: "disk_full" });
    expect(writing.connection.sql("PRAGMA integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
    expect(codes(run(claim("a")))).toEqual(["ok"]);
    expect(writing.failing).toBeNull();
    limit(1_000_000);
    expect(codes(run(append("a", seq, { epoch: 2 }), append("b", seq)))).toEqual(["ok", "ok"]);
    expect([lastSeq("a"), lastSeq("b")]).toEqual([seq + 1, seq + 1]);
  });

  it("sees a row that changed behind an append's hint", () => {
    run(append("a", 0));
    writing.connection.db.exec("UPDATE sessions SET status = 'waiting' WHERE id = 'a'");
    expect(codes(run(append("a", 1)))).toEqual(["ok"]);
    writing.connection.db.exec("DELETE FROM sessions WHERE id = 'a'");
    expect(run(append("a", 2))).toEqual([{ ok: true, value: { ok: false, reason: "fenced" } }]);
  });

  it("keeps no hint of a session that was deleted", () => {
    run(append("a", 0), append("b", 0));
    const refOf = (sessionId: string): SessionRef => ({ orgId, sessionId });
    run({ name: "deleteSession", args: refOf("a") });
    expect(writing.hints.get(refOf("a"))).toBeUndefined();
    expect(writing.hints.get(refOf("b"))).toBeDefined();
  });
});
