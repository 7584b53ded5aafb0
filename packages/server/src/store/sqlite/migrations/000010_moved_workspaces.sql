-- Workspaces follow their sessions to other hosts.

-- 1: it was given up with its host. The session begins again with the files of its last manifest; until then it has none.
ALTER TABLE workspaces ADD COLUMN awaits_files INTEGER NOT NULL DEFAULT 0;

-- Workspaces on hosts that are no session's: a sweep removes them. copy_of: that one's files are on their way into it, and it becomes the
-- session's only while this says so. No table of an organization: nothing says whose the files were.
CREATE TABLE workspace_leftovers (
  workspace_id TEXT PRIMARY KEY,
  host TEXT NOT NULL,
  deployment TEXT NOT NULL,
  copy_of TEXT,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX workspace_leftovers_by_source ON workspace_leftovers (copy_of) WHERE copy_of IS NOT NULL;
