/**
 * A mirror's memory of a whole index, without the records: every project and every file stands in
 * the ledger and in the signed bins as after a first signing, but the records of most are not on
 * disk. For what is measured of a change that is the same: it never reads the record of another.
 */

import type { ProjectChange } from '../../../src/mirror/ledger.ts'
import type { Mirror } from '../../../src/mirror/open-mirror.ts'
import { settings } from '../../../src/mirror/settings.ts'
import { recordTarget } from '../../../src/mirror/tree-layout.ts'
import { openFolderSource } from '../../../src/store/folder-source.ts'
import { findBin } from '../../../src/tuf/delegation.ts'
import { openCheckClient } from '../../../src/watch/check-client.ts'
import { openReturningState } from '../../../src/watch/client-state.ts'
import { readFirstRoot } from '../../../src/watch/publication-check.ts'
import { RandomSequence } from './random-sequence.ts'
import { buildPage, firstSerial, listProjects } from './synthetic-index.ts'

const projectsAtOnce = 500
/** Of a record as it is signed, measured. */
const recordBytes = { page: 200, file: 560 }

/** Those of `except` are left to be signed with their records. */
export function fillLedger(mirror: Mirror, projects: number, except: ReadonlySet<string>): void {
  const bitLength = mirror.settings.require(settings.bitLength)
  const now = mirror.clock()
  let batch: ProjectChange[] = []
  for (const project of listProjects(projects)) {
    if (except.has(project)) continue
    batch.push(buildChange(project, bitLength, now))
    if (batch.length < projectsAtOnce) continue
    mirror.ledger.putProjects(batch)
    batch = []
  }
  mirror.ledger.putProjects(batch)
}

/**
 * The check before a publication reads what is new since the last one: what is filled counts as read,
 * or else it would ask for records that are not there.
 */
export async function rememberAsChecked(mirror: Mirror): Promise<void> {
  const state = await openReturningState(mirror.directory, () => {})
  const source = openFolderSource(mirror.tree.folder)
  const pinnedRoot = await readFirstRoot(mirror)
  const now = mirror.clock()
  await openCheckClient({ pinnedRoot, source, storage: state.storage, now })
  state.keep()
  state.close()
}

function buildChange(name: string, bitLength: number, now: number): ProjectChange {
  const { files } = buildPage(name, 0)
  const newPins = new Map<string, string>()
  for (const { filename, hashes, coreMetadata } of files) {
    newPins.set(filename, hashes.get('sha256') ?? '')
    const metadata = coreMetadata?.get('sha256')
    if (metadata !== undefined) newPins.set(`${filename}.metadata`, metadata)
  }
  const project = {
    name,
    bin: findBin(bitLength, recordTarget(name)),
    sha256: new RandomSequence(`${name} record`).nextDigest(),
    length: recordBytes.page + files.length * recordBytes.file,
    etag: `"${firstSerial}"`,
    serial: firstSerial,
    lookedAt: now,
    listed: files.length,
    removed: 0,
    conflicts: 0,
  }
  return { project, newPins }
}
