import { beforeEach, describe, expect, it } from "vitest";
import { createManualClock, type ManualClock } from "../../test/support/manual-clock.ts";
import type { CredentialKind, Principal } from "../auth/principal.ts";
import type { Counter } from "../coordination/counter.ts";
import { createInProcessCounter } from "../coordination/in-process/counter.ts";
import { createRateLimits, type RateClass, type RateLimits, type RateSettings } from "./rate-limits.ts";

const perMs = 60_000;
const settings: RateSettings = {
  read: { count: 6, perMs },
  write: { count: 3, perMs },
  heavy: { count: 1, perMs },
  login: { count: 2, perMs },
  principalFactor: 2,
  orgFactor: 3,
  addressFactor: 10,
};

function principal(id: string, key: string, kind: CredentialKind = "api_key", orgId = "org_a"): Principal {
  const credential = { kind, id: key, expiresAt: null };
  return { type: "user", id, name: id, orgId, permissions: new Set(), credential };
}

let clock: ManualClock;
let counter: Counter;
let limits: RateLimits;
beforeEach(() => {
  clock = createManualClock();
  counter = createInProcessCounter({ clock });
  limits = createRateLimits({ counter, settings });
});

/** How many of so many requests come through, and the limit that refuses the first of the others. */
async function through(
  count: number,
  take: () => Promise<unknown>,
): Promise<{ passed: number; by?: unknown }> {
  for (let passed = 0; passed < count; passed++) {
    try {
      await take();
    } catch (thrown) {
      return { passed, by: (thrown as { details: { policy: unknown } }).details.policy };
    }
  }
  return { passed: count };
}

const ask = (who: Principal, kind: RateClass = "read", factor = 1) =>
  through(100, () => limits.takeForPrincipal(who, kind, factor));

describe("NET-07: a rate limit", () => {
  it("holds for one key, then for its principal, then for the organization", async () => {
    expect(await ask(principal("usr_1", "key_1"))).toEqual({ passed: 6, by: "read" });
    expect(await ask(principal("usr_1", "key_2"))).toEqual({ passed: 6, by: "read" });
    expect(await ask(principal("usr_1", "key_3"))).toEqual({ passed: 0, by: "read-principal" });
    expect(await ask(principal("usr_2", "key_4"))).toEqual({ passed: 6, by: "read" });
    expect(await ask(principal("usr_3", "key_5"))).toEqual({ passed: 0, by: "read-org" });
    expect(await ask(principal("usr_9", "key_9", "api_key", "org_b"))).toEqual({ passed: 6, by: "read" });
  });

  it("is one for each class", async () => {
    const who = principal("usr_1", "key_1");
    expect([await ask(who, "heavy"), await ask(who, "write"), await ask(who, "read")]).toEqual([
      { passed: 1, by: "heavy" },
      { passed: 3, by: "write" },
      { passed: 6, by: "read" },
    ]);
  });

  it("knows a principal again, whichever object stands for it and whichever process asks", async () => {
    expect(await ask(principal("usr_1", "key_1"))).toMatchObject({ passed: 6 });
    limits = createRateLimits({ counter, settings });
    expect(await ask(principal("usr_1", "key_1"))).toMatchObject({ passed: 0 });
  });

  it("refills evenly, and says when to come again and what is left", async () => {
    const who = principal("usr_1", "key_1");
    expect(await limits.takeForPrincipal(who, "write", 1)).toEqual({
      policy: "write",
      capacity: 3,
      perMs,
      remaining: 2,
    });
    await ask(who, "write");
    const details = { policy: "write", capacity: 3, perMs, remaining: 0, retryAfterMs: 20_000 };
    await expect(limits.takeForPrincipal(who, "write", 1)).rejects.toMatchObject({
      code: "rate_limited",
      retryable: true,
      details,
    });
    await clock.advance(19_999);
    expect(await ask(who, "write")).toMatchObject({ passed: 0 });
    await clock.advance(1);
    expect(await ask(who, "write")).toMatchObject({ passed: 1 });
  });

  it("is wider or narrower for an organization that the operator says so of", async () => {
    expect(await ask(principal("usr_1", "key_1"), "read", 2)).toEqual({ passed: 12, by: "read" });
    const other = principal("usr_2", "key_2", "api_key", "org_b");
    expect(await ask(other, "read", 0.1)).toEqual({ passed: 1, by: "read" });
  });

  it("counts an IPv6 client's whole /64 as one", async () => {
    const from = (address: string) => through(100, () => limits.takeForAddress(address, "read"));
    expect(await from("2001:db8:1:2::1")).toEqual({ passed: 60, by: "address" });
    expect(await from("2001:db8:1:2:ffff::9")).toEqual({ passed: 0, by: "address" });
    expect(await from("2001:db8:1:3::1")).toMatchObject({ passed: 60 });
    expect(await from("203.0.113.7")).toMatchObject({ passed: 60 });
    expect(await from("203.0.113.8")).toMatchObject({ passed: 60 });
  });

  it("costs an address more for a credential that opens nothing, down to its last request", async () => {
    const from = "203.0.113.7";
    for (let i = 0; i < 3; i++) {
      await limits.takeForAddress(from, "read");
      await limits.punishAddress(from);
    }
    expect(await through(100, () => limits.takeForAddress(from, "read"))).toEqual({
      passed: 0,
      by: "address",
    });
    await limits.punishAddress(from);
    await clock.advance(1_000);
    expect(await through(100, () => limits.takeForAddress(from, "read"))).toMatchObject({ passed: 1 });
  });

  it("is narrow for who logs in, apart from all else that the address does", async () => {
    const from = "203.0.113.7";
    expect(await through(9, () => limits.takeForAddress(from, "login"))).toEqual({ passed: 2, by: "login" });
    expect(await through(9, () => limits.takeForAddress(from, "read"))).toEqual({ passed: 9 });
  });
});
