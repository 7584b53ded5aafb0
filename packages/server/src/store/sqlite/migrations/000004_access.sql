-- Who may see a session: its owner, and everybody of its organization when it is shared (visibility 'org').
ALTER TABLE sessions ADD COLUMN visibility TEXT NOT NULL DEFAULT 'private';
DROP INDEX sessions_by_owner;
CREATE INDEX sessions_by_owner ON sessions (org_id, owner, archived, id);
CREATE INDEX sessions_shared ON sessions (org_id, archived, id) WHERE visibility = 'org';

-- The session's owner and whether it is shared, once more beside what is listed without it: a page of what somebody may see
-- is then read from two indexes, however many rows of others lie between.
ALTER TABLE runs ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN shared INTEGER NOT NULL DEFAULT 0;
UPDATE runs SET owner =
  coalesce((SELECT s.owner FROM sessions s WHERE s.org_id = runs.org_id AND s.id = runs.session_id), '');
CREATE INDEX runs_by_owner ON runs (org_id, owner, id);
CREATE INDEX runs_shared ON runs (org_id, id) WHERE shared = 1;
ALTER TABLE approvals ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE approvals ADD COLUMN shared INTEGER NOT NULL DEFAULT 0;
UPDATE approvals SET owner =
  coalesce((SELECT s.owner FROM sessions s WHERE s.org_id = approvals.org_id AND s.id = approvals.session_id), '');
CREATE INDEX approvals_by_owner ON approvals (org_id, owner, id);
CREATE INDEX approvals_shared ON approvals (org_id, id) WHERE shared = 1;

-- Links with which anybody reads one session. token_hash: HMAC-SHA-256 of the token under the server's pepper.
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
CREATE UNIQUE INDEX share_links_by_token ON share_links (token_hash);
CREATE INDEX share_links_by_session ON share_links (org_id, session_id, id);
