-- Backups, exports and erasures.

-- Which server this is, and how often it was restored: one row. The id stays the same through backup and restore.
CREATE TABLE deployment (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  id TEXT NOT NULL,
  generation INTEGER NOT NULL
) STRICT;
INSERT INTO deployment (one, id, generation) VALUES (1, 'dep_' || lower(hex(randomblob(16))), 1);

-- Copies that somebody asked for. The bytes lie in the data folder until expires_at. parts: rows of each part so far, as JSON.
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
CREATE INDEX exports_open ON exports (created_at) WHERE status IN ('queued', 'running');
CREATE INDEX exports_by_expiry ON exports (expires_at) WHERE expires_at IS NOT NULL;

-- What is or was erased; the row stays as the receipt. counts: rows that went, by table, as JSON.
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
CREATE INDEX erasures_open ON erasures (created_at) WHERE status = 'running';
CREATE UNIQUE INDEX erasures_by_id ON erasures (id);

-- Blobs that an erasure takes along as soon as nothing refers to them, and not a day later. A row goes once the file is gone.
CREATE TABLE erasure_blobs (
  org_id TEXT NOT NULL,
  hash TEXT NOT NULL,
  PRIMARY KEY (org_id, hash)
) STRICT, WITHOUT ROWID;

-- An organization's log goes with it.
DROP TRIGGER audit_rows_stay;
CREATE TRIGGER audit_rows_stay BEFORE DELETE ON audit_log
  WHEN NOT EXISTS (SELECT 1 FROM audit_cuts c WHERE c.org_id = old.org_id AND old.number <= c.number)
    AND NOT EXISTS (SELECT 1 FROM erasures e WHERE e.org_id = old.org_id AND e.scope = 'org' AND e.status = 'running')
BEGIN
  SELECT RAISE(ABORT, 'an audit entry stays until its organization''s log is cut after it');
END;
