import { onAuthHint } from "../auth/auth-hints.ts";
import { createShortMemory } from "../auth/short-memory.ts";
import type { Bus } from "../coordination/bus.ts";
import { type AddressSet, createAddressSet, isNetwork } from "../lib/addresses.ts";
import type { Clock } from "../lib/clock.ts";
import type { Store } from "../store/store.ts";

/** What an organization's settings say about its requests. */
export interface OrgRules {
  /** From where it may be used; null: from anywhere. */
  readonly ipAllow: AddressSet | null;
  /** How many times the server's rate limits it may use. */
  readonly rateFactor: number;
}

/** The rules of organizations, as they were at most some seconds ago. */
export interface AllOrgRules {
  /** At once for an organization that was asked for a moment ago: this is in the way of every request. */
  of(orgId: string): OrgRules | Promise<OrgRules>;
  readonly stop: () => void;
}

/** How long rules are remembered when no hint says that they changed, milliseconds. */
const ttlMs = 2_000;

const noRules: OrgRules = { ipAllow: null, rateFactor: 1 };

export async function openOrgRules(ports: {
  readonly store: Pick<Store, "org">;
  readonly bus: Bus;
  readonly clock: Clock;
}): Promise<AllOrgRules> {
  const { store, bus, clock } = ports;
  const memory = createShortMemory<OrgRules>({ clock, ttlMs });
  const stop = await onAuthHint(bus, ({ orgId }) => memory.forget(orgId));

  async function read(orgId: string): Promise<OrgRules> {
    const org = await store.org(orgId).identity.findOrg();
    const rules = org === null ? noRules : rulesOf(org.settings);
    memory.set(orgId, orgId, rules);
    return rules;
  }

  return { of: (orgId) => memory.get(orgId) ?? read(orgId), stop };
}

/** A list that cannot be read lets nobody in: it was meant to keep somebody out. */
function rulesOf({ ipAllow, rateFactor }: Readonly<Record<string, unknown>>): OrgRules {
  const listed = Array.isArray(ipAllow) ? ipAllow.map(String) : [];
  const readable = listed.filter(isNetwork);
  return {
    ipAllow: listed.length === 0 ? null : createAddressSet(readable),
    rateFactor: typeof rateFactor === "number" && rateFactor > 0 ? rateFactor : 1,
  };
}
