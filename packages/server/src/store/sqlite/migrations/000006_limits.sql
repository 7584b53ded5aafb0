-- Quotas. A value that is no limit is 9007199254740991. What an organization has no row for is as the server's defaults say, and
-- what they do not name is not limited. A change that breaks one fails with `quota_exceeded <name> <allowed> <used>`.
CREATE TABLE quotas (
  org_id TEXT NOT NULL,
  name TEXT NOT NULL,
  value INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (org_id, name)
) STRICT, WITHOUT ROWID;

-- As the configuration says; written at each start.
CREATE TABLE quota_defaults (
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Kept by triggers, because summing all blobs takes longer than a request may.
CREATE TABLE stored_bytes (
  org_id TEXT PRIMARY KEY,
  bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO stored_bytes SELECT org_id, sum(size) FROM blobs GROUP BY org_id;
CREATE TRIGGER blobs_summed_on_insert AFTER INSERT ON blobs BEGIN
  INSERT INTO stored_bytes (org_id, bytes) VALUES (new.org_id, new.size)
    ON CONFLICT DO UPDATE SET bytes = bytes + new.size;
  SELECT RAISE(ABORT, 'quota_exceeded storedBytes ' || allowed || ' ' || used) FROM (SELECT
    (SELECT bytes FROM stored_bytes WHERE org_id = new.org_id) AS used,
    coalesce((SELECT value FROM quotas WHERE org_id = new.org_id AND name = 'storedBytes'),
      (SELECT value FROM quota_defaults WHERE name = 'storedBytes')) AS allowed) WHERE used > allowed;
END;
CREATE TRIGGER blobs_summed_on_delete AFTER DELETE ON blobs BEGIN
  UPDATE stored_bytes SET bytes = bytes - old.size WHERE org_id = old.org_id;
END;

-- Before, as session_counts is kept by a trigger that runs after.
CREATE TRIGGER sessions_within_quota BEFORE INSERT ON sessions BEGIN
  SELECT RAISE(ABORT, 'quota_exceeded sessions ' || allowed || ' ' || used) FROM (SELECT
    (SELECT coalesce(sum(count), 0) + 1 FROM session_counts WHERE org_id = new.org_id) AS used,
    coalesce((SELECT value FROM quotas WHERE org_id = new.org_id AND name = 'sessions'),
      (SELECT value FROM quota_defaults WHERE name = 'sessions')) AS allowed) WHERE used > allowed;
END;

-- An archived agent does not count, nor does a key that cannot be used any more or that another one took the place of.
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
CREATE TRIGGER api_keys_within_quota AFTER INSERT ON api_keys BEGIN
  SELECT RAISE(ABORT, 'quota_exceeded apiKeys ' || allowed || ' ' || used) FROM (SELECT
    (SELECT count(*) FROM api_keys WHERE org_id = new.org_id AND revoked_at IS NULL AND replaced_by IS NULL
      AND (expires_at IS NULL OR expires_at > new.created_at)) AS used,
    coalesce((SELECT value FROM quotas WHERE org_id = new.org_id AND name = 'apiKeys'),
      (SELECT value FROM quota_defaults WHERE name = 'apiKeys')) AS allowed) WHERE used > allowed;
END;
CREATE TRIGGER members_within_quota AFTER INSERT ON members BEGIN
  SELECT RAISE(ABORT, 'quota_exceeded members ' || allowed || ' ' || used) FROM (SELECT
    (SELECT count(*) FROM members WHERE org_id = new.org_id) AS used,
    coalesce((SELECT value FROM quotas WHERE org_id = new.org_id AND name = 'members'),
      (SELECT value FROM quota_defaults WHERE name = 'members')) AS allowed) WHERE used > allowed;
END;
