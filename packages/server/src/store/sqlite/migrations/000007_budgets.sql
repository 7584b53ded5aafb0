-- Budgets and the usage ledger. Money is counted in billionths of a US dollar, so that sums are exact.

-- target: the id of the user, agent, session or run; empty for the organization.
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

-- What a budget counts in one period (starts_at: its first millisecond, 0 for `total`). spent is the sum of the ledger in its
-- scope and period, reserved the sum of the calls under way.
CREATE TABLE budget_periods (
  org_id TEXT NOT NULL,
  budget_id TEXT NOT NULL,
  starts_at INTEGER NOT NULL,
  spent INTEGER NOT NULL,
  reserved INTEGER NOT NULL,
  PRIMARY KEY (org_id, budget_id, starts_at)
) STRICT, WITHOUT ROWID;

-- Model calls under way in organizations that have budgets. A row goes when its call is settled, at the latest by the next
-- claim of its session. call: the step's id, or that of a compaction.
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

-- Sessions whose run waits for a budget.
CREATE TABLE budget_waits (
  org_id TEXT NOT NULL,
  budget_id TEXT NOT NULL,
  session_no INTEGER NOT NULL,
  PRIMARY KEY (org_id, budget_id, session_no)
) STRICT, WITHOUT ROWID;
CREATE INDEX budget_waits_by_session ON budget_waits (org_id, session_no);

-- What one run may spend beyond a budget since somebody allowed it.
CREATE TABLE budget_allowances (
  org_id TEXT NOT NULL,
  budget_id TEXT NOT NULL,
  run_id TEXT NOT NULL,
  granted INTEGER NOT NULL,
  used INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (org_id, budget_id, run_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX budget_allowances_by_run ON budget_allowances (org_id, run_id);

-- One row for each model call and each tool call, in order of arrival. It outlives its session. at: when the call began.
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

-- The ledger's sums by day (its first millisecond, UTC). Kept beside it, because adding up a month's calls takes longer than a
-- request may.
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
