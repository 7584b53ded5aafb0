import { BerthError } from "../../../../lib/errors.ts";
import type { Outcome } from "../../../store.ts";
import type { UserConfigRecord, UserSettings } from "../../../user-config.ts";
import type { VaultOperations } from "../../protocol/vault.ts";
import { findUserConfigRecord } from "../../queries/vault/user-configs.ts";
import type { Transaction } from "../../transaction.ts";
import { once } from "../idempotency.ts";
import { providersChanged } from "./model-providers.ts";
import { changeSecrets } from "./secrets.ts";

type Args<K extends keyof VaultOperations> = Parameters<VaultOperations[K]>[0];

/** Versions of a user's fragments that are kept for runs under way. */
const keptFragments = 50;

export function putUserConfig(tx: Transaction, args: Args<"putUserConfig">): Outcome<UserConfigRecord> {
  return once(tx, args, () => {
    const { orgId, userId, ifVersion, settings, secrets } = args;
    const before = findUserConfigRecord(tx.sql, orgId, userId);
    if ((before?.version ?? 0) !== ifVersion) throw changedMeanwhile(before, ifVersion);
    tx.sql(`INSERT INTO user_configs (org_id, user_id, version, config, created_at, updated_at)
      VALUES (?1, ?2, ?3, ?4, ?5, ?5)
      ON CONFLICT (org_id, user_id) DO UPDATE SET version = excluded.version, config = excluded.config,
        updated_at = excluded.updated_at`).run(
      orgId,
      userId,
      ifVersion + 1,
      JSON.stringify(settings),
      tx.now,
    );
    changeSecrets(tx, orgId, secrets);
    if (JSON.stringify(before?.modelProviders ?? []) !== JSON.stringify(settings.modelProviders))
      providersChanged(tx, orgId);
    else if (secrets.put.length + secrets.drop.length > 0) providersChanged(tx, orgId);
    noteFragments(tx, { orgId, userId }, settings.customSpFragments);
    const written = findUserConfigRecord(tx.sql, orgId, userId);
    if (written === null) throw new BerthError("internal", "a user config was written and cannot be read");
    return written;
  });
}

export function removeUserConfig(tx: Transaction, { orgId, userId }: Args<"removeUserConfig">): boolean {
  const { changes } = tx.sql("DELETE FROM user_configs WHERE org_id = ? AND user_id = ?").run(orgId, userId);
  if (Number(changes) === 0) return false;
  tx.sql("DELETE FROM secrets WHERE org_id = ? AND owner = ?").run(orgId, userId);
  providersChanged(tx, orgId);
  noteFragments(tx, { orgId, userId }, []);
  return true;
}

function changedMeanwhile(before: UserConfigRecord | null, ifVersion: number): BerthError {
  if (ifVersion === 0) {
    return new BerthError("user_config_exists", "There is a user config already: change it with PUT.");
  }
  const now = before === null ? "was deleted" : `is at version ${before.version}`;
  return new BerthError(
    "version_mismatch",
    `The user config ${now}, not at ${ifVersion}: read it again and repeat the change.`,
    { details: { version: before?.version ?? 0 } },
  );
}

/** Writes down what prompts have from now on, when that changed. */
function noteFragments(
  tx: Transaction,
  { orgId, userId }: { readonly orgId: string; readonly userId: string },
  all: UserSettings["customSpFragments"],
): void {
  const fragments = JSON.stringify(all.filter(({ enabled }) => enabled).map(({ content }) => content));
  const last = tx
    .sql<{ since: number; fragments: string }>(
      "SELECT since, fragments FROM prompt_fragments WHERE org_id = ? AND user_id = ? ORDER BY since DESC LIMIT 1",
    )
    .get(orgId, userId);
  if (fragments === (last?.fragments ?? "[]")) return;
  const since = Math.max(tx.now, (last?.since ?? 0) + 1);
  tx.sql("INSERT INTO prompt_fragments (org_id, user_id, since, fragments) VALUES (?, ?, ?, ?)").run(
    orgId,
    userId,
    since,
    fragments,
  );
  tx.sql(
    `DELETE FROM prompt_fragments WHERE org_id = ?1 AND user_id = ?2 AND since <= (
      SELECT since FROM prompt_fragments WHERE org_id = ?1 AND user_id = ?2 ORDER BY since DESC LIMIT 1 OFFSET ?3)`,
  ).run(orgId, userId, keptFragments);
}
