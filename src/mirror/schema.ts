/** What the mirror remembers, as tables. Sizes are for 900,000 projects and 20 million files. */

export const schemaVersion = 1

/**
 * `file` pins a name to its digest for ever, whatever becomes of the record. `role.allocated` is the
 * highest version that may have been signed: it is committed before anything is. `project.sha256`
 * and `length` are those of the record; `etag` is the index's, of the page that it was made from.
 */
export const schema = `
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE project (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  bin INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  length INTEGER NOT NULL,
  etag TEXT,
  listed INTEGER NOT NULL,
  removed INTEGER NOT NULL,
  conflicts INTEGER NOT NULL,
  held TEXT
) STRICT;
CREATE INDEX project_by_bin ON project (bin, name);
CREATE INDEX project_held ON project (name) WHERE held IS NOT NULL;
CREATE INDEX project_conflict ON project (name) WHERE conflicts > 0;

CREATE TABLE file (
  project INTEGER NOT NULL,
  name TEXT NOT NULL,
  sha256 BLOB NOT NULL,
  PRIMARY KEY (project, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE role (
  name TEXT PRIMARY KEY,
  bin INTEGER,
  allocated INTEGER NOT NULL,
  version INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  length INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  dirty INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX role_by_bin ON role (bin) WHERE bin IS NOT NULL;
CREATE INDEX role_dirty ON role (bin) WHERE dirty = 1;

CREATE TABLE superseded (path TEXT PRIMARY KEY, since INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX superseded_since ON superseded (since);
`
