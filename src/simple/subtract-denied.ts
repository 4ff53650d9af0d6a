/**
 * A signed record without what the mirror has withdrawn. Files stay as tombstones, so that a page
 * says why and a request for one gets the reason; nothing can be added or changed by it.
 */

import { formatUtcSeconds } from '../base/clock.ts'
import type { Denial } from './denial.ts'
import type { ProjectRecord, RecordFile, ServedPath } from './record.ts'

/** Gives the same record back where none of its files is denied. The first denial of a file holds. */
export function subtractDenied(record: ProjectRecord, denials: readonly Denial[]): ProjectRecord {
  const find = indexDenials(denials)
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

function indexDenials(denials: readonly Denial[]): (filename: string) => Denial | undefined {
  const ofAll = denials.find(({ files }) => files === 'all')
  const byName = new Map<string, Denial>()
  for (const denial of denials) {
    if (denial.files === 'all') continue
    for (const name of denial.files) if (!byName.has(name)) byName.set(name, denial)
  }
  return (filename) => byName.get(filename) ?? ofAll
}

function withdraw(file: RecordFile, { reason, since }: Denial): RecordFile {
  return { ...file, denied: { reason, since: formatUtcSeconds(since) } }
}
