import { beforeEach, describe, expect, it } from "vitest";
import { createManualClock, type ManualClock } from "../../test/support/manual-clock.ts";
import { rolePermissions } from "./permissions.ts";
import type { Principal } from "./principal.ts";
import { createTickets, type Tickets } from "./tickets.ts";

const owner: Principal = {
  type: "user",
  id: "usr_1",
  name: "a",
  orgId: "org_1",
  permissions: rolePermissions.owner,
  credential: { kind: "admin_key", id: "test", expiresAt: null },
};
const viewer: Principal = {
  type: "service",
  id: "sva_1",
  name: "b",
  orgId: "org_2",
  permissions: rolePermissions.viewer,
  credential: { kind: "admin_key", id: "test", expiresAt: null },
};

describe("createTickets", () => {
  let clock: ManualClock;
  let tickets: Tickets;
  beforeEach(() => {
    clock = createManualClock();
    tickets = createTickets({ clock, limit: 3 });
  });

  const redeeming = (ticket: string) => () => tickets.redeem(ticket);
  const invalid = expect.objectContaining({ code: "invalid_ticket" });

  it("stands for the principal it was given to", () => {
    const [first, second] = [tickets.issue(owner), tickets.issue(viewer)];
    expect(first.ticket).toMatch(/^tkt_[A-Za-z0-9_-]{43}$/);
    expect(first.expiresAt).toBe(clock.now() + 30_000);
    expect(tickets.redeem(second.ticket)).toBe(viewer);
    expect(tickets.redeem(first.ticket)).toBe(owner);
  });

  it("works once", () => {
    const { ticket } = tickets.issue(owner);
    tickets.redeem(ticket);
    expect(redeeming(ticket)).toThrow(invalid);
  });

  it("works for 30 seconds, whatever the wall clock does", async () => {
    const [early, late, last] = [
      tickets.issue(owner).ticket,
      tickets.issue(owner).ticket,
      tickets.issue(owner).ticket,
    ];
    clock.stepWallClock(3_600_000);
    await clock.advance(29_999);
    expect(tickets.redeem(early)).toBe(owner);
    await clock.advance(1);
    expect(redeeming(late)).toThrow(invalid);
    clock.stepWallClock(-7_200_000);
    expect(redeeming(last)).toThrow(invalid);
  });

  it("does not know what it did not give", () => {
    tickets.issue(owner);
    for (const ticket of ["", "tkt_", `tkt_${"a".repeat(43)}`, "__proto__"])
      expect(redeeming(ticket)).toThrow(invalid);
  });

  it("gives no more than its limit until some are used or expire", async () => {
    const { ticket } = tickets.issue(owner);
    tickets.issue(owner);
    tickets.issue(owner);
    const full = expect.objectContaining({ code: "too_many_tickets", retryable: true });
    expect(() => tickets.issue(owner)).toThrow(full);
    tickets.redeem(ticket);
    tickets.issue(owner);
    expect(() => tickets.issue(owner)).toThrow(full);
    await clock.advance(30_000);
    for (let i = 0; i < 3; i++) tickets.issue(owner);
  });
});
