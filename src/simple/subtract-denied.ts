/**
 * A signed record without what the mirror has withdrawn. Files stay as tombstones, so that a page
 * says why and a request for one gets the reason; nothing can be added or changed by it.
 */

import { formatUtcSeconds } from '../base/clock.ts'
import type { Denial } from './denial.ts'
import { parseFilename } from './filename.ts'
import type { ProjectRecord, RecordFile, ServedPath } from './record.ts'
import { comparableVersion, publicKey } from './version-key.ts'

/** Gives the same record back where none of its files is denied. The first denial of a file holds. */
export function subtractDenied(record: ProjectRecord, denials: readonly Denial[]): ProjectRecord {
  const find = indexDenials(record.name, denials)
  const replaced = new Map<RecordFile, RecordFile>()
  for (const file of record.files) {
    const denial = find(file.filename)
    if (denial !== undefined) replaced.set(file, withdraw(file, denial))
  }
  if (replaced.size === 0) return record
  const byPath = new Map<string, ServedPath>()
  for (const [path, served] of record.byPath) {
    byPath.set(path, { ...served, file: replaced.get(served.file) ?? served.file })
  }
  const files = record.files.map((file) => replaced.get(file) ?? file)
  return { ...record, files, byPath }
}

function indexDenials(
  project: string,
  denials: readonly Denial[],
): (filename: string) => Denial | undefined {
  const ofAll = denials.find(({ files }) => files === 'all')
  const byName = new Map<string, Denial>()
  const byVersion = new Map<string, Denial>()
  for (const denial of denials) {
    const { files, version } = denial
    const key = version === undefined ? undefined : comparableVersion(version)
    if (key !== undefined && !byVersion.has(key)) byVersion.set(key, denial)
    if (files === 'all') continue
    for (const name of files) if (!byName.has(name)) byName.set(name, denial)
  }
  const findByVersion = (filename: string): Denial | undefined => {
    const version = byVersion.size === 0 ? undefined : parseFilename(filename, project).version
    if (version === undefined) return undefined
    const key = comparableVersion(version)
    // PEP 440: `==1.0` takes 1.0+local too.
    return byVersion.get(key) ?? byVersion.get(publicKey(key))
  }
  return (filename) => byName.get(filename) ?? findByVersion(filename) ?? ofAll
}

function withdraw(file: RecordFile, { reason, since }: Denial): RecordFile {
  return { ...file, denied: { reason, since: formatUtcSeconds(since) } }
}
