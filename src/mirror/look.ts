/**
 * One look at one project: its page is fetched and completed, what is signed is read, and both are
 * judged (`judge-look.ts`). What comes out is a value. Nothing is signed here.
 */

import { UpstreamError } from '../base/errors.ts'
import type { ParsedPage } from '../simple/parse-json.ts'
import type { RecordFile } from '../simple/record.ts'
import { isOwned } from './claims.ts'
import { completeHashes } from './complete-hashes.ts'
import type { SizeAsker } from './complete-sizes.ts'
import type { FetchedPage, IndexPort } from './index-port.ts'
import {
  judgeLook,
  type FoundHold,
  type JudgeOptions,
  type Look,
  type Settlement,
} from './judge-look.ts'
import type { KnownProject } from './ledger.ts'
import type { MergeInput } from './merge.ts'
import { isHeld, type ChangePolicy } from './mirror-settings.ts'
import type { Mirror } from './open-mirror.ts'
import { isRecordThere, readRecord } from './signed-record.ts'
import type { LookMark } from './stage-record.ts'

export interface LookOptions extends JudgeOptions {
  readonly index: IndexPort
  readonly fileHosts: readonly string[]
  readonly isAllowedUrl: (url: string) => boolean
  /** Absent: lengths that the index does not tell are left out. */
  readonly sizes?: SizeAsker
  /** What is on disk of the record is read and compared, and not only looked for. */
  readonly isFull: boolean
}

/** Throws what the fetch and the parsers throw. */
export async function lookAtProject(
  mirror: Mirror,
  project: string,
  options: LookOptions,
  settlement?: Settlement,
): Promise<Look> {
  const known = mirror.ledger.findProject(project)
  const held = findHold(mirror, project, known, options.policy)
  const isThere = known === undefined || (await isRecordThere(mirror, known, options.isFull))
  // What would be judged differently now comes in full, and what has to be made again.
  const etag = isThere ? findEtag(known, held) : undefined
  const answer = await options.index.fetchPage(project, etag)
  if (answer === 'unchanged') {
    if (held.waiting !== undefined) return { kind: 'held', held: held.waiting, events: [] }
    const mark = markOf(etag, known?.serial, options.now)
    return { kind: 'unchanged', seen: { name: project, ...mark } }
  }
  if (answer === 'absent' && known === undefined) throw refuseUnknown(project, options.index)
  const rollback = findRollback(answer, Math.max(known?.serial ?? 0, held.row?.serial ?? 0))
  if (rollback !== undefined) return rollback
  const shown = await readShown(mirror, project, { answer, known }, options)
  return judgeLook(mirror, { ...shown, known, held, isThere }, options, settlement)
}

function findEtag(known: KnownProject | undefined, held: FoundHold): string | undefined {
  return held.row === undefined ? known?.etag : held.waiting?.etag
}

function findHold(
  mirror: Mirror,
  project: string,
  known: KnownProject | undefined,
  policy: ChangePolicy,
): FoundHold {
  const row = mirror.holds.find(project)
  // What is signed, or the settings, may have changed since. What a person has refused stays refused.
  const isStill =
    row !== undefined &&
    row.base === known?.sha256 &&
    !isOwned(mirror, project) &&
    (row.isRejected || isHeld(row.changes, policy))
  return { row, waiting: isStill ? row : undefined }
}

interface Fetched {
  readonly answer: FetchedPage | 'absent'
  readonly known: KnownProject | undefined
}

/** What the index shows, beside what is signed. */
async function readShown(
  mirror: Mirror,
  project: string,
  { answer, known }: Fetched,
  options: LookOptions,
): Promise<{ input: MergeInput; mark: LookMark }> {
  const pins = mirror.ledger.readPins(project, known?.id)
  const previous = known && (await readSigned(mirror, known))
  const signed = { pins, files: previous?.files ?? [] }
  const shown = answer === 'absent' ? undefined : await completePage(answer, signed, options)
  return {
    input: {
      ...options,
      project,
      previous,
      page: shown?.page,
      pins,
      isFirstLook: known === undefined,
      // `warn` says that it differs; whoever signs it, or looks himself, has decided.
      followsRequiresPython: options.policy['requires-python-changed'] !== 'warn',
    },
    mark: shown?.mark ?? markOf(undefined, known?.serial, options.now),
  }
}

/** The serial of a project never goes back: an older page is that of a cache, or of an attacker. */
function findRollback(answer: FetchedPage | 'absent', expected: number): Look | undefined {
  const found = answer === 'absent' ? undefined : answer.serial
  return found === undefined || found >= expected
    ? undefined
    : { kind: 'rolled-back', expected, found }
}

function markOf(etag: string | undefined, serial: number | undefined, lookedAt: number): LookMark {
  return { ...(etag !== undefined && { etag }), ...(serial !== undefined && { serial }), lookedAt }
}

interface ShownPage {
  readonly page: ParsedPage
  readonly mark: LookMark
}

/** What could not be hashed this time may be next time: then it is not taken for seen. */
async function completePage(
  { page, etag, serial }: FetchedPage,
  { pins, files }: { pins: ReadonlyMap<string, string>; files: readonly RecordFile[] },
  options: LookOptions,
): Promise<ShownPage> {
  const completed = await completeHashes(page, pins, options)
  return {
    page: (await options.sizes?.complete(completed.page, files)) ?? completed.page,
    mark: completed.isComplete
      ? markOf(etag, serial, options.now)
      : { ...(serial !== undefined && { serial }) },
  }
}

/** A damaged one is no reason to stop: the pins still hold every name. */
async function readSigned(mirror: Mirror, known: KnownProject): Promise<MergeInput['previous']> {
  const record = await readRecord(mirror, known)
  if (record !== undefined) return record
  const { name } = known
  mirror.report({
    kind: 'warning',
    message: `The record of ${name} is missing or damaged on disk`,
    next: isOwned(mirror, name)
      ? 'Check the disk, then accept the last release of its maintainers again: tufgate mirror claims accept'
      : 'Check the disk. It is made again from the index: entries of removed files may be lost, their names stay bound to their digests.',
  })
  return undefined
}

function refuseUnknown(project: string, { name }: IndexPort): UpstreamError {
  const isUrl = /^https?:/.test(name)
  const place = isUrl ? `${name}${project}/ gave 404` : `there is no simple/${project}/ in ${name}`
  const guess = !isUrl || name.endsWith('/simple/') ? '' : '; should --index end in /simple/ ?'
  return new UpstreamError('BAD_STATUS', `The index has no project ${project}: ${place}${guess}`, {
    found: '404',
    url: isUrl ? `${name}${project}/` : name,
    next: 'Check the spelling of the name.',
  })
}
