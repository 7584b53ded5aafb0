import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Connection, openForWriting } from "./connection.ts";
import { knownMigrations, migrate } from "./migrate.ts";
import { tenantTable, tenantTableNames } from "./tenant-tables.ts";

// A table that comes later must be named here, with what an export takes of it and what an erasure leaves.
describe("what exports and erasures know of the tables", () => {
  let connection: Connection;
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "berth-tables-"));
    connection = openForWriting(join(folder, "berth.db"));
    migrate(connection, knownMigrations(), 1);
  });
  afterAll(() => {
    connection.close();
    rmSync(folder, { recursive: true });
  });

  const columnsOf = (table: string) =>
    connection
      .sql<{ name: string }>("SELECT name FROM pragma_table_info(?)")
      .all(table)
      .map(({ name }) => name);

  it("is every table of an organization, and no other", () => {
    const inSchema = connection
      .sql<{ name: string }>(
        `SELECT t.name FROM sqlite_schema t WHERE t.type = 'table'
          AND EXISTS (SELECT 1 FROM pragma_table_info(t.name) c WHERE c.name = 'org_id') ORDER BY t.name`,
      )
      .all()
      .map(({ name }) => name);
    expect(tenantTableNames.toSorted()).toEqual(inSchema);
  });

  it.each(tenantTableNames)("is every column of %s: exported, or withheld for a reason", (name) => {
    const { key, exported, withheld } = tenantTable(name);
    const columns = columnsOf(name);
    expect(columns).toEqual(expect.arrayContaining([...key, ...exported]));
    const named = new Set([...exported, ...Object.keys(withheld), "org_id"]);
    const left = columns.filter((column) => !named.has(column));
    expect("*" in withheld ? [] : left).toEqual([]);
    for (const why of Object.values(withheld)) expect(why.length).toBeGreaterThan(10);
    expect(new Set([...exported, ...Object.keys(withheld)]).size).toBe(
      exported.length + Object.keys(withheld).length,
    );
  });

  it.each(tenantTableNames)(
    "exports nothing of %s that is sealed, hashed or meant for the server alone",
    (name) => {
      const { exported } = tenantTable(name);
      const telling = /hash$|secret|sealed|wrapped|token|mac$|prefix|password/;
      const harmless = (column: string) =>
        column.endsWith("_tokens") || (name === "erasures" && column === "hash");
      expect(exported.filter((column) => telling.test(column) && !harmless(column))).toEqual([]);
    },
  );

  it.each(tenantTableNames)("says what becomes of %s when a user is erased", (name) => {
    const { ofUser, userErasure } = tenantTable(name);
    const reason = typeof userErasure === "object" ? userErasure.stays : userErasure;
    expect(reason.length).toBeGreaterThan(3);
    expect(userErasure === "rows" ? ofUser : "").not.toBeNull();
    // A column that holds people's ids and is not erased by has to have a reason.
    const people = columnsOf(name).filter((column) => ["user_id", "owner", "principal_id"].includes(column));
    const answered = ofUser !== null || reason === "session" || reason !== "rows";
    expect(answered ? [] : people).toEqual([]);
  });
});
