CREATE TABLE accounts (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  email TEXT,
  email_verified INTEGER NOT NULL DEFAULT 0,
  password_hash TEXT,
  status TEXT NOT NULL DEFAULT 'active',
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  last_login_at INTEGER,
  operator INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX accounts_by_email ON accounts (email) WHERE email IS NOT NULL;

CREATE TABLE agent_versions (
  org_id TEXT NOT NULL,
  agent_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  definition TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (org_id, agent_id, version)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER agents_within_quota AFTER INSERT ON agents BEGIN
  SELECT RAISE(ABORT, 'quota_exceeded agents ' || allowed || ' ' || used) FROM (SELECT
    (SELECT count(*) FROM agents WHERE org_id = new.org_id AND archived = 0) AS used,
    coalesce((SELECT value FROM quotas WHERE org_id = new.org_id AND name = 'agents'),
      (SELECT value FROM quota_defaults WHERE name = 'agents')) AS allowed) WHERE used > allowed;
END;

CREATE TRIGGER agents_within_quota_again AFTER UPDATE OF archived ON agents WHEN old.archived = 1 AND new.archived = 0 BEGIN
  SELECT RAISE(ABORT, 'quota_exceeded agents ' || allowed || ' ' || used) FROM (SELECT
    (SELECT count(*) FROM agents WHERE org_id = new.org_id AND archived = 0) AS used,
    coalesce((SELECT value FROM quotas WHERE org_id = new.org_id AND name = 'agents'),
      (SELECT value FROM quota_defaults WHERE name = 'agents')) AS allowed) WHERE used > allowed;
END;

CREATE TABLE agents (
  org_id TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  archived INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (org_id, id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX agents_by_name ON agents (org_id, name);

CREATE TRIGGER api_keys_within_quota AFTER INSERT ON api_keys BEGIN
  SELECT RAISE(ABORT, 'quota_exceeded apiKeys ' || allowed || ' ' || used) FROM (SELECT
    (SELECT count(*) FROM api_keys WHERE org_id = new.org_id AND revoked_at IS NULL AND replaced_by IS NULL
      AND (expires_at IS NULL OR expires_at > new.created_at)) AS used,
    coalesce((SELECT value FROM quotas WHERE org_id = new.org_id AND name = 'apiKeys'),
      (SELECT value FROM quota_defaults WHERE name = 'apiKeys')) AS allowed) WHERE used > allowed;
END;

CREATE TABLE api_keys (
  org_id TEXT NOT NULL,
  id TEXT NOT NULL,
  prefix TEXT NOT NULL,
  hash TEXT NOT NULL,
  name TEXT NOT NULL,
  principal_type TEXT NOT NULL,
  principal_id TEXT NOT NULL,
  scopes TEXT,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  last_used_at INTEGER,
  revoked_at INTEGER,
  replaced_by TEXT,
  PRIMARY KEY (org_id, id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX api_keys_by_prefix ON api_keys (prefix);

CREATE INDEX api_keys_by_principal ON api_keys (org_id, principal_id, id);

CREATE TABLE approvals (
  org_id TEXT NOT NULL,
  id TEXT NOT NULL,
  session_id TEXT NOT NULL,
  run_id TEXT NOT NULL,
  tool_use_id TEXT NOT NULL,
  tool TEXT NOT NULL,
  input_hash TEXT NOT NULL,
  path TEXT NOT NULL,
  status TEXT NOT NULL,
  decided_by TEXT,
  note TEXT,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  decided_at INTEGER,
  input TEXT NOT NULL, owner TEXT NOT NULL DEFAULT '', shared INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (org_id, id)
) STRICT;

CREATE INDEX approvals_by_owner ON approvals (org_id, owner, id);

CREATE INDEX approvals_by_session ON approvals (org_id, session_id, id);

CREATE INDEX approvals_pending ON approvals (org_id, id) WHERE status = 'pending';

CREATE INDEX approvals_shared ON approvals (org_id, id) WHERE shared = 1;

CREATE TABLE audit_cuts (
  org_id TEXT PRIMARY KEY,
  number INTEGER NOT NULL,
  mac TEXT NOT NULL,
  at INTEGER NOT NULL,
  seal TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_heads (
  org_id TEXT PRIMARY KEY,
  number INTEGER NOT NULL,
  mac TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER audit_rows_stand BEFORE UPDATE ON audit_log
  WHEN new.no <> old.no OR new.org_id <> old.org_id OR new.id <> old.id OR new.at <> old.at
    OR new.actor_type <> old.actor_type OR new.actor_id <> old.actor_id OR new.credential IS NOT old.credential
    OR new.action <> old.action OR new.target_type IS NOT old.target_type OR new.target_id IS NOT old.target_id
    OR new.outcome <> old.outcome OR new.request_id IS NOT old.request_id
    OR (old.number IS NOT NULL AND (new.number IS NOT old.number OR new.previous IS NOT old.previous
      OR new.person_mac IS NOT old.person_mac OR new.details_mac IS NOT old.details_mac OR new.mac IS NOT old.mac))
    OR ((new.actor_name <> old.actor_name OR new.address IS NOT old.address OR new.details <> old.details)
      AND NOT (old.number IS NOT NULL AND new.erased = 1 AND new.actor_name = '' AND new.address IS NULL
        AND new.details IN ('{}', old.details)))
    OR (new.erased <> old.erased AND new.erased <> 1)
BEGIN
  SELECT RAISE(ABORT, 'an audit entry does not change');
END;

CREATE TRIGGER audit_rows_stay BEFORE DELETE ON audit_log
  WHEN NOT EXISTS (SELECT 1 FROM audit_cuts c WHERE c.org_id = old.org_id AND old.number <= c.number)
    AND NOT EXISTS (SELECT 1 FROM erasures e WHERE e.org_id = old.org_id AND e.scope = 'org' AND e.status = 'running')
BEGIN
  SELECT RAISE(ABORT, 'an audit entry stays until its organization''s log is cut after it');
END;

CREATE TABLE audit_log (
  no INTEGER PRIMARY KEY AUTOINCREMENT,
  org_id TEXT NOT NULL,
  id TEXT NOT NULL,
  at INTEGER NOT NULL,
  actor_type TEXT NOT NULL,
  actor_id TEXT NOT NULL,
  actor_name TEXT NOT NULL,
  credential TEXT,
  action TEXT NOT NULL,
  target_type TEXT,
  target_id TEXT,
  outcome TEXT NOT NULL,
  request_id TEXT,
  address TEXT,
  details TEXT NOT NULL,
  erased INTEGER NOT NULL DEFAULT 0,
  number INTEGER,
  previous TEXT,
  person_mac TEXT,
  details_mac TEXT,
  mac TEXT
) STRICT;

CREATE INDEX audit_log_by_actor ON audit_log (org_id, actor_id, at, no);

CREATE UNIQUE INDEX audit_log_by_id ON audit_log (org_id, id);

CREATE UNIQUE INDEX audit_log_by_number ON audit_log (org_id, number) WHERE number IS NOT NULL;

CREATE INDEX audit_log_by_target ON audit_log (org_id, target_id, at, no) WHERE target_id IS NOT NULL;

CREATE INDEX audit_log_by_time ON audit_log (org_id, at, no);

CREATE INDEX audit_log_unsealed ON audit_log (org_id, no) WHERE number IS NULL;

CREATE TABLE blob_refs (
  org_id TEXT NOT NULL,
  hash TEXT NOT NULL,
  log_no INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (org_id, hash, log_no)
) STRICT, WITHOUT ROWID;

CREATE INDEX blob_refs_by_log ON blob_refs (log_no, seq);

CREATE TRIGGER blobs_summed_on_delete AFTER DELETE ON blobs BEGIN
  UPDATE stored_bytes SET bytes = bytes - old.size WHERE org_id = old.org_id;
END;

CREATE TRIGGER blobs_summed_on_insert AFTER INSERT ON blobs BEGIN
  INSERT INTO stored_bytes (org_id, bytes) VALUES (new.org_id, new.size)
    ON CONFLICT DO UPDATE SET bytes = bytes + new.size;
  SELECT RAISE(ABORT, 'quota_exceeded storedBytes ' || allowed || ' ' || used) FROM (SELECT
    (SELECT bytes FROM stored_bytes WHERE org_id = new.org_id) AS used,
    coalesce((SELECT value FROM quotas WHERE org_id = new.org_id AND name = 'storedBytes'),
      (SELECT value FROM quota_defaults WHERE name = 'storedBytes')) AS allowed) WHERE used > allowed;
END;

CREATE TABLE blobs (
  org_id TEXT NOT NULL,
  hash TEXT NOT NULL,
  size INTEGER NOT NULL,
  noted_at INTEGER NOT NULL,
  referenced INTEGER NOT NULL,
  PRIMARY KEY (org_id, hash)
) STRICT, WITHOUT ROWID;

CREATE INDEX blobs_unreferenced ON blobs (noted_at) WHERE referenced = 0;

CREATE TABLE budget_allowances (
  org_id TEXT NOT NULL,
  budget_id TEXT NOT NULL,
  run_id TEXT NOT NULL,
  granted INTEGER NOT NULL,
  used INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (org_id, budget_id, run_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX budget_allowances_by_run ON budget_allowances (org_id, run_id);

CREATE TABLE budget_periods (
  org_id TEXT NOT NULL,
  budget_id TEXT NOT NULL,
  starts_at INTEGER NOT NULL,
  spent INTEGER NOT NULL,
  reserved INTEGER NOT NULL,
  PRIMARY KEY (org_id, budget_id, starts_at)
) STRICT, WITHOUT ROWID;

CREATE TABLE budget_reserves (
  org_id TEXT NOT NULL,
  session_no INTEGER NOT NULL,
  call TEXT NOT NULL,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  model TEXT NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  -- Null: the model has no price.
  cost INTEGER,
  owner TEXT NOT NULL,
  -- Ids of the agent that calls and of those above it, parted by spaces.
  agents TEXT NOT NULL,
  run_id TEXT NOT NULL,
  PRIMARY KEY (org_id, session_no, call)
) STRICT, WITHOUT ROWID;

CREATE TABLE budget_waits (
  org_id TEXT NOT NULL,
  budget_id TEXT NOT NULL,
  session_no INTEGER NOT NULL,
  PRIMARY KEY (org_id, budget_id, session_no)
) STRICT, WITHOUT ROWID;

CREATE INDEX budget_waits_by_session ON budget_waits (org_id, session_no);

CREATE TABLE budgets (
  org_id TEXT NOT NULL,
  id TEXT NOT NULL,
  scope TEXT NOT NULL,
  target TEXT NOT NULL,
  unit TEXT NOT NULL,
  period TEXT NOT NULL,
  amount INTEGER NOT NULL,
  on_limit TEXT NOT NULL,
  -- Share of the amount from which on it is warned; null: never.
  warn_at REAL,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (org_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX budgets_by_target ON budgets (org_id, scope, target);

CREATE TABLE certificates (
  org_id TEXT NOT NULL,
  service_account_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (org_id, service_account_id, kind, value)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX certificates_by_value ON certificates (kind, value);

CREATE TABLE client_ids (
  org_id TEXT NOT NULL,
  session_no INTEGER NOT NULL,
  client_id TEXT NOT NULL,
  input_id TEXT NOT NULL,
  position INTEGER NOT NULL,
  run_id TEXT,
  accepted_at INTEGER NOT NULL,
  PRIMARY KEY (org_id, session_no, client_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX client_ids_by_age ON client_ids (accepted_at);

CREATE TABLE data_keys (
  org_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  wrapped BLOB NOT NULL,
  master_id TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (org_id, version)
) STRICT, WITHOUT ROWID;

CREATE INDEX data_keys_by_master ON data_keys (master_id);

CREATE TABLE dead_logs (
  org_id TEXT NOT NULL,
  log_no INTEGER NOT NULL,
  pending INTEGER NOT NULL,
  PRIMARY KEY (org_id, log_no)
) STRICT, WITHOUT ROWID;

CREATE INDEX dead_logs_pending ON dead_logs (log_no) WHERE pending = 1;

CREATE TABLE deployment (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  id TEXT NOT NULL,
  generation INTEGER NOT NULL
) STRICT;

CREATE TABLE erasure_blobs (
  org_id TEXT NOT NULL,
  hash TEXT NOT NULL,
  PRIMARY KEY (org_id, hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE erasures (
  org_id TEXT NOT NULL,
  id TEXT NOT NULL,
  scope TEXT NOT NULL,
  target TEXT NOT NULL,
  requested_by TEXT NOT NULL,
  -- Where the last entry of its audit belongs: an organization that is erased has no log any more.
  told_to TEXT NOT NULL,
  status TEXT NOT NULL,
  counts TEXT NOT NULL DEFAULT '{}',
  error TEXT,
  created_at INTEGER NOT NULL,
  finished_at INTEGER,
  hash TEXT,
  PRIMARY KEY (org_id, id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX erasures_by_id ON erasures (id);

CREATE INDEX erasures_open ON erasures (created_at) WHERE status = 'running';

CREATE TABLE exports (
  org_id TEXT NOT NULL,
  id TEXT NOT NULL,
  scope TEXT NOT NULL,
  user_id TEXT,
  conversations INTEGER NOT NULL,
  requested_by TEXT NOT NULL,
  status TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  parts TEXT NOT NULL DEFAULT '{}',
  bytes INTEGER,
  sha256 TEXT,
  error TEXT,
  created_at INTEGER NOT NULL,
  finished_at INTEGER,
  expires_at INTEGER,
  PRIMARY KEY (org_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX exports_by_expiry ON exports (expires_at) WHERE expires_at IS NOT NULL;

CREATE INDEX exports_open ON exports (created_at) WHERE status IN ('queued', 'running');

CREATE TABLE idempotency (
  org_id TEXT NOT NULL,
  scope TEXT NOT NULL,
  key TEXT NOT NULL,
  body_hash TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  result TEXT NOT NULL,
  PRIMARY KEY (org_id, scope, key)
) STRICT;

CREATE INDEX idempotency_by_age ON idempotency (created_at);

CREATE TABLE identities (
  source TEXT NOT NULL,
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  user_id TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (source, issuer, subject)
) STRICT, WITHOUT ROWID;

CREATE INDEX identities_by_user ON identities (user_id);

CREATE TABLE invitations (
  org_id TEXT NOT NULL,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  email TEXT NOT NULL,
  name TEXT,
  role TEXT NOT NULL,
  token_hash TEXT NOT NULL,
  invited_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  accepted_at INTEGER,
  accepted_by TEXT,
  revoked_at INTEGER,
  PRIMARY KEY (org_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX invitations_by_email ON invitations (email, org_id) WHERE accepted_at IS NULL AND revoked_at IS NULL;

CREATE INDEX invitations_by_expiry ON invitations (expires_at);

CREATE UNIQUE INDEX invitations_by_token ON invitations (token_hash);

CREATE TABLE log_blocks (
  id INTEGER PRIMARY KEY,
  org_id TEXT NOT NULL,
  log_no INTEGER NOT NULL,
  first_seq INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  types TEXT NOT NULL,
  body TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX log_blocks_by_seq ON log_blocks (log_no, first_seq);

CREATE TABLE logins (
  id TEXT PRIMARY KEY,
  token_hash TEXT NOT NULL,
  csrf_hash TEXT NOT NULL,
  user_id TEXT NOT NULL,
  current_org TEXT NOT NULL,
  method TEXT NOT NULL,
  address TEXT,
  agent TEXT,
  created_at INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX logins_by_expiry ON logins (expires_at);

CREATE UNIQUE INDEX logins_by_token ON logins (token_hash);

CREATE INDEX logins_by_user ON logins (user_id);

CREATE TABLE mailbox (
  org_id TEXT NOT NULL,
  session_no INTEGER NOT NULL,
  id TEXT NOT NULL,
  lane INTEGER NOT NULL,
  position INTEGER NOT NULL,
  run_id TEXT,
  accepted_at INTEGER NOT NULL,
  traceparent TEXT,
  actor TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (org_id, session_no, id)
) STRICT;

CREATE TRIGGER members_within_quota AFTER INSERT ON members BEGIN
  SELECT RAISE(ABORT, 'quota_exceeded members ' || allowed || ' ' || used) FROM (SELECT
    (SELECT count(*) FROM members WHERE org_id = new.org_id) AS used,
    coalesce((SELECT value FROM quotas WHERE org_id = new.org_id AND name = 'members'),
      (SELECT value FROM quota_defaults WHERE name = 'members')) AS allowed) WHERE used > allowed;
END;

CREATE TABLE members (
  org_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  role TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'active',
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  -- Here: where else somebody logs in is no organization's business.
  last_login_at INTEGER,
  PRIMARY KEY (org_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX members_by_user ON members (user_id);

CREATE TABLE migrations (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL, breaking INTEGER NOT NULL, applied_at INTEGER NOT NULL) STRICT;

CREATE TABLE model_providers (
  org_id TEXT NOT NULL,
  name TEXT NOT NULL,
  definition TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (org_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE orgs (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  single INTEGER UNIQUE CHECK (single = 1),
  created_at INTEGER NOT NULL
, slug TEXT, status TEXT NOT NULL DEFAULT 'active', settings TEXT NOT NULL DEFAULT '{}', updated_at INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX orgs_by_slug ON orgs (slug);

CREATE TABLE prompt_fragments (
  org_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  since INTEGER NOT NULL,
  fragments TEXT NOT NULL,
  PRIMARY KEY (org_id, user_id, since)
) STRICT, WITHOUT ROWID;

CREATE TABLE provider_versions (
  org_id TEXT PRIMARY KEY,
  version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE quota_defaults (
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE quotas (
  org_id TEXT NOT NULL,
  name TEXT NOT NULL,
  value INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (org_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE rewinds (
  org_id TEXT NOT NULL,
  session_no INTEGER NOT NULL,
  at INTEGER NOT NULL,
  to_seq INTEGER NOT NULL,
  PRIMARY KEY (org_id, session_no, at)
) STRICT, WITHOUT ROWID;

CREATE TABLE roles (
  org_id TEXT NOT NULL,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  permissions TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (org_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
  org_id TEXT NOT NULL,
  id TEXT NOT NULL,
  session_id TEXT NOT NULL,
  status TEXT NOT NULL,
  reason TEXT,
  error TEXT,
  recovery TEXT,
  usage TEXT,
  cost REAL,
  steps INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  finished_at INTEGER, owner TEXT NOT NULL DEFAULT '', shared INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (org_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX runs_by_owner ON runs (org_id, owner, id);

CREATE INDEX runs_by_session ON runs (org_id, session_id, id);

CREATE INDEX runs_open ON runs (org_id, status, id) WHERE status IN ('queued', 'running', 'waiting');

CREATE INDEX runs_shared ON runs (org_id, id) WHERE shared = 1;

CREATE TABLE sandbox_allocations (
  org_id TEXT NOT NULL,
  id TEXT NOT NULL,
  sandbox_id TEXT NOT NULL,
  sandbox_url TEXT NOT NULL,
  user_id TEXT NOT NULL,
  session_id TEXT NOT NULL,
  strategy TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL,
  is_active INTEGER NOT NULL,
  ended_at INTEGER,
  end_reason TEXT,
  PRIMARY KEY (org_id, id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX sandbox_allocations_active ON sandbox_allocations (org_id, session_id) WHERE is_active = 1;

CREATE INDEX sandbox_allocations_by_end ON sandbox_allocations (ended_at) WHERE is_active = 0;

CREATE INDEX sandbox_allocations_by_sandbox ON sandbox_allocations (sandbox_id, is_active);

CREATE INDEX sandbox_allocations_by_session ON sandbox_allocations (org_id, session_id, id);

CREATE TABLE sandbox_instances (
  id TEXT PRIMARY KEY,
  beats INTEGER NOT NULL,
  beat_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sandboxes (
  id TEXT PRIMARY KEY,
  incarnation TEXT NOT NULL,
  deployment TEXT NOT NULL,
  provider TEXT NOT NULL,
  host TEXT,
  template TEXT NOT NULL,
  state TEXT NOT NULL CHECK
    (state IN ('requested', 'creating', 'warm', 'claimed', 'active', 'destroying', 'destroyed', 'lost', 'failed')),
  owner_instance TEXT NOT NULL,
  owner_org TEXT,
  owner_user TEXT,
  session TEXT,
  strategy TEXT,
  workspace_id TEXT,
  policy TEXT NOT NULL,
  url TEXT,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  claimed_at INTEGER,
  last_used_at INTEGER,
  guest_at INTEGER,
  expires_at INTEGER NOT NULL,
  idle_ttl INTEGER NOT NULL,
  destroy_reason TEXT,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_try_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX sandboxes_by_owner ON sandboxes (owner_org, owner_user)
  WHERE state IN ('requested', 'creating', 'claimed', 'active');

CREATE UNIQUE INDEX sandboxes_by_session ON sandboxes (owner_org, session)
  WHERE session IS NOT NULL AND strategy <> 'User-Exclusive' AND state IN ('requested', 'creating', 'claimed', 'active');

CREATE UNIQUE INDEX sandboxes_by_user ON sandboxes (owner_org, owner_user)
  WHERE strategy = 'User-Exclusive' AND state IN ('requested', 'creating', 'claimed', 'active');

CREATE INDEX sandboxes_ended ON sandboxes (changed_at) WHERE state IN ('destroyed', 'lost', 'failed');

CREATE INDEX sandboxes_live ON sandboxes (state, template, created_at)
  WHERE state IN ('requested', 'creating', 'warm', 'claimed', 'active', 'destroying');

CREATE TABLE secrets (
  org_id TEXT NOT NULL,
  id TEXT NOT NULL,
  owner TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  sealed BLOB NOT NULL,
  key_version INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (org_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX secrets_by_key ON secrets (org_id, key_version, id);

CREATE UNIQUE INDEX secrets_by_name ON secrets (org_id, owner, kind, name);

CREATE TABLE segments (
  org_id TEXT NOT NULL,
  session_no INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  log_no INTEGER NOT NULL,
  up_to_seq INTEGER NOT NULL,
  PRIMARY KEY (org_id, session_no, ordinal)
) STRICT, WITHOUT ROWID;

CREATE INDEX segments_by_log ON segments (log_no);

CREATE TABLE service_accounts (
  org_id TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'active',
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (org_id, id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX service_accounts_by_name ON service_accounts (org_id, name);

CREATE TABLE session_counts (
  org_id TEXT NOT NULL,
  status TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (org_id, status)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER sessions_counted_on_delete AFTER DELETE ON sessions BEGIN
  UPDATE session_counts SET count = count - 1 WHERE org_id = old.org_id AND status = old.status;
END;

CREATE TRIGGER sessions_counted_on_insert AFTER INSERT ON sessions BEGIN
  INSERT INTO session_counts (org_id, status, count) VALUES (new.org_id, new.status, 1)
    ON CONFLICT DO UPDATE SET count = count + 1;
END;

CREATE TRIGGER sessions_counted_on_status AFTER UPDATE OF status ON sessions WHEN old.status <> new.status BEGIN
  UPDATE session_counts SET count = count - 1 WHERE org_id = old.org_id AND status = old.status;
  INSERT INTO session_counts (org_id, status, count) VALUES (new.org_id, new.status, 1)
    ON CONFLICT DO UPDATE SET count = count + 1;
END;

CREATE TRIGGER sessions_within_quota BEFORE INSERT ON sessions BEGIN
  SELECT RAISE(ABORT, 'quota_exceeded sessions ' || allowed || ' ' || used) FROM (SELECT
    (SELECT coalesce(sum(count), 0) + 1 FROM session_counts WHERE org_id = new.org_id) AS used,
    coalesce((SELECT value FROM quotas WHERE org_id = new.org_id AND name = 'sessions'),
      (SELECT value FROM quota_defaults WHERE name = 'sessions')) AS allowed) WHERE used > allowed;
END;

CREATE TABLE sessions (
  no INTEGER PRIMARY KEY AUTOINCREMENT,
  org_id TEXT NOT NULL,
  id TEXT NOT NULL,
  -- The fence: an append names epoch and last_seq.
  epoch INTEGER NOT NULL DEFAULT 0,
  last_seq INTEGER NOT NULL,
  holder TEXT,
  -- Claims since the last event or orderly release.
  claims INTEGER NOT NULL DEFAULT 0,
  max_event_version INTEGER NOT NULL DEFAULT 1,
  input_position INTEGER NOT NULL DEFAULT 0,
  generation INTEGER NOT NULL DEFAULT 1,
  rewound INTEGER NOT NULL DEFAULT 0,
  -- status = 'archived', as a column of its own so that the index on it is left alone when a run starts and ends.
  archived INTEGER NOT NULL DEFAULT 0,
  status TEXT NOT NULL,
  status_before_quarantine TEXT,
  current_run_id TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  owner TEXT NOT NULL,
  key TEXT,
  agent_id TEXT NOT NULL,
  agent_version INTEGER NOT NULL,
  agent_name TEXT NOT NULL,
  model TEXT,
  forked_from TEXT,
  forked_seq INTEGER,
  usage TEXT NOT NULL,
  metadata TEXT NOT NULL,
  title TEXT,
  -- Title and key in lower case, for the search of the list.
  search TEXT NOT NULL
, visibility TEXT NOT NULL DEFAULT 'private') STRICT;

CREATE INDEX sessions_by_agent ON sessions (org_id, agent_id, id);

CREATE INDEX sessions_by_archive ON sessions (org_id, archived, id);

CREATE INDEX sessions_by_holder ON sessions (holder) WHERE holder IS NOT NULL;

CREATE UNIQUE INDEX sessions_by_id ON sessions (org_id, id);

CREATE UNIQUE INDEX sessions_by_key ON sessions (org_id, key, owner) WHERE key IS NOT NULL;

CREATE INDEX sessions_by_owner ON sessions (org_id, owner, archived, id);

CREATE INDEX sessions_by_status ON sessions (status, org_id, id) WHERE status IN ('running', 'waiting', 'quarantined');

CREATE INDEX sessions_shared ON sessions (org_id, archived, id) WHERE visibility = 'org';

CREATE TABLE share_links (
  org_id TEXT NOT NULL,
  id TEXT NOT NULL,
  session_id TEXT NOT NULL,
  token_hash TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  revoked_at INTEGER,
  last_used_at INTEGER,
  uses INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (org_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX share_links_by_session ON share_links (org_id, session_id, id);

CREATE UNIQUE INDEX share_links_by_token ON share_links (token_hash);

CREATE TABLE snapshots (
  org_id TEXT NOT NULL,
  log_no INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  state_version INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (org_id, log_no, seq)
) STRICT;

CREATE TABLE stored_bytes (
  org_id TEXT PRIMARY KEY,
  bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE timers (
  org_id TEXT NOT NULL,
  session_no INTEGER NOT NULL,
  kind TEXT NOT NULL,
  ref TEXT NOT NULL,
  due_at INTEGER NOT NULL,
  PRIMARY KEY (org_id, session_no, kind, ref)
) STRICT, WITHOUT ROWID;

CREATE INDEX timers_due ON timers (due_at);

CREATE TABLE usage_days (
  org_id TEXT NOT NULL,
  day INTEGER NOT NULL,
  owner TEXT NOT NULL,
  agents TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  calls INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  estimated INTEGER NOT NULL,
  unpriced INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  cache_read_tokens INTEGER NOT NULL,
  cache_write_tokens INTEGER NOT NULL,
  reasoning_tokens INTEGER NOT NULL,
  cost INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  PRIMARY KEY (org_id, day, owner, agents, kind, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE usage_ledger (
  org_id TEXT NOT NULL,
  session_no INTEGER NOT NULL,
  call TEXT NOT NULL,
  session_id TEXT NOT NULL,
  run_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  -- Of the model or the tool.
  name TEXT NOT NULL,
  owner TEXT NOT NULL,
  agents TEXT NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  cache_read_tokens INTEGER NOT NULL,
  cache_write_tokens INTEGER NOT NULL,
  reasoning_tokens INTEGER NOT NULL,
  cost INTEGER,
  duration_ms INTEGER NOT NULL,
  ok INTEGER NOT NULL,
  estimated INTEGER NOT NULL,
  PRIMARY KEY (org_id, session_no, call)
) STRICT;

CREATE TABLE user_configs (
  org_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  config TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (org_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE workers (
  id TEXT PRIMARY KEY,
  heartbeat_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE workspace_leftovers (
  workspace_id TEXT PRIMARY KEY,
  host TEXT NOT NULL,
  deployment TEXT NOT NULL,
  copy_of TEXT,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX workspace_leftovers_by_source ON workspace_leftovers (copy_of) WHERE copy_of IS NOT NULL;

CREATE TABLE workspaces (
  org_id TEXT NOT NULL,
  session_id TEXT NOT NULL,
  workspace_id TEXT NOT NULL,
  folder TEXT,
  host TEXT NOT NULL,
  strategy TEXT NOT NULL,
  user_id TEXT NOT NULL,
  size_bytes INTEGER,
  created_at INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL, awaits_files INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (org_id, session_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX workspaces_by_id ON workspaces (workspace_id);

CREATE INDEX workspaces_by_user ON workspaces (org_id, user_id, strategy);
