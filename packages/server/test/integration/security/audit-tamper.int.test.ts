import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { AuditAnchors } from "../../../src/auth/audit-anchors.ts";
import { createInProcessCounter } from "../../../src/coordination/in-process/counter.ts";
import { cutAudit } from "../../../src/jobs/cut-audit.ts";
import { startJobs } from "../../../src/jobs/runner.ts";
import { newId } from "../../../src/lib/id.ts";
import { AuditTrail } from "../../support/security/audit-trail.ts";

let opened: AuditTrail;
let trail: AuditTrail;
beforeAll(async () => {
  opened = await AuditTrail.open();
});
afterAll(() => opened.close());
beforeEach(() => {
  trail = opened.another();
});

const bad = async () => {
  const { ok, firstBad } = await trail.verify();
  expect(ok).toBe(firstBad === null);
  return firstBad && [firstBad.number, firstBad.why];
};

describe("AUD-02: an audit log that was not touched", () => {
  it("holds, also in the middle of writing, and another organization's does not matter to it", async () => {
    const other = newId("org");
    await trail.write(1, 3, other);
    await trail.write(1, 1_050);
    expect(await trail.verify()).toMatchObject({ ok: true, rows: 1_050, firstBad: null, begins: 1 });
    await trail.store.org(trail.orgId).audit.append({
      id: newId("audit"),
      actor: { type: "system", id: "x", name: "x" },
      credential: null,
      action: "step.late",
      target: null,
      outcome: "done",
      requestId: null,
      address: null,
      details: {},
    });
    expect(await trail.verify()).toMatchObject({ ok: true, rows: 1_050, unsealed: { count: 1 } });
    trail.tamper(`DELETE FROM audit_log WHERE org_id = '${other}'`);
    expect(await bad()).toBeNull();
    expect((await trail.verify(other)).ok).toBe(false);
  });

  it("is sealed within a second", async () => {
    const { clock } = trail;
    const counter = createInProcessCounter({ clock });
    const errors: unknown[] = [];
    const telemetry = { unexpectedError: ({ error }: { error: unknown }) => void errors.push(error) };
    await trail.append(1);
    expect(await trail.verify()).toMatchObject({ rows: 0, unsealed: { count: 1 } });
    const jobs = startJobs({ jobs: [trail.sealer()], clock, counter, telemetry });
    await clock.advance(1_000);
    await expect.poll(() => trail.verify()).toMatchObject({ rows: 1, unsealed: { count: 0 } });
    await jobs.stop();
    await counter.close();
    expect(errors).toEqual([]);
  });

  it("is nothing to whoever has another key", async () => {
    await trail.write(1, 3);
    const verdict = await trail.verify(trail.orgId, Buffer.alloc(32, 8));
    expect(verdict.firstBad).toMatchObject({ number: 1, why: "changed" });
  });
});

describe("AUD-02: the first bad entry is named", () => {
  const row = (number: number) => `org_id = '${trail.orgId}' AND number = ${number}`;

  it.each([
    ["actor_id = 'usr_2'"],
    ["actor_name = 'Eve'"],
    ["action = 'nothing.happened'"],
    ["at = at + 1"],
    ["target_id = NULL"],
    ["outcome = 'refused'"],
    ["address = '198.51.100.1'"],
    [`details = '{"b":2,"a":"x"}'`],
    ["credential = NULL"],
    ["mac = lower(hex(zeroblob(32)))"],
    ["previous = ''"],
    ["erased = 1, details = '{\"b\":2}'"],
    ["erased = 1, actor_name = 'Eve'"],
    ["id = 'aud_000000000000000000000000x0'"],
  ])("changed: %s", async (change) => {
    await trail.write(1, 9);
    trail.tamper(`UPDATE audit_log SET ${change} WHERE ${row(4)}`);
    expect(await bad()).toEqual([4, "changed"]);
  });

  it("missing: one from the middle, the first, and all of them", async () => {
    await trail.write(1, 9);
    trail.tamper(`DELETE FROM audit_log WHERE ${row(5)}`);
    expect(await bad()).toEqual([5, "missing"]);
    trail.tamper(`DELETE FROM audit_log WHERE ${row(1)}`);
    expect(await bad()).toEqual([1, "missing"]);
    trail.tamper(`DELETE FROM audit_log WHERE org_id = '${trail.orgId}'`);
    expect(await bad()).toEqual([1, "truncated"]);
    trail.tamper(`DELETE FROM audit_heads WHERE org_id = '${trail.orgId}'`);
    expect(await bad()).toEqual([1, "truncated"]);
  });

  it("missing, and the later ones numbered anew", async () => {
    await trail.write(1, 9);
    trail.tamper(
      `DELETE FROM audit_log WHERE ${row(5)}; UPDATE audit_log SET number = -number WHERE org_id = '${trail.orgId}' AND number > 5;
        UPDATE audit_log SET number = -number - 1 WHERE org_id = '${trail.orgId}' AND number < 0`,
    );
    expect(await bad()).toEqual([5, "reordered"]);
  });

  it("reordered: two that changed places", async () => {
    await trail.write(1, 9);
    trail.tamper(`UPDATE audit_log SET number = -1 WHERE ${row(4)};
      UPDATE audit_log SET number = 4 WHERE ${row(6)}; UPDATE audit_log SET number = 6 WHERE ${row(-1)}`);
    expect(await bad()).toEqual([4, "reordered"]);
  });

  it("inserted: one that was never sealed by this server", async () => {
    await trail.write(1, 3);
    trail.tamper(`INSERT INTO audit_log (org_id, id, at, actor_type, actor_id, actor_name, action, outcome, details, number,
      previous, person_mac, details_mac, mac) SELECT org_id, 'aud_forged', at, actor_type, actor_id, actor_name, action, outcome,
      details, 4, mac, person_mac, details_mac, mac FROM audit_log WHERE ${row(3)};
      UPDATE audit_heads SET number = 4 WHERE org_id = '${trail.orgId}'`);
    expect(await bad()).toEqual([4, "changed"]);
  });

  it("truncated: the newest ones, though the head was put back; also after a restart", async () => {
    await trail.write(1, 9);
    trail.tamper(`DELETE FROM audit_log WHERE org_id = '${trail.orgId}' AND number > 6;
      UPDATE audit_heads SET number = 6, mac = (SELECT mac FROM audit_log WHERE ${row(6)}) WHERE org_id = '${trail.orgId}'`);
    expect(await bad()).toEqual([7, "truncated"]);
    await trail.anchors.flush();
    trail.anchors = new AuditAnchors(trail.anchorFile);
    expect(await bad()).toEqual([7, "truncated"]);
  });

  it("replaced: an older state of the log that was put back and went on", async () => {
    await trail.write(1, 9);
    await trail.anchors.flush();
    trail.tamper(`DELETE FROM audit_log WHERE org_id = '${trail.orgId}' AND number > 6;
      UPDATE audit_heads SET number = 6, mac = (SELECT mac FROM audit_log WHERE ${row(6)}) WHERE org_id = '${trail.orgId}'`);
    await trail.write(10, 19);
    expect(await bad()).toEqual([9, "replaced"]);
  });

  it("clock back: an entry that a sealer was made to seal with a time of before", async () => {
    await trail.write(1, 3);
    trail.tamper(`INSERT INTO audit_log (org_id, id, at, actor_type, actor_id, actor_name, action, outcome, details)
      SELECT org_id, 'aud_back', 5, actor_type, actor_id, actor_name, action, outcome, details FROM audit_log WHERE ${row(3)}`);
    await trail.seal();
    expect(await bad()).toEqual([4, "clock_back"]);
  });

  it("wrong head: the chain's end says something else than its last entry", async () => {
    await trail.write(1, 3);
    trail.tamper(`UPDATE audit_heads SET mac = 'x' WHERE org_id = '${trail.orgId}'`);
    expect(await bad()).toEqual([3, "wrong_head"]);
  });
});

describe("AUD-02: entries that are removed with intent", () => {
  it("leave a log that holds, begins later, and tells of it", async () => {
    await trail.write(1, 9);
    const { store, key, clock, orgId } = trail;
    const { items } = await store.org(orgId).audit.list({ limit: 9, oldestFirst: true });
    const before = items[5]?.at ?? 0;
    expect(await cutAudit({ store, key, clock, orgId, before })).toBe(5);
    expect(await cutAudit({ store, key, clock, orgId, before })).toBe(0);
    await trail.write(10, 12);
    expect(await trail.verify()).toMatchObject({ ok: true, rows: 8, begins: 6 });
    const { items: left } = await store.org(orgId).audit.list({ limit: 1, action: "audit." });
    expect(left[0]).toMatchObject({ action: "audit.cut", details: { upTo: 5 } });
    trail.tamper(`UPDATE audit_log SET actor_id = 'x' WHERE org_id = '${orgId}' AND number = 6`);
    expect(await bad()).toEqual([6, "changed"]);
  });

  it("cannot be said to be so by somebody without the key", async () => {
    await trail.write(1, 9);
    trail.tamper(`INSERT INTO audit_cuts (org_id, number, mac, at, seal)
      SELECT org_id, number, mac, at, 'x' FROM audit_log WHERE org_id = '${trail.orgId}' AND number = 5;
      DELETE FROM audit_log WHERE org_id = '${trail.orgId}' AND number <= 5`);
    expect(await bad()).toEqual([5, "forged_cut"]);
  });

  it("leave a log that holds when a person was blanked", async () => {
    await trail.write(1, 4);
    const { orgId } = trail;
    expect(await trail.store.system.audit.erasePerson({ orgId, actorId: "usr_1", limit: 10 })).toBe(4);
    expect(await trail.verify()).toMatchObject({ ok: true, rows: 4, erased: 4 });
  });
});

describe("AUD-02: the database itself", () => {
  it("refuses to change or delete an entry, sealed or not", async () => {
    // The others have dropped its triggers.
    const whole = await AuditTrail.open();
    trail = whole;
    await trail.write(1, 3);
    await trail.store.org(trail.orgId).audit.append({
      id: "aud_fresh",
      actor: { type: "user", id: "usr_1", name: "Ada" },
      credential: null,
      action: "step.4",
      target: null,
      outcome: "done",
      requestId: null,
      address: null,
      details: {},
    });
    const db = new DatabaseSync(join(trail.dataDir, "berth.db"), { timeout: 5_000 });
    for (const where of ["number = 2", "number IS NULL", "1"]) {
      for (const sql of [
        `DELETE FROM audit_log WHERE ${where}`,
        `UPDATE audit_log SET action = 'x' WHERE ${where}`,
        `UPDATE audit_log SET actor_name = 'x' WHERE ${where}`,
        `UPDATE audit_log SET details = '{}' WHERE ${where} AND details <> '{}'`,
        `UPDATE audit_log SET mac = 'x' WHERE ${where} AND number IS NOT NULL`,
        `UPDATE audit_log SET actor_name = '', erased = 2 WHERE ${where}`,
        `UPDATE audit_log SET number = number + 100 WHERE ${where} AND number IS NOT NULL`,
      ]) {
        expect([sql, changesOf(db, sql)]).toEqual([sql, 0]);
      }
    }
    db.close();
    await trail.seal();
    expect(await trail.verify()).toMatchObject({ ok: true, rows: 4 });
    await whole.close();
  });
});

/** Rows that a statement changes; none when the audit log's triggers refuse it. */
function changesOf(db: DatabaseSync, sql: string): number {
  try {
    return Number(db.prepare(sql).run().changes);
  } catch (error) {
    if (/an audit entry (stays|does not change)/.test(String(error))) return 0;
    throw error;
  }
}
