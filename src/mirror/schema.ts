/** What the mirror remembers, as tables. Sizes are for 900,000 projects and 20 million files. */

export const schemaVersion = 2

/**
 * `file` pins a name to its digest for ever, whatever becomes of the record. `role.allocated` is the
 * highest version that may have been signed: it is committed before anything is. `role.retired`:
 * nothing delegates to it any more, but snapshot must go on listing it (TUF 5.5.5).
 * `project.sha256` and `length` are those of the record; `etag` and `serial` are the index's, of the
 * page that it was made from; `looked_at` is the last successful look (ms). `imported_pin` binds names
 * of which others have said what they saw, before this mirror has seen them. `file.verified_at` (ms) is
 * when the file itself was downloaded and was the pinned one, and `length` what it had then. With `file.bin` a file
 * is a target of its own, of this length; so is a record's HTML twin with `project.html_bin`.
 * `journal_conflict` holds what the index showed otherwise than it is signed, for `conflicts.ts`.
 * `project_by_bin` holds all that a bin lists, or else each of its lines would be another page of the disk.
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
  serial INTEGER,
  looked_at INTEGER,
  html_sha256 TEXT,
  html_length INTEGER,
  html_bin INTEGER
) STRICT;
CREATE INDEX project_html ON project (html_bin) WHERE html_bin IS NOT NULL;
CREATE INDEX project_by_bin ON project (bin, name, sha256, length);
CREATE INDEX project_conflict ON project (name) WHERE conflicts > 0;

CREATE TABLE file (
  project INTEGER NOT NULL,
  name TEXT NOT NULL,
  sha256 BLOB NOT NULL,
  length INTEGER,
  verified_at INTEGER,
  bin INTEGER,
  PRIMARY KEY (project, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX file_by_bin ON file (bin) WHERE bin IS NOT NULL;

CREATE TABLE imported_pin (
  project TEXT NOT NULL,
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
  dirty INTEGER NOT NULL,
  retired INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX role_by_bin ON role (bin) WHERE bin IS NOT NULL;
CREATE INDEX role_dirty ON role (bin) WHERE dirty = 1;

CREATE TABLE superseded (path TEXT PRIMARY KEY, since INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX superseded_since ON superseded (since);
CREATE TABLE claim (
  project TEXT PRIMARY KEY,
  state TEXT NOT NULL,
  keys TEXT NOT NULL,
  threshold INTEGER NOT NULL,
  created INTEGER NOT NULL,
  next TEXT,
  told TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

CREATE TABLE deny (
  project TEXT PRIMARY KEY,
  sha256 TEXT NOT NULL,
  length INTEGER NOT NULL,
  content TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE journal (
  sequence INTEGER PRIMARY KEY,
  time INTEGER NOT NULL,
  project TEXT,
  kind TEXT NOT NULL,
  detail TEXT NOT NULL,
  digest BLOB NOT NULL
) STRICT;
CREATE INDEX journal_conflict ON journal (time) WHERE substr(detail, 1, 13) = '{"act":"kept"';
CREATE INDEX journal_by_project ON journal (project, sequence) WHERE project IS NOT NULL;

CREATE TABLE held (
  project TEXT PRIMARY KEY,
  since INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  base TEXT,
  etag TEXT,
  serial INTEGER,
  looked_at INTEGER,
  changes TEXT NOT NULL,
  rejected INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`
