-- What was changed and refused. A row is written in the transaction of its change; its number, the previous row's MAC and its own
-- are given later, by one sealer for each organization.
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
  number INTEGER,
  previous TEXT,
  mac TEXT
) STRICT;
CREATE UNIQUE INDEX audit_log_by_id ON audit_log (org_id, id);
CREATE UNIQUE INDEX audit_log_by_number ON audit_log (org_id, number) WHERE number IS NOT NULL;
CREATE INDEX audit_log_unsealed ON audit_log (org_id, no) WHERE number IS NULL;
