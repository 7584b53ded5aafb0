import { BerthError } from "../../../../lib/errors.ts";
import type { OrgRecord } from "../../../identity.ts";
import type { Outcome } from "../../../store.ts";
import type { ArgsOf } from "../../protocol.ts";
import { findOrgRecord, findOrgRecordBySlug } from "../../queries/identity/orgs.ts";
import type { Transaction } from "../../transaction.ts";
import { fenceOrg } from "../claim.ts";
import { once } from "../idempotency.ts";
import { insertInvitation } from "./invitations.ts";

export function createOrg(tx: Transaction, args: ArgsOf<"createOrg">): Outcome<OrgRecord> {
  const { orgId, caller, slug, name, owner, idempotency } = args;
  return once(tx, { orgId: caller, idempotency }, () => {
    refuseTakenSlug(tx, slug, orgId);
    tx.sql(
      "INSERT INTO orgs (id, name, slug, single, created_at, updated_at) VALUES (?1, ?2, ?3, NULL, ?4, ?4)",
    ).run(orgId, name, slug, tx.now);
    if (owner !== undefined) insertInvitation(tx, orgId, owner);
    return written(tx, orgId);
  });
}

export function updateOrg(tx: Transaction, args: ArgsOf<"updateOrg">): OrgRecord | null {
  const { orgId } = args;
  const org = findOrgRecord(tx.sql, orgId);
  if (org === null) return null;
  if (org.status === "erasing") {
    throw new BerthError("org_erasing", "This organization is being erased: nothing of it can be changed.");
  }
  const { slug = org.slug, name = org.name, status = org.status } = args;
  if (slug !== org.slug) refuseTakenSlug(tx, slug, orgId);
  if (status === "suspended" && isHome(tx, orgId)) {
    throw new BerthError("home_org", "The server's own organization cannot be suspended.");
  }
  const merged = Object.entries({ ...org.settings, ...args.settings }).filter(([, value]) => value !== null);
  tx.sql("UPDATE orgs SET slug = ?, name = ?, status = ?, settings = ?, updated_at = ? WHERE id = ?").run(
    slug,
    name,
    status,
    JSON.stringify(Object.fromEntries(merged)),
    tx.now,
    orgId,
  );
  if (status === "suspended") fenceOrg(tx, orgId);
  return written(tx, orgId);
}

function refuseTakenSlug(tx: Transaction, slug: string, orgId: string): void {
  const other = findOrgRecordBySlug(tx.sql, slug);
  if (other === null || other.id === orgId) return;
  throw new BerthError("org_slug_taken", `There is an organization ${slug} already: choose another slug.`);
}

function isHome(tx: Transaction, orgId: string): boolean {
  return tx.sql("SELECT 1 FROM orgs WHERE id = ? AND single = 1").get(orgId) !== undefined;
}

function written(tx: Transaction, orgId: string): OrgRecord {
  const org = findOrgRecord(tx.sql, orgId);
  if (org === null) throw new BerthError("internal", `organization ${orgId} was written and cannot be read`);
  return org;
}
