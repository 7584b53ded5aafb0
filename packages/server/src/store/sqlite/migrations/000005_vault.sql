-- Sealed secrets and what people set for themselves.

-- What an organization's secrets are sealed under; wrapped by the master key of that id.
CREATE TABLE data_keys (
  org_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  wrapped BLOB NOT NULL,
  master_id TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (org_id, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX data_keys_by_master ON data_keys (master_id);

-- owner: a user's own; '' is the organization's. The id is part of what seals the row, so a new value has a new id.
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
CREATE UNIQUE INDEX secrets_by_name ON secrets (org_id, owner, kind, name);
CREATE INDEX secrets_by_key ON secrets (org_id, key_version, id);

CREATE TABLE model_providers (
  org_id TEXT NOT NULL,
  name TEXT NOT NULL,
  definition TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (org_id, name)
) STRICT, WITHOUT ROWID;

-- Rises with each change of a provider of the organization or of one of its users: who keeps providers in memory looks here.
CREATE TABLE provider_versions (
  org_id TEXT PRIMARY KEY,
  version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE user_configs (
  org_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  config TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (org_id, user_id)
) STRICT, WITHOUT ROWID;

-- What a user adds to system prompts, from a time on: a run keeps what there was when it began.
CREATE TABLE prompt_fragments (
  org_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  since INTEGER NOT NULL,
  fragments TEXT NOT NULL,
  PRIMARY KEY (org_id, user_id, since)
) STRICT, WITHOUT ROWID;
