import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { steps, stepsClock } from "../../../test/support/store/steps.ts";
import type { BerthError } from "../../lib/errors.ts";
import { type Connection, openForWriting } from "./connection.ts";
import { dumpSchema, knownMigrations, migrate } from "./migrate.ts";
import { openSqliteStore } from "./sqlite-store.ts";

describe("migrations", () => {
  let dataDir = "";
  let connection: Connection;
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "berth-migrate-"));
    connection = openForWriting(join(dataDir, "berth.db"));
  });
  afterEach(async () => {
    connection.close();
    await rm(dataDir, { recursive: true });
  });
  const known = knownMigrations();

  it("make the schema of schema.sql from nothing", async () => {
    expect(migrate(connection, known, 1)).toBe(known.length);
    await expect(dumpSchema(connection)).toMatchFileSnapshot("./schema.sql");
  });

  it("run once each", () => {
    migrate(connection, known, 1);
    expect(migrate(connection, known, 2)).toBe(0);
    const rows = connection.sql<{ applied_at: number }>("SELECT applied_at FROM migrations").all();
    expect(rows.map((row) => row.applied_at)).toEqual(known.map(() => 1));
  });

  it.each(known)("from number $number on lead to the same schema", ({ number }) => {
    migrate(connection, known.slice(0, number), 1);
    expect(migrate(connection, known, 2)).toBe(known.length - number);
    const other = openForWriting(":memory:");
    migrate(other, known, 1);
    expect(dumpSchema(connection)).toBe(dumpSchema(other));
    other.close();
  });

  it("change nothing when one of them fails", () => {
    const broken = {
      number: known.length + 1,
      name: "broken",
      breaking: false,
      sql: "CREATE TABLE extra (a); CREATE nonsense",
    };
    expect(() => migrate(connection, [...known, broken], 1)).toThrow(/syntax error/);
    expect(dumpSchema(connection)).not.toContain("extra");
    expect(connection.sql("SELECT 1 FROM migrations").all()).toHaveLength(known.length);
  });

  it("say that the disk is full when it is", () => {
    connection.db.exec("PRAGMA max_page_count = 20");
    expect(() => migrate(connection, known, 1)).toThrow(/database or disk is full/);
    connection.db.exec("PRAGMA max_page_count = 100000");
    migrate(connection, known, 2);
    expect(connection.sql("SELECT 1 FROM migrations").all()).toHaveLength(known.length);
  });

  it("are refused by a program that is older than a breaking one, and only then", async () => {
    const next = {
      number: known.length + 1,
      name: "next",
      breaking: false,
      sql: "CREATE TABLE extra (a) STRICT;",
    };
    migrate(connection, known, 1);
    migrate(connection, [...known, { ...next, sql: "CREATE TABLE extra (a INTEGER) STRICT" }], 1);
    const store = await openSqliteStore({ dataDir, clock: stepsClock() });
    for (const step of steps) await step.run(store);
    await store.close();
    migrate(
      connection,
      [...known, next, { ...next, number: next.number + 1, breaking: true, sql: "SELECT 1" }],
      1,
    );
    const refused = await openSqliteStore({ dataDir, clock: stepsClock() }).catch(
      (thrown: unknown) => thrown,
    );
    expect((refused as BerthError).code).toBe("newer_schema");
    expect((refused as BerthError).message).toContain(`migration ${next.number + 1}`);
  });

  it("mark a breaking one by a comment of its own line", () => {
    expect(known.every(({ breaking }) => !breaking)).toBe(true);
    expect(known.map(({ number }) => number)).toEqual(known.map((_, index) => index + 1));
  });

  it("give every tenant table a key that begins with org_id", () => {
    migrate(connection, known, 1);
    const tables = connection
      .sql<{ name: string }>(
        `SELECT t.name FROM sqlite_schema t WHERE t.type = 'table'
          AND EXISTS (SELECT 1 FROM pragma_table_info(t.name) c WHERE c.name = 'org_id') ORDER BY t.name`,
      )
      .all();
    const keyed = connection
      .sql<{ name: string }>(
        `SELECT DISTINCT t.name FROM sqlite_schema t, pragma_index_list(t.name) i, pragma_index_info(i.name) c
          WHERE t.type = 'table' AND i."unique" = 1 AND i.partial = 0 AND c.seqno = 0 AND c.name = 'org_id'`,
      )
      .all();
    const names = new Set(keyed.map(({ name }) => name));
    expect(tables.length).toBeGreaterThan(10);
    expect(tables.filter(({ name }) => !names.has(name)).map(({ name }) => name)).toEqual(["log_blocks"]);
  });
});
