import { BerthError } from "../../lib/errors.ts";

// Every table of an organization, once: what an export takes of it and what becomes of it when a user is erased. A test compares it
// with the schema, column by column, so that no later one is forgotten. When an organization is erased every row of every table goes;
// but for `erasures`, the receipts.

export interface TenantTable {
  /** Names a row within its organization. */
  readonly key: readonly string[];
  /** Columns that an export holds. None: the table is in no export. */
  readonly exported: readonly string[];
  /** Why the other columns are in no export; `*` for all that are not named. */
  readonly withheld: Readonly<Record<string, string>>;
  /** Condition on the rows that are a user's, whose id is ?2. Null: none are. */
  readonly ofUser: string | null;
  /** What the erasure of a user does: `rows` deletes those of `ofUser`, `session` leaves them to their sessions; else why they stay. */
  readonly userErasure: "rows" | "session" | { readonly stays: string };
  /** Left out of exports for somebody who may read no conversations. */
  readonly conversation?: true;
}

/** Names of columns, parted by spaces. */
const columns = (names: string): readonly string[] => names.split(" ");
const secret = "is a secret, or a hash of one";
const inner = "is of use within this server only";
const none = { exported: [], withheld: { "*": inner }, ofUser: null } as const;
const ofSession = { ...none, userErasure: "session" } as const;
const orgs = (what: string) => ({ stays: `${what} of the organization` });

export const tenantTables = {
  agents: {
    key: ["id"],
    exported: columns("id name version archived created_at updated_at"),
    withheld: {},
    ofUser: null,
    userErasure: orgs("a definition"),
  },
  agent_versions: {
    key: ["agent_id", "version"],
    exported: columns("agent_id version definition created_at"),
    withheld: {},
    ofUser: null,
    userErasure: orgs("a definition"),
  },
  sessions: {
    key: ["id"],
    exported: columns(
      "id owner key title status visibility agent_id agent_version agent_name model metadata usage forked_from forked_seq last_seq created_at updated_at",
    ),
    withheld: { "*": inner },
    ofUser: "owner = ?2",
    userErasure: "session",
    conversation: true,
  },
  session_counts: { key: ["status"], ...ofSession },
  // Logs are exported session by session.
  log_blocks: { key: ["id"], ...ofSession },
  segments: { key: ["session_no", "ordinal"], ...ofSession },
  dead_logs: { key: ["log_no"], ...ofSession },
  rewinds: { key: ["session_no", "at"], ...ofSession },
  snapshots: { key: ["log_no", "seq"], ...ofSession },
  mailbox: { key: ["session_no", "id"], ...ofSession },
  client_ids: { key: ["session_no", "client_id"], ...ofSession },
  timers: { key: ["session_no", "kind", "ref"], ...ofSession },
  runs: {
    key: ["id"],
    exported: columns("id session_id status reason error usage cost steps created_at started_at finished_at"),
    withheld: { "*": inner },
    ofUser: "owner = ?2",
    userErasure: "session",
    conversation: true,
  },
  approvals: {
    key: ["id"],
    exported: columns(
      "id session_id run_id tool_use_id tool path status decided_by note created_at expires_at decided_at input",
    ),
    withheld: { "*": inner },
    ofUser: "owner = ?2",
    userErasure: "session",
    conversation: true,
  },
  // Replies that hold what was asked for, also those to whoever invited the user.
  idempotency: {
    key: ["scope", "key"],
    ...none,
    ofUser: `(scope LIKE '%:' || ?2 || ' %'
      OR instr(result, (SELECT json_quote(email) FROM accounts WHERE id = ?2 AND email IS NOT NULL)) > 0)`,
    userErasure: "rows",
  },
  // The files themselves are exported, and erased with what refers to them.
  blobs: { key: ["hash"], ...ofSession },
  blob_refs: { key: ["hash", "log_no"], ...ofSession },
  invitations: {
    key: ["id"],
    exported: columns(
      "id kind email name role invited_by created_at expires_at accepted_at accepted_by revoked_at",
    ),
    withheld: { token_hash: secret },
    ofUser: "(accepted_by = ?2 OR email = (SELECT email FROM accounts WHERE id = ?2))",
    userErasure: "rows",
  },
  roles: {
    key: ["name"],
    exported: columns("name description permissions created_at updated_at"),
    withheld: {},
    ofUser: null,
    userErasure: orgs("a definition"),
  },
  service_accounts: {
    key: ["id"],
    exported: columns("id name role status created_by created_at updated_at"),
    withheld: {},
    ofUser: "id = ?2",
    userErasure: "rows",
  },
  certificates: {
    key: ["service_account_id", "kind", "value"],
    exported: columns("service_account_id kind value created_at"),
    withheld: {},
    ofUser: "service_account_id = ?2",
    userErasure: "rows",
  },
  api_keys: {
    key: ["id"],
    exported: columns(
      "id name principal_type principal_id scopes created_by created_at expires_at last_used_at revoked_at replaced_by",
    ),
    withheld: { hash: secret, prefix: secret },
    ofUser: "principal_id = ?2",
    userErasure: "rows",
  },
  share_links: {
    key: ["id"],
    exported: columns("id session_id created_by created_at expires_at revoked_at last_used_at uses"),
    withheld: { token_hash: secret },
    ofUser: "created_by = ?2",
    userErasure: "rows",
    conversation: true,
  },
  data_keys: {
    key: ["version"],
    exported: [],
    withheld: { "*": secret },
    ofUser: null,
    userErasure: orgs("a key"),
  },
  secrets: {
    key: ["id"],
    exported: columns("id owner kind name created_by created_at updated_at"),
    withheld: { sealed: secret, key_version: inner },
    ofUser: "owner = ?2",
    userErasure: "rows",
  },
  model_providers: {
    key: ["name"],
    exported: columns("name definition created_by created_at updated_at"),
    withheld: {},
    ofUser: null,
    userErasure: orgs("a definition"),
  },
  provider_versions: { key: ["version"], ...none, userErasure: orgs("a counter") },
  user_configs: {
    key: ["user_id"],
    exported: columns("user_id version config created_at updated_at"),
    withheld: {},
    ofUser: "user_id = ?2",
    userErasure: "rows",
    conversation: true,
  },
  prompt_fragments: {
    key: ["user_id", "since"],
    exported: columns("user_id since fragments"),
    withheld: {},
    ofUser: "user_id = ?2",
    userErasure: "rows",
    conversation: true,
  },
  budgets: {
    key: ["id"],
    exported: columns("id scope target unit period amount on_limit warn_at created_by created_at updated_at"),
    withheld: {},
    ofUser: "scope = 'user' AND target = ?2",
    userErasure: "rows",
  },
  budget_periods: {
    key: ["budget_id", "starts_at"],
    exported: columns("budget_id starts_at spent reserved"),
    withheld: {},
    ofUser:
      "budget_id IN (SELECT id FROM budgets b WHERE b.org_id = ?1 AND b.scope = 'user' AND b.target = ?2)",
    userErasure: "rows",
  },
  budget_reserves: { key: ["session_no", "call"], ...ofSession },
  budget_waits: { key: ["budget_id", "session_no"], ...ofSession },
  budget_allowances: { key: ["budget_id", "run_id"], ...none, userErasure: orgs("a sum") },
  usage_ledger: {
    key: ["session_no", "call"],
    exported: columns(
      "session_id run_id call at kind name owner agents input_tokens output_tokens cache_read_tokens cache_write_tokens reasoning_tokens cost duration_ms ok estimated",
    ),
    withheld: { session_no: inner },
    ofUser: "owner = ?2",
    userErasure: { stays: "the organization's accounts: figures under an id that then names nobody" },
  },
  usage_days: {
    key: ["day", "owner", "agents", "kind", "name"],
    exported: [],
    withheld: { "*": "is the sum of the ledger" },
    ofUser: "owner = ?2",
    userErasure: { stays: "the organization's accounts: figures under an id that then names nobody" },
  },
  // The history of who had which sandbox. The sandboxes themselves are no table of an organization: they go with their sessions.
  sandbox_allocations: {
    key: ["id"],
    exported: columns(
      "id sandbox_id user_id session_id strategy created_at last_used_at is_active ended_at end_reason",
    ),
    withheld: { sandbox_url: inner },
    ofUser: "user_id = ?2",
    userErasure: "rows",
  },
  // The files are exported, and erased, with their sessions.
  workspaces: {
    key: ["session_id"],
    exported: columns("session_id folder strategy user_id size_bytes created_at last_used_at"),
    withheld: { workspace_id: inner, host: inner, awaits_files: inner },
    ofUser: "user_id = ?2",
    userErasure: "session",
  },
  quotas: {
    key: ["name"],
    exported: columns("name value updated_at"),
    withheld: {},
    ofUser: null,
    userErasure: orgs("a definition"),
  },
  stored_bytes: { key: ["bytes"], ...none, userErasure: orgs("a sum") },
  audit_log: {
    key: ["no"],
    exported: columns(
      "id at actor_type actor_id actor_name credential action target_type target_id outcome request_id address details erased number",
    ),
    withheld: { "*": "is a link of the chain, which the audit log's own export shows" },
    ofUser: "actor_id = ?2",
    userErasure: { stays: "evidence: names, addresses and details are blanked, ids stay" },
  },
  audit_heads: { key: ["number"], ...none, userErasure: orgs("the chain") },
  audit_cuts: { key: ["number"], ...none, userErasure: orgs("the chain") },
  exports: {
    key: ["id"],
    exported: columns("id scope user_id requested_by status created_at finished_at"),
    withheld: { "*": inner },
    ofUser: "(requested_by = ?2 OR user_id = ?2)",
    userErasure: "rows",
  },
  erasures: {
    key: ["id"],
    exported: columns("id scope target requested_by status counts created_at finished_at hash"),
    withheld: { "*": inner },
    ofUser: null,
    userErasure: { stays: "the receipt" },
  },
  erasure_blobs: { key: ["hash"], ...none, userErasure: { stays: "what is still to go" } },
  // Last: what was somebody's is found by their email until then.
  members: {
    key: ["user_id"],
    exported: columns("user_id role status created_at updated_at last_login_at"),
    withheld: {},
    ofUser: "user_id = ?2",
    userErasure: "rows",
  },
} as const satisfies Readonly<Record<string, TenantTable>>;

export type TenantTableName = keyof typeof tenantTables;

export function tenantTable(name: string): TenantTable {
  if (!Object.hasOwn(tenantTables, name)) throw new BerthError("internal", `there is no table ${name}`);
  return tenantTables[name as TenantTableName];
}

export const tenantTableNames = Object.keys(tenantTables) as readonly TenantTableName[];
