/** One file on disk against the records that its name may belong to: what they say of these bytes. */

import { isTufgateError } from '../../base/errors.ts'
import { findTrustWords } from '../../base/trust-words.ts'
import type { FoundRecord } from '../../client/repository.ts'
import type { RecordOrigin } from '../../installed/receipt.ts'
import { decideFile } from '../../policy/decide.ts'
import { findProjectsOf } from '../../simple/filename-projects.ts'
import type { RecordFile } from '../../simple/record.ts'
import type { OpenIndexes } from '../serve/gateway-ops.ts'
import type { OpenIndex } from '../serve/open-index.ts'

/** `matches`: these bytes are in the record, which with a mirror means verified. */
export type FileStatus =
  | 'matches'
  | 'refused'
  | 'differs'
  | 'not-listed'
  | 'unknown-project'
  | 'untold'

export interface FileVerdict {
  readonly status: FileStatus
  /** A sentence, without the file's name. */
  readonly message: string
  readonly project?: string
  readonly expected?: string
  readonly found?: string
  readonly code?: string
  readonly next?: string
  /** PEP 592: the reason, which may be empty. */
  readonly yanked?: string
  readonly origin?: RecordOrigin
}

export interface LocalBytes {
  readonly filename: string
  readonly sha256: string
  readonly size: number
}

/** The first of them that applies is told, where several projects could own the name. */
const order: readonly FileStatus[] = [
  'matches',
  'refused',
  'differs',
  'untold',
  'not-listed',
  'unknown-project',
]

export async function verifyFile(
  indexes: OpenIndexes,
  local: LocalBytes,
  now: number,
): Promise<FileVerdict> {
  const projects = findProjectsOf(local.filename)
  if (projects.length === 0) {
    return { status: 'unknown-project', message: 'this is not the name of a wheel or sdist' }
  }
  const verdicts: FileVerdict[] = []
  for (const project of projects) verdicts.push(await verifyAs(project, indexes, local, now))
  const rank = ({ status }: FileVerdict): number => order.indexOf(status)
  return verdicts.reduce((best, next) => (rank(next) < rank(best) ? next : best))
}

async function verifyAs(
  project: string,
  indexes: OpenIndexes,
  local: LocalBytes,
  now: number,
): Promise<FileVerdict> {
  const index = indexes.find((one) => one.owns(project))
  if (index === undefined) {
    const message = `no index of the settings has the project ${project}`
    return { status: 'unknown-project', project, message }
  }
  try {
    const found = await index.findRecord(project, 'page')
    if (found === undefined) {
      const words = findTrustWords(index.trustKind)
      const message = index.isExplicit ? words.absentClaimed(project) : words.absent(project)
      return { status: 'unknown-project', project, message }
    }
    return judge(local, found, index, now)
  } catch (error) {
    return describeUntold(error, project)
  }
}

/** Neither good nor bad can be said: no list, or none that may be used. */
function describeUntold(error: unknown, project: string): FileVerdict {
  if (!isTufgateError(error)) throw error
  const { code, message, facts } = error
  const { expected, found, next } = facts
  return {
    status: 'untold',
    project,
    code,
    message,
    ...(expected !== undefined && { expected }),
    ...(found !== undefined && { found }),
    ...(next !== undefined && { next }),
  }
}

function judge(local: LocalBytes, found: FoundRecord, index: OpenIndex, now: number): FileVerdict {
  const { record } = found
  const about = { project: record.name, origin: describeOrigin(found, index) }
  const words = findTrustWords(index.trustKind)
  const named = record.files.filter(({ filename }) => filename === local.filename)
  const same = named.find((file) => isSame(file, local))
  if (same !== undefined) return { ...about, ...judgeSame(same, index, record.name, now) }
  const [listed] = named
  if (listed === undefined) {
    const other = record.files.find(({ sha256 }) => sha256 === local.sha256)
    const renamed = other && `; these bytes are listed there as ${other.filename}`
    const message = `${words.record(record.name)} does not list this name${renamed ?? ''}`
    return { ...about, status: 'not-listed', found: local.sha256, message }
  }
  return { ...about, ...describeDifference(listed, local, words.expectedFile) }
}

function isSame({ sha256, size = NaN }: RecordFile, local: LocalBytes): boolean {
  return sha256 === local.sha256 && (Number.isNaN(size) || size === local.size)
}

function judgeSame(
  file: RecordFile,
  index: OpenIndex,
  project: string,
  now: number,
): Pick<FileVerdict, 'status' | 'message' | 'code' | 'found' | 'yanked'> {
  const decision = decideFile(index.policy, project, file, now)
  const yanked = file.yanked === undefined ? {} : { yanked: file.yanked }
  const found = { found: file.sha256 }
  if (decision.kind !== 'keep') {
    return { status: 'refused', code: decision.code, message: decision.reason, ...found, ...yanked }
  }
  return {
    status: 'matches',
    message: findTrustWords(index.trustKind).matches,
    ...found,
    ...yanked,
  }
}

function describeDifference(
  { sha256, size, conflict }: RecordFile,
  local: LocalBytes,
  expectedFile: string,
): Pick<FileVerdict, 'status' | 'message' | 'expected' | 'found' | 'next'> {
  const sizes = size === undefined || size === local.size ? undefined : { size, own: local.size }
  const expected = sizes === undefined ? sha256 : `${sha256}, ${sizes.size} bytes`
  const found = sizes === undefined ? local.sha256 : `${local.sha256}, ${sizes.own} bytes`
  const later =
    conflict === local.sha256
      ? '; the index has shown these bytes later than the ones that are in the record'
      : ''
  return {
    status: 'differs',
    message: `its sha256 is not ${expectedFile}${later}`,
    expected,
    found,
    next: 'Do not install it. Find out where it came from, and get it again through the proxy.',
  }
}

export function describeOrigin(
  { trust, digest }: FoundRecord,
  { name, url, trustKind, rootSha256 }: OpenIndex,
): RecordOrigin {
  const { root, timestamp, snapshot, role } = trust
  return {
    index: name,
    url,
    trust: trustKind,
    rootSha256,
    root,
    ...(timestamp !== undefined && { timestamp }),
    ...(snapshot !== undefined && { snapshot }),
    role,
    record: digest,
  }
}
