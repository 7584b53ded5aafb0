-- What was changed and refused. A row is written in the transaction of its change; its number, the previous row's MAC and its own
-- are given later, by one sealer for each organization. `at` never goes back within an organization, whatever the clock does.
-- person_mac stands for actor_name and address, details_mac for details: both can be blanked and the chain still holds.
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
CREATE UNIQUE INDEX audit_log_by_id ON audit_log (org_id, id);
CREATE UNIQUE INDEX audit_log_by_number ON audit_log (org_id, number) WHERE number IS NOT NULL;
CREATE INDEX audit_log_unsealed ON audit_log (org_id, no) WHERE number IS NULL;
CREATE INDEX audit_log_by_time ON audit_log (org_id, at, no);
CREATE INDEX audit_log_by_actor ON audit_log (org_id, actor_id, at, no);
CREATE INDEX audit_log_by_target ON audit_log (org_id, target_id, at, no) WHERE target_id IS NOT NULL;

-- The last sealed row of each organization: what the next one is chained to.
CREATE TABLE audit_heads (
  org_id TEXT PRIMARY KEY,
  number INTEGER NOT NULL,
  mac TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Rows up to and with this number went, for retention or erasure. mac is that row's, seal that of the cut itself.
CREATE TABLE audit_cuts (
  org_id TEXT PRIMARY KEY,
  number INTEGER NOT NULL,
  mac TEXT NOT NULL,
  at INTEGER NOT NULL,
  seal TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER audit_rows_stay BEFORE DELETE ON audit_log
  WHEN NOT EXISTS (SELECT 1 FROM audit_cuts c WHERE c.org_id = old.org_id AND old.number <= c.number)
BEGIN
  SELECT RAISE(ABORT, 'an audit entry stays until its organization''s log is cut after it');
END;
-- Once a row is there it is sealed, once, and later its personal part may be blanked. Nothing else about it changes.
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
