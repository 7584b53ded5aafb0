import { describe, expect, it } from "vitest";
import { createManualClock } from "../../test/support/manual-clock.ts";
import type { Peer } from "../auth/peer.ts";
import type { CredentialKind, Principal } from "../auth/principal.ts";
import { createInProcessBus } from "../coordination/in-process/bus.ts";
import { hintAuth } from "../auth/auth-hints.ts";
import { createAddressSet } from "../lib/addresses.ts";
import type { Store } from "../store/store.ts";
import { createAdmission } from "./admission.ts";
import { openOrgRules } from "./org-rules.ts";

const peer = (address: string): Peer => ({
  socket: "127.0.0.1",
  address,
  trustedProxy: true,
  certificate: null,
});

function principal(kind: CredentialKind): Principal {
  const credential = { kind, id: "x", expiresAt: null };
  return { type: "user", id: "usr_1", name: "a", orgId: "org_a", permissions: new Set(), credential };
}

async function start(settings: Record<string, unknown>, adminAllow: readonly string[] = []) {
  const clock = createManualClock();
  const bus = createInProcessBus({ clock });
  const row = { settings, reads: 0 };
  const findOrg = async () => {
    row.reads += 1;
    return { settings: row.settings };
  };
  const store = { org: () => ({ identity: { findOrg } }) } as unknown as Pick<Store, "org">;
  const rules = await openOrgRules({ store, bus, clock });
  const none = createAddressSet([]);
  const admission = createAdmission({
    rules,
    rates: null,
    uncounted: none,
    adminAllow: createAddressSet(adminAllow),
  });
  const admits = (kind: CredentialKind, address: string) =>
    admission.admit(principal(kind), peer(address), "read").then(
      () => true,
      (error: { code: string }) => error.code,
    );
  return { clock, bus, row, admits };
}

describe("who may come from where", () => {
  it("is up to the organization's list", async () => {
    const { admits } = await start({ ipAllow: ["203.0.113.0/24", "2001:db8::/32"] });
    expect(await admits("api_key", "203.0.113.7")).toBe(true);
    expect(await admits("cookie", "2001:db8::7")).toBe(true);
    for (const kind of ["api_key", "cookie", "jwt", "certificate", "share_link", "signature"] as const) {
      expect(await admits(kind, "198.51.100.7")).toBe("address_not_allowed");
    }
  });

  it("is anywhere without a list, and nowhere with one that cannot be read", async () => {
    for (const settings of [{}, { ipAllow: [] }]) {
      const { admits } = await start(settings);
      expect(await admits("api_key", "198.51.100.7")).toBe(true);
    }
    const { admits } = await start({ ipAllow: ["nonsense"] });
    expect(await admits("api_key", "198.51.100.7")).toBe("address_not_allowed");
  });

  it("is up to the server's list for the admin key, so that a wrong list can be mended", async () => {
    const { admits } = await start({ ipAllow: ["203.0.113.0/24"] }, ["10.0.0.0/8"]);
    expect(await admits("admin_key", "10.1.2.3")).toBe(true);
    expect(await admits("admin_key", "203.0.113.7")).toBe("address_not_allowed");
    expect(await admits("api_key", "203.0.113.7")).toBe(true);
  });

  it("is read again at once when it changes here, and soon when it changes elsewhere", async () => {
    const { admits, row, bus, clock } = await start({});
    expect(await admits("api_key", "198.51.100.7")).toBe(true);
    row.settings = { ipAllow: ["10.0.0.1"] };
    expect(await admits("api_key", "198.51.100.7")).toBe(true);
    expect(row.reads).toBe(1);
    hintAuth(bus, "org_a");
    await clock.advance(0);
    expect(await admits("api_key", "198.51.100.7")).toBe("address_not_allowed");
    row.settings = {};
    await clock.advance(2_000);
    expect(await admits("api_key", "198.51.100.7")).toBe(true);
  });
});
