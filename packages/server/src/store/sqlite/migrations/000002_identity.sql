-- Who there is: organizations, people, service accounts and what they prove themselves with.

ALTER TABLE orgs ADD COLUMN slug TEXT;
ALTER TABLE orgs ADD COLUMN status TEXT NOT NULL DEFAULT 'active';
ALTER TABLE orgs ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
ALTER TABLE orgs ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0;
UPDATE orgs SET slug = 'default', updated_at = created_at WHERE single = 1;
CREATE UNIQUE INDEX orgs_by_slug ON orgs (slug);

-- A person, in however many organizations. Not a tenant table: it is reached by email, by an identity provider's subject, or by
-- the id that a member's row holds. email is in lower case. operator: whom
-- the admin key stands for at home.
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

-- What an identity provider calls a person. source: `jwt`, `oidc` or `sso`; issuer is empty for sso.
CREATE TABLE identities (
  source TEXT NOT NULL,
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  user_id TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (source, issuer, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX identities_by_user ON identities (user_id);

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
INSERT INTO accounts (id, name, created_at, updated_at, operator) SELECT id, name, created_at, created_at, 1 FROM users;
INSERT INTO members (org_id, user_id, role, created_at, updated_at)
  SELECT org_id, id, 'owner', created_at, created_at FROM users;
DROP TABLE users;

-- kind: `join` an organization, or `reset` the password of an account that there is.
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
CREATE UNIQUE INDEX invitations_by_token ON invitations (token_hash);
CREATE INDEX invitations_by_email ON invitations (email, org_id) WHERE accepted_at IS NULL AND revoked_at IS NULL;
CREATE INDEX invitations_by_expiry ON invitations (expires_at);

-- Custom roles; the built-in ones are code.
CREATE TABLE roles (
  org_id TEXT NOT NULL,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  permissions TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (org_id, name)
) STRICT, WITHOUT ROWID;

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

-- Client certificates of service accounts. kind: `fingerprint` or `name` (a subject alternative name).
CREATE TABLE certificates (
  org_id TEXT NOT NULL,
  service_account_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (org_id, service_account_id, kind, value)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX certificates_by_value ON certificates (kind, value);

-- hash: HMAC-SHA-256 of the whole key under the server's pepper. prefix: its first characters, to find it and to tell it by.
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

-- A person's login in a browser, known by the hash of its cookie. current_org: where the person is now.
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
CREATE UNIQUE INDEX logins_by_token ON logins (token_hash);
CREATE INDEX logins_by_user ON logins (user_id);
CREATE INDEX logins_by_expiry ON logins (expires_at);
