/** Records as the mirror signs them, of projects of the synthetic index. */

import { mergeProject } from '../../../../src/mirror/merge.ts'
import { renderRecord } from '../../../../src/simple/record.ts'
import { buildPage, listProjects } from '../synthetic-index.ts'
import { averageSize, sizeOf, type Size } from './size.ts'

const sampled = 400
const now = Date.parse('2026-11-20T12:00:00Z')

export interface RecordSizes {
  readonly average: Size
  readonly median: Size
}

/** Of every project alike, however often it is downloaded. */
export function measureRecords(projects: number): RecordSizes {
  const step = Math.max(1, Math.floor(projects / sampled))
  const sizes: Size[] = []
  let at = 0
  for (const project of listProjects(projects)) {
    if (at % step === 0) sizes.push(sizeOf(buildRecord(project)))
    at += 1
  }
  const sorted = sizes.toSorted((one, other) => one.gzip - other.gzip)
  return { average: averageSize(sizes), median: sorted[sorted.length >> 1] ?? averageSize([]) }
}

export function buildRecord(project: string): Uint8Array {
  const page = buildPage(project, 0)
  const { record } = mergeProject({ project, page, pins: new Map(), isAllowedUrl: () => true, now })
  return renderRecord(record)
}

/** Bytes of a record by its number of files, near enough for the length that a bin says. */
export function guessRecordBytes(files: number): number {
  return 200 + files * 560
}
