/**
 * Another number of bins. Every project moves to its new bin; bins whose names are not used any more
 * are retired: snapshot goes on listing them with their last version, since clients that have seen
 * them refuse a snapshot without them (TUF 5.5.5), until they forget it with the snapshot's key.
 *
 * What is moved becomes visible with the next publication, like any other change.
 */

import { readInteger, readText } from '../store/database.ts'
import { findBin } from '../tuf/delegation.ts'
import { renderBin } from './bins.ts'
import { moveExtraTargets } from './extra-targets.ts'
import type { Mirror } from './open-mirror.ts'
import { settings } from './settings.ts'
import { metadataPath, recordTarget } from './tree-layout.ts'

const projectsAtOnce = 10_000

/** Within a transaction, the one that takes the new `bins` document into use. */
export function rebin(mirror: Mirror, bitLength: number): void {
  const { database } = mirror.ledger
  mirror.settings.put(settings.bitLength, bitLength)
  // From here on nothing in the database depends on the names and numbers of before.
  database.run('UPDATE role SET bin = NULL, retired = 1, dirty = 0 WHERE bin IS NOT NULL')
  const sql = `INSERT INTO role (name, bin, allocated, version, expires, length, sha256, dirty)
    VALUES (?, ?, 0, 0, 0, 0, '', 1)
    ON CONFLICT (name) DO UPDATE SET bin = excluded.bin, retired = 0, dirty = 1`
  // One that was retired earlier goes on from its last version.
  for (let bin = 0; bin < 2 ** bitLength; bin += 1)
    database.run(sql, renderBin(bin, bitLength), bin)
  moveProjects(mirror, bitLength)
  moveExtraTargets(database, bitLength)
}

function moveProjects({ ledger: { database } }: Mirror, bitLength: number): void {
  let last = -1
  for (;;) {
    const sql = 'SELECT id, name FROM project WHERE id > ? ORDER BY id LIMIT ?'
    const rows = database.all(sql, last, projectsAtOnce)
    for (const row of rows) {
      last = readInteger(row, 'id')
      const bin = findBin(bitLength, recordTarget(readText(row, 'name')))
      database.run('UPDATE project SET bin = ? WHERE id = ?', bin, last)
    }
    if (rows.length < projectsAtOnce) return
  }
}

/** After a new snapshot key nobody remembers them. Within a transaction. */
export function dropRetired({ ledger }: Mirror, now: number): void {
  const { database } = ledger
  const sql = 'SELECT name, version FROM role WHERE retired = 1 AND version > 0'
  for (const row of database.all(sql)) {
    const [name, version] = [readText(row, 'name'), readInteger(row, 'version')]
    ledger.putSuperseded(metadataPath(name, version), now)
    // What was allocated stays: a (role, version) pair is never given to other content.
    database.run('UPDATE role SET version = 0 WHERE name = ?', name)
  }
}
