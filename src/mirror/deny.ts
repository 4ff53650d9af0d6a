/** What is taken away at once although its owner signed it: the targets of the role `deny`. */

import { readInteger, readText } from '../store/database.ts'
import type { FileDigest } from './metadata-documents.ts'
import type { Mirror } from './open-mirror.ts'

export function denyTarget(project: string): string {
  return `deny/${project}.json`
}

/** Path and digest of each, in order of the names. */
export function listDenied({ ledger }: Mirror): (readonly [string, FileDigest])[] {
  const rows = ledger.database.all('SELECT project, sha256, length FROM deny ORDER BY project')
  return rows.map((row) => [
    denyTarget(readText(row, 'project')),
    { sha256: readText(row, 'sha256'), length: readInteger(row, 'length') },
  ])
}
