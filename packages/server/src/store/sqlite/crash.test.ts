import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runVictim } from "../../../test/support/store/run-victim.ts";
import { steps, stepsClock } from "../../../test/support/store/steps.ts";
import { failpoints } from "../../lib/failpoint.ts";
import { type Connection, openForWriting } from "./connection.ts";
import { openSqliteStore } from "./sqlite-store.ts";

/** Every row of every table, but for the deployment's: its id is random. */
function rowsOf(connection: Connection): Record<string, unknown[]> {
  const tables = connection
    .sql<{ name: string }>(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN ('sqlite_sequence', 'deployment')",
    )
    .all();
  const rows = (name: string) =>
    connection
      .sql(`SELECT * FROM ${name}`)
      .all()
      .map((row) => JSON.stringify(row))
      .toSorted();
  return Object.fromEntries(tables.map(({ name }) => [name, rows(name)]));
}

function rowsIn(dataDir: string): Record<string, unknown[]> {
  const connection = openForWriting(join(dataDir, "berth.db"));
  try {
    expect(connection.sql("PRAGMA integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
    return rowsOf(connection);
  } finally {
    connection.close();
  }
}

/** What a database holds after none of the steps, after the first, and so on, when nothing happens to them. */
async function rowsAfterEach(): Promise<Record<string, unknown[]>[]> {
  const dataDir = await mkdtemp(join(tmpdir(), "berth-crash-"));
  const store = await openSqliteStore({ dataDir, clock: stepsClock() });
  const states = [rowsIn(dataDir)];
  for (const step of steps) {
    await step.run(store);
    states.push(rowsIn(dataDir));
  }
  await store.close();
  await rm(dataDir, { recursive: true });
  return states;
}

describe("a process that is killed", { timeout: 30_000 }, () => {
  let states: Record<string, unknown[]>[] = [];
  let dataDir = "";
  beforeAll(async () => {
    states = await rowsAfterEach();
  }, 30_000);
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "berth-crash-"));
  });
  afterEach(() => rm(dataDir, { recursive: true }));

  const cases = steps.flatMap((step, index) => [
    ...step.before.map((point) => ({ point, index, committed: index })),
    ...step.after.map((point) => ({ point, index, committed: index + 1 })),
  ]);

  it.each(cases)(
    "at $point leaves all of its last write or nothing of it",
    async ({ point, index, committed }) => {
      const { done, signal, stderr } = await runVictim({ dataDir, failpoint: point });
      expect({ signal, stderr }).toEqual({ signal: "SIGKILL", stderr: "" });
      expect(done).toEqual(["open", ...steps.slice(0, index).map(({ name }) => name)]);
      expect(rowsIn(dataDir)).toEqual(states[committed]);
      const store = await openSqliteStore({ dataDir, clock: stepsClock() });
      await store.system.heartbeat("wrk_2");
      const claim = {
        orgId: "org_1",
        sessionId: "ses_1",
        workerId: "wrk_2",
        leaseMs: 15_000,
        knownEventVersion: 1,
      };
      const outcome = await store.system.claim(claim);
      await store.close();
      const exists = committed > steps.findIndex(({ name }) => name === "create a session");
      expect(outcome.ok).toBe(exists);
    },
  );

  it("is tried at every failpoint of the store", () => {
    const tried = new Set<string>(cases.map(({ point }) => point));
    expect(failpoints.filter((point) => point.startsWith("store.") && !tried.has(point))).toEqual([]);
  });

  it("leaves the folder to the next one at once, with its workers forgotten", async () => {
    const { signal } = await runVictim({ dataDir, until: "claim" });
    expect(signal).toBe("SIGKILL");
    const store = await openSqliteStore({ dataDir, clock: stepsClock() });
    const claim = {
      orgId: "org_1",
      sessionId: "ses_1",
      workerId: "wrk_2",
      leaseMs: 1e9,
      knownEventVersion: 1,
    };
    expect(await store.system.claim(claim)).toMatchObject({ ok: true, epoch: 2, claimsWithoutEvent: 2 });
    await store.close();
  });
});
