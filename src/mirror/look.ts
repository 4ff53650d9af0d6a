/**
 * One look at one project: fetch its page, merge it with what is signed, and stage the new record or,
 * where a person has to look first, put it by.
 *
 * What comes out is a value. Nothing is signed here, and the ledger is only read.
 */

import { sha256Hex } from '../base/digest.ts'
import { UpstreamError } from '../base/errors.ts'
import type { ParsedPage } from '../simple/parse-json.ts'
import { parseRecord, type RecordContent, type RecordFile } from '../simple/record.ts'
import { listChanges, type Change, type RemovalLimits } from './change-kinds.ts'
import { completeHashes } from './complete-hashes.ts'
import type { SizeAsker } from './complete-sizes.ts'
import { Candidates, type HeldChange } from './hold.ts'
import type { FetchedPage, IndexPort } from './index-port.ts'
import type { JournalEvent } from './journal.ts'
import type { KnownProject, SeenProject } from './ledger.ts'
import { listHeldEvents, listSignedEvents } from './look-events.ts'
import { mergeProject, type Merged, type MergeInput } from './merge.ts'
import { judgeChanges, type ChangePolicy } from './mirror-settings.ts'
import type { Mirror } from './open-mirror.ts'
import {
  renderCandidate,
  stageRecord,
  type LookMark,
  type RenderedRecord,
  type StagedChange,
} from './stage-record.ts'
import { recordTarget, targetPath } from './tree-layout.ts'

export interface LookOptions {
  readonly index: IndexPort
  readonly fileHosts: readonly string[]
  readonly isAllowedUrl: (url: string) => boolean
  readonly limits: RemovalLimits
  readonly policy: ChangePolicy
  /** Absent: lengths that the index does not tell are left out. */
  readonly sizes?: SizeAsker
  /** ms: when the sync began. */
  readonly now: number
}

export type Look =
  /** The record stays. */
  | { readonly kind: 'unchanged'; readonly seen: SeenProject; readonly ended?: HeldChange }
  | {
      readonly kind: 'changed'
      readonly staged: StagedChange
      readonly events: readonly JournalEvent[]
      /** Signed, and to be said. */
      readonly warned: readonly Change[]
      readonly ended?: HeldChange
    }
  /** Nothing of it is listed any more, and nothing else speaks against signing that. */
  | { readonly kind: 'vanished' }
  /** It waits for a person; no events where it did before. */
  | { readonly kind: 'held'; readonly held: HeldChange; readonly events: readonly JournalEvent[] }
  /** The page is older than one that was seen before: it is not used. */
  | { readonly kind: 'rolled-back'; readonly expected: number; readonly found: number }

/** A second look at a project that has vanished, once it is known how many have. */
export interface Settlement {
  /** What to add to its changes. */
  readonly mass?: Change
}

/** Throws what the fetch and the parsers throw. */
export async function lookAtProject(
  mirror: Mirror,
  project: string,
  options: LookOptions,
  settlement?: Settlement,
): Promise<Look> {
  const known = mirror.ledger.findProject(project)
  const held = mirror.holds.find(project)
  const waiting = held !== undefined && isStillHeld(held, options.policy) ? held : undefined
  const etag = held === undefined ? known?.etag : waiting?.etag
  const answer = await options.index.fetchPage(project, etag)
  if (answer === 'unchanged') {
    if (waiting !== undefined) return { kind: 'held', held: waiting, events: [] }
    const { serial } = known ?? {}
    return { kind: 'unchanged', seen: { name: project, ...markOf(etag, serial, options.now) } }
  }
  if (answer === 'absent' && known === undefined) throw refuseUnknown(project, options.index)
  const rollback = findRollback(answer, Math.max(known?.serial ?? 0, held?.serial ?? 0))
  if (rollback !== undefined) return rollback
  const pins = mirror.ledger.readPins(project, known?.id)
  const previous = known && (await readRecord(mirror, known))
  const signed = { pins, files: previous?.files ?? [] }
  const shown = answer === 'absent' ? undefined : await completePage(answer, signed, options)
  const mark = shown?.mark ?? markOf(undefined, known?.serial, options.now)
  const input = { ...options, project, previous, page: shown?.page, pins }
  return judge(mirror, { input, known, held, waiting, mark }, options, settlement)
}

/** The settings may have changed since, or a person has said that it stays as it is. */
function isStillHeld({ changes, isRejected }: HeldChange, policy: ChangePolicy): boolean {
  return isRejected || judgeChanges(changes, policy).held.length > 0
}

/** The serial of a project never goes back: an older page is that of a cache, or of an attacker. */
function findRollback(answer: FetchedPage | 'absent', expected: number): Look | undefined {
  const found = answer === 'absent' ? undefined : answer.serial
  return found === undefined || found >= expected
    ? undefined
    : { kind: 'rolled-back', expected, found }
}

interface Found {
  readonly input: MergeInput
  readonly known: KnownProject | undefined
  readonly held: HeldChange | undefined
  /** `held`, as long as it is. */
  readonly waiting: HeldChange | undefined
  readonly mark: LookMark
}

async function judge(
  mirror: Mirror,
  found: Found,
  options: LookOptions,
  settlement: Settlement | undefined,
): Promise<Look> {
  const { input, known, held, waiting, mark } = found
  const { project, previous } = input
  // With the times of then: the same page gives the same record.
  if (waiting !== undefined && renderMerged({ ...input, now: waiting.since }) === waiting.sha256) {
    return { kind: 'held', held: waiting, events: [] }
  }
  const merged = mergeProject(input)
  reportMerge(mirror, project, merged)
  const rendered = renderCandidate(merged.record)
  const ended = held && { ended: held }
  if (rendered.sha256 === known?.sha256) {
    return { kind: 'unchanged', seen: { name: project, ...mark }, ...ended }
  }
  const lookedAt = held?.lookedAt ?? known?.lookedAt ?? options.now
  const { limits, policy } = options
  const isKnown = known !== undefined
  const own = listChanges({ previous, isKnown, merged, limits, lookedAt })
  const changes = settlement?.mass === undefined ? own : [...own, settlement.mass]
  const judgement = judgeChanges(changes, policy)
  if (judgement.held.length > 0) {
    const base = known && { base: known.sha256 }
    const waits = { project, since: options.now, lookedAt, changes, isRejected: false, ...base }
    return hold(mirror, rendered, { ...waits, ...markOfHold(mark) })
  }
  // How many others have vanished is not known yet.
  if (settlement === undefined && hasVanished(changes)) return { kind: 'vanished' }
  const staged = await stageRecord(mirror, rendered, {
    pins: input.pins,
    signedSha256: known?.sha256,
    mark,
  })
  const events = listSignedEvents({ project, changes, record: rendered.sha256 }, policy)
  return { kind: 'changed', staged, events, warned: judgement.warned, ...ended }
}

export function hasVanished(changes: readonly Change[]): boolean {
  return changes.some(({ kind }) => kind === 'project-vanished')
}

function renderMerged(input: MergeInput): string {
  return renderCandidate(mergeProject(input).record).sha256
}

/** Asked for with the page's own ETag from now on, so that only another page comes in full. */
function markOfHold({ etag, serial }: LookMark): Pick<LookMark, 'etag' | 'serial'> {
  return { ...(etag !== undefined && { etag }), ...(serial !== undefined && { serial }) }
}

async function hold(
  mirror: Mirror,
  { bytes, sha256 }: RenderedRecord,
  waits: Omit<HeldChange, 'sha256'>,
): Promise<Look> {
  const { project, changes } = waits
  // What could not be signed is not worth a person's time.
  parseRecord(bytes, project)
  await new Candidates(mirror.directory).put({ project, sha256 }, bytes)
  const events = listHeldEvents({ project, changes, record: sha256 })
  return { kind: 'held', held: { ...waits, sha256 }, events }
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

/** The record as it was signed. A damaged one is no reason to stop: the pins still hold every name. */
async function readRecord(
  mirror: Mirror,
  { name, sha256 }: KnownProject,
): Promise<RecordContent | undefined> {
  const path = targetPath(recordTarget(name), sha256)
  const bytes = await mirror.tree.read(path)
  if (bytes !== undefined && sha256Hex(bytes) === sha256) return parseRecord(bytes, name)
  mirror.report({
    kind: 'warning',
    message: `The record of ${name} is ${bytes === undefined ? 'missing' : 'damaged'} on disk (${path}); it is made again from the index`,
    next: 'Check the disk. Entries of removed files may be lost, their names stay bound to their digests.',
  })
  return undefined
}

/** More than this of one project are counted, not listed. */
const maxReported = 20

function reportMerge(mirror: Mirror, project: string, { leftOut, conflicts }: Merged): void {
  for (const { file, problem } of leftOut.slice(0, maxReported)) {
    mirror.report({ kind: 'left-out', project, file, message: problem })
  }
  if (leftOut.length > maxReported) {
    const message = `${leftOut.length - maxReported} more files of ${project} are left out`
    mirror.report({ kind: 'warning', message })
  }
  for (const { file, signed, found } of conflicts.slice(0, maxReported)) {
    mirror.report({ kind: 'conflict', project, file, expected: signed, found })
  }
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
