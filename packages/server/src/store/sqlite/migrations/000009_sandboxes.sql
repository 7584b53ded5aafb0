-- Sandboxes, whose they are, and the files that outlive them. A row of `sandboxes` is written before its sandbox is made, and each
-- change of it names id, incarnation and state: whoever comes second changes nothing. Times are the store's own.

-- Servers that look after sandboxes. One whose beats do not rise is dead.
CREATE TABLE sandbox_instances (
  id TEXT PRIMARY KEY,
  beats INTEGER NOT NULL,
  beat_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- No table of an organization: a warm one is nobody's yet. owner_org, owner_user and session are blank again when it has ended.
-- policy: without the values of secrets. guest_at: when another server than the owner last used it.
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
CREATE INDEX sandboxes_live ON sandboxes (state, template, created_at)
  WHERE state IN ('requested', 'creating', 'warm', 'claimed', 'active', 'destroying');
CREATE INDEX sandboxes_ended ON sandboxes (changed_at) WHERE state IN ('destroyed', 'lost', 'failed');
CREATE INDEX sandboxes_by_owner ON sandboxes (owner_org, owner_user)
  WHERE state IN ('requested', 'creating', 'claimed', 'active');
-- One for a session, and one for a user whose sessions share it.
CREATE UNIQUE INDEX sandboxes_by_session ON sandboxes (owner_org, session)
  WHERE session IS NOT NULL AND strategy <> 'User-Exclusive' AND state IN ('requested', 'creating', 'claimed', 'active');
CREATE UNIQUE INDEX sandboxes_by_user ON sandboxes (owner_org, owner_user)
  WHERE strategy = 'User-Exclusive' AND state IN ('requested', 'creating', 'claimed', 'active');

-- Which session had which sandbox, and has.
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
CREATE INDEX sandbox_allocations_by_sandbox ON sandbox_allocations (sandbox_id, is_active);
CREATE INDEX sandbox_allocations_by_session ON sandbox_allocations (org_id, session_id, id);
CREATE INDEX sandbox_allocations_by_end ON sandbox_allocations (ended_at) WHERE is_active = 0;

-- Where a session's files are. Sessions of one user may share a workspace, each with a folder of its own. Written before the files are.
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
  last_used_at INTEGER NOT NULL,
  PRIMARY KEY (org_id, session_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX workspaces_by_user ON workspaces (org_id, user_id, strategy);
CREATE INDEX workspaces_by_id ON workspaces (workspace_id);
