import { describe, expect, it } from "vitest";
import { createManualClock } from "../../../test/support/manual-clock.ts";
import type { EgressDecision } from "../egress-decision.ts";
import { createEgressReports, type Decided } from "./reports.ts";

const denied = (host: string): Decided => ({
  host,
  port: 443,
  method: "CONNECT",
  verdict: "denied",
  reason: "not_listed",
  address: null,
});

function scene(maxKeys = 200) {
  const clock = createManualClock();
  const told: EgressDecision[] = [];
  const reports = createEgressReports({ clock, tell: (decision) => told.push(decision), maxKeys });
  return { clock, told, reports, counts: () => told.map(({ host, count }) => [host, count]) };
}

describe("reports of decisions", () => {
  it("tell the first at once, the others once a minute, and nothing when there is nothing", async () => {
    const { clock, reports, counts } = scene();
    for (let at = 0; at < 10_000; at++) reports.decided(denied("a.test"));
    reports.decided({ ...denied("a.test"), reason: "address_refused" });
    expect(counts()).toEqual([
      ["a.test", 1],
      ["a.test", 1],
    ]);
    await clock.advance(60_000);
    expect(counts().slice(2)).toEqual([["a.test", 9_999]]);
    await clock.advance(600_000);
    expect(counts()).toHaveLength(3);
    expect(clock.timers()).toBe(0);
    reports.decided(denied("a.test"));
    expect(counts().slice(3)).toEqual([["a.test", 1]]);
    reports.close();
    expect(clock.timers()).toBe(0);
  });

  it("count made-up hosts together beyond so many, and lose none", async () => {
    const { clock, reports, told, counts } = scene(10);
    for (let at = 0; at < 1_000; at++) reports.decided(denied(`${at}.test`));
    expect(told).toHaveLength(11);
    await clock.advance(60_000);
    expect(counts().at(-1)).toEqual(["*", 989]);
    reports.close();
    expect(told.reduce((sum, { count }) => sum + count, 0)).toBe(1_000);
  });

  it("tell a hundred characters of a host at most", () => {
    const { reports, told } = scene();
    const long = "a.".repeat(120);
    reports.decided(denied(`${long}one`));
    reports.decided(denied(`${long}two`));
    reports.close();
    expect(told.map(({ host, count }) => [host, count])).toEqual([
      [long.slice(0, 100), 1],
      [long.slice(0, 100), 1],
    ]);
  });

  it("bring the bytes of what was told before", async () => {
    const { clock, reports, told } = scene();
    const allowed: Decided = { ...denied("a.test"), verdict: "allowed", reason: "allowed" };
    reports.decided(allowed);
    reports.moved(allowed, { out: 5, in: 7 });
    await clock.advance(60_000);
    expect(told.at(-1)).toEqual({ ...allowed, count: 0, bytesOut: 5, bytesIn: 7 });
    reports.moved(allowed, { out: 1, in: 1 });
    reports.close();
    expect(told.at(-1)).toMatchObject({ count: 0, bytesOut: 1, bytesIn: 1 });
  });
});
