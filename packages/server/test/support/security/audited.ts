import type { Endpoint } from "../../../src/http/endpoint.ts";
import { newId } from "../../../src/lib/id.ts";
import type { AuditRecord } from "../../../src/store/audit.ts";
import { ask, requestFor, targetOf } from "./ask-endpoint.ts";
import type { Seen } from "./call.ts";
import type { Given, Row, Target } from "./matrix-row.ts";
import type { World } from "./world.ts";

/** An endpoint whose request is one entry of the audit log. */
export interface Audited {
  readonly action: string;
  /** A request that does something, where that of the matrix does not. */
  readonly given?: (target: Target) => Given | Promise<Given>;
  /** Headers say who asks; no key does. */
  readonly without?: "key";
  /** Asked again while the answer is a passing one. */
  readonly again?: readonly number[];
}

/** Of each endpoint what it tells the audit log, or why it tells it nothing. */
export type Told = Readonly<Record<string, Audited | string>>;

export interface Outcome {
  readonly seen: Seen;
  /** What any organization's log holds of this request. */
  readonly entries: readonly AuditRecord[];
}

/** Asks an endpoint as somebody who may, and looks for what the audit logs say of exactly that request. */
export async function askAndLook(
  world: World,
  { endpoint, row, audited }: { endpoint: Endpoint; row: Row; audited: Audited | null },
): Promise<Outcome> {
  const operator = row.may === "operator";
  const home = operator ? world.home : world.a;
  const target = targetOf(world, home);
  const key = audited?.without === "key" || row.may === "open" ? null : home.people.owner.key;
  for (let attempt = 1; ; attempt++) {
    const given = (await audited?.given?.(target)) ?? (await requestFor(row, target));
    const requestId = newId("request");
    const seen = await ask(world, endpoint, { key, given, headers: { "x-request-id": requestId } });
    const passing = audited?.again?.includes(seen.status) === true && attempt < 500;
    if (!passing) return { seen, entries: await entriesOf(world, requestId) };
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export async function entriesOf({ store }: World, requestId: string): Promise<readonly AuditRecord[]> {
  const found: AuditRecord[] = [];
  for (const orgId of await store.system.audit.orgs()) {
    const { items } = await store.org(orgId).audit.list({ limit: 100 });
    found.push(...items.filter((entry) => entry.requestId === requestId));
  }
  return found;
}
