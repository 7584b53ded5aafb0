import { existsSync } from "node:fs";
import { join } from "node:path";
import { findAuditKey, serverKeysPath } from "../auth/server-keys.ts";
import { type AuditVerdict, verifyAudit } from "../auth/verify-audit.ts";
import type { Config } from "../config/schema.ts";
import { BerthError } from "../lib/errors.ts";
import { anchorFileAt, createAnchorFile } from "../store/disk/anchor-file.ts";
import { auditReads } from "../store/sqlite/audit-stores.ts";
import { openForReading } from "../store/sqlite/connection.ts";
import { auditedOrgs } from "../store/sqlite/queries/audit.ts";
import { Reader } from "../store/sqlite/reader.ts";

export interface VerifiedLog {
  readonly orgId: string;
  /** Null: the organization is gone. */
  readonly slug: string | null;
  readonly verdict: AuditVerdict;
}

export interface FolderVerification {
  readonly config: Pick<Config, "data" | "auditKey">;
  /** A copy of the anchors that was kept elsewhere, instead of the folder's own. */
  readonly anchors: string | null;
  /** Only this organization's, by id or slug; null: every one's. */
  readonly org: string | null;
}

/**
 * Verifies the audit logs of a data folder without a server, and changes nothing in it. Rejects with `no_data_folder`,
 * `missing_secrets` or `org_not_found`.
 */
export async function verifyFolder({
  config,
  anchors,
  org,
}: FolderVerification): Promise<readonly VerifiedLog[]> {
  const { data: dataDir, auditKey } = config;
  const path = join(dataDir, "berth.db");
  if (!existsSync(path)) {
    throw new BerthError(
      "no_data_folder",
      `There is no Berth data in ${dataDir}: name the folder with --data.`,
    );
  }
  const key = await findAuditKey({ path: serverKeysPath(dataDir), preset: auditKey });
  if (key === null) {
    throw new BerthError(
      "missing_secrets",
      "The audit log is verified with the server's audit key: set BERTH_AUDIT_KEY, or put server.keys into the folder.",
    );
  }
  const file = anchors === null ? createAnchorFile({ dataDir }) : anchorFileAt(anchors);
  const reader = new Reader(openForReading(path));
  try {
    const verified: VerifiedLog[] = [];
    const all = await reader.read(auditedOrgs);
    const wanted = all.filter(({ orgId, slug }) => org === null || org === orgId || org === slug);
    if (org !== null && wanted.length === 0)
      throw new BerthError("org_not_found", `There is no organization ${org} in ${dataDir}.`);
    for (const { orgId, slug } of wanted) {
      const audit = auditReads(reader, orgId);
      const verdict = await verifyAudit({ key, orgId, audit, anchors: await file.read(orgId) });
      verified.push({ orgId, slug, verdict });
    }
    return verified;
  } finally {
    reader.close();
  }
}
