import { describe, expect, it } from "vitest";
import { createManualClock } from "../../test/support/manual-clock.ts";
import type { AuditDraft } from "../store/audit.ts";
import type { Store } from "../store/store.ts";
import { createRefusals, type Refusal } from "./refusals.ts";

function rig() {
  const clock = createManualClock();
  const written: AuditDraft[] = [];
  const errors: string[] = [];
  const disk = { full: false };
  const append = async (draft: AuditDraft) => {
    if (disk.full) throw new Error("no room");
    written.push(draft);
  };
  const store = { org: () => ({ audit: { append } }) } as unknown as Pick<Store, "org">;
  const telemetry = { unexpectedError: ({ where }: { where: string }) => void errors.push(where) };
  const refusals = createRefusals({ store, clock, telemetry });
  return { clock, written, errors, disk, refusals };
}

const refusal = (change: Partial<Refusal> = {}): Refusal => ({
  orgId: "org_a",
  actor: { type: "user", id: "usr_1", name: "Ada" },
  credential: "api_key:key_1",
  route: "GET /api/v1/sessions/{sessionId}",
  code: "session_not_found",
  target: { type: "session", id: "ses_1" },
  requestId: "req_1",
  address: "192.0.2.1",
  ...change,
});
const counts = (written: readonly AuditDraft[]) => written.map(({ details }) => details["count"]);

describe("AUD-03: refused accesses", () => {
  it("are entries of their own until the tenth of a minute, then one with their count", async () => {
    const { clock, written, refusals } = rig();
    for (let i = 0; i < 25; i++) await refusals.note(refusal());
    expect(written).toHaveLength(10);
    expect(written[0]).toMatchObject({
      action: "access.refused",
      outcome: "refused",
      actor: { id: "usr_1" },
      target: { type: "session", id: "ses_1" },
      requestId: "req_1",
      details: { code: "session_not_found", count: 1 },
    });
    await clock.advance(60_000);
    expect(counts(written)).toEqual([...Array.from({ length: 10 }, () => 1), 15]);
    expect(written[10]).toMatchObject({ target: null, requestId: null });
    await refusals.note(refusal());
    expect(written).toHaveLength(12);
    await refusals.stop();
    expect(clock.timers()).toBe(0);
  });

  it("are counted for each principal, route and organization on its own", async () => {
    const { written, refusals } = rig();
    const ben = { type: "user", id: "usr_2", name: "Ben" } as const;
    for (let i = 0; i < 11; i++) {
      for (const change of [{}, { actor: ben }, { route: "WS subscribe" }, { orgId: "org_b" }]) {
        await refusals.note(refusal(change));
      }
    }
    expect(written).toHaveLength(40);
    await refusals.stop();
    expect(written).toHaveLength(44);
  });

  it("fail the request when they cannot be written; a sum that is lost is told", async () => {
    const { errors, disk, written, refusals } = rig();
    disk.full = true;
    await expect(refusals.note(refusal())).rejects.toThrow("no room");
    disk.full = false;
    for (let i = 0; i < 12; i++) await refusals.note(refusal());
    disk.full = true;
    await refusals.stop();
    expect([written.length, errors]).toEqual([9, ["refusals"]]);
  });
});
