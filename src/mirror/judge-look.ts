/**
 * What becomes of a look: the page is merged with what is signed, and the new record is staged or,
 * where a person has to look first, put by. The ledger is only read.
 */

import { UpstreamError } from '../base/errors.ts'
import { parseRecord } from '../simple/record.ts'
import { describeMass, listChanges, type Change, type RemovalLimits } from './change-kinds.ts'
import { isOwned } from './claims.ts'
import { Candidates, type HeldChange } from './hold.ts'
import type { JournalEvent } from './journal.ts'
import type { KnownProject, SeenProject } from './ledger.ts'
import { listHeldEvents, listSignedEvents } from './look-events.ts'
import { mergeProject, type Merged, type MergeInput } from './merge.ts'
import { judgeChanges, type ChangePolicy } from './mirror-settings.ts'
import type { Mirror } from './open-mirror.ts'
import type { OwnedLook } from './owned-look.ts'
import {
  renderCandidate,
  stageRecord,
  type LookMark,
  type RenderedRecord,
  type StagedChange,
} from './stage-record.ts'

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
  /** Its owners sign it, and the mirror does not. */
  | { readonly kind: 'owned'; readonly look: OwnedLook }

/** A second look at a project that has vanished, once it is known how many have. */
export interface Settlement {
  /** So many, and of how many, where they are too many. */
  readonly mass?: { readonly gone: number; readonly of: number }
}

export interface JudgeOptions {
  readonly limits: RemovalLimits
  readonly policy: ChangePolicy
  /** ms: when the sync began. */
  readonly now: number
}

export interface FoundHold {
  readonly row: HeldChange | undefined
  /** The row, as long as it is to wait. */
  readonly waiting: HeldChange | undefined
}

export interface FoundLook {
  readonly input: MergeInput
  readonly known: KnownProject | undefined
  readonly held: FoundHold
  readonly mark: LookMark
  /** The signed record is on disk as clients are to find it. */
  readonly isThere: boolean
}

export async function judgeLook(
  mirror: Mirror,
  look: FoundLook,
  options: JudgeOptions,
  settlement: Settlement | undefined,
): Promise<Look> {
  const { input, known, held, mark } = look
  const { project } = input
  const { waiting } = held
  // With the times of then: the same page gives the same record.
  if (waiting !== undefined && digestMerged({ ...input, now: waiting.since }) === waiting.sha256) {
    return { kind: 'held', held: waiting, events: [] }
  }
  const merged = mergeProject(input)
  reportMerge(mirror, project, merged)
  const rendered = renderCandidate(merged.record)
  const ended = held.row && { ended: held.row }
  const isSame = rendered.sha256 === known?.sha256
  if (isOwned(mirror, project)) {
    const isTold = !isSame && !isLost(look)
    const differences = isTold ? listLookChanges(look, merged, options, settlement) : []
    return describeOwned(look, differences, ended)
  }
  if (isSame && look.isThere) {
    return { kind: 'unchanged', seen: { name: project, ...mark }, ...ended }
  }
  requireShown(look, merged)
  const changes = isSame
    ? [describeRemade(rendered)]
    : listLookChanges(look, merged, options, settlement)
  if (!isSame && mustWait(look, changes, options.policy))
    return hold(mirror, rendered, buildHold(look, changes, options.now))
  // How many others have vanished is not known yet.
  if (settlement === undefined && hasVanished(changes)) return { kind: 'vanished' }
  return { ...(await sign(mirror, look, rendered, { changes, options })), ...ended }
}

function mustWait(look: FoundLook, changes: readonly Change[], policy: ChangePolicy): boolean {
  const isBlind = isLost(look) && look.held.waiting !== undefined
  return isBlind || judgeChanges(changes, policy).held.length > 0
}

async function sign(
  mirror: Mirror,
  { input, known, mark }: FoundLook,
  rendered: RenderedRecord,
  { changes, options }: { readonly changes: readonly Change[]; readonly options: JudgeOptions },
): Promise<Extract<Look, { kind: 'changed' }>> {
  const { project, pins } = input
  const staged = await stageRecord(mirror, rendered, { pins, signedSha256: known?.sha256, mark })
  const events = listSignedEvents({ project, changes, record: rendered.sha256 }, options.policy)
  return { kind: 'changed', staged, events, warned: judgeChanges(changes, options.policy).warned }
}

/** What was signed cannot be read any more. */
function isLost({ known, input }: FoundLook): boolean {
  return known !== undefined && input.previous === undefined
}

/** The very bytes that are signed, so that there is nothing to decide. */
function describeRemade({ record }: RenderedRecord): Change {
  return { kind: 'record-remade', count: record.files.length, items: [] }
}

/** A fault of our disk must not look like a project that was emptied. */
function requireShown(look: FoundLook, { listed }: Merged): void {
  if (!isLost(look) || listed > 0) return
  const { project } = look.input
  throw new UpstreamError(
    'BAD_STATUS',
    `its record is lost, and the index shows no files of it to make it again from`,
    { next: `Put targets/simple/${project}/ back from a copy of the published tree.` },
  )
}

function describeOwned(
  { input, known, mark }: FoundLook,
  changes: readonly Change[],
  ended: { readonly ended: HeldChange } | undefined,
): Look {
  const { project, page } = input
  const isQuarantined = page && page.status?.status === 'quarantined'
  const record = known?.sha256 ?? ''
  const seen = { name: project, ...mark }
  return { kind: 'owned', look: { project, seen, record, changes, isQuarantined, ...ended } }
}

function listLookChanges(
  look: FoundLook,
  merged: Merged,
  { limits, now }: JudgeOptions,
  settlement: Settlement | undefined,
): Change[] {
  const changes = listChanges({
    previous: look.input.previous,
    isKnown: look.known !== undefined,
    merged,
    limits,
    lookedAt: findLastLook(look) ?? now,
  })
  const mass = settlement?.mass
  return mass === undefined ? changes : [...changes, describeMass(mass.gone, mass.of)]
}

/** A held project goes on to be compared with the time before it was held. */
function findLastLook({ known, held }: FoundLook): number | undefined {
  return held.row?.lookedAt ?? known?.lookedAt
}

export function hasVanished(changes: readonly Change[]): boolean {
  return changes.some(({ kind }) => kind === 'project-vanished')
}

function digestMerged(input: MergeInput): string {
  return renderCandidate(mergeProject(input).record).sha256
}

function buildHold(
  look: FoundLook,
  changes: readonly Change[],
  since: number,
): Omit<HeldChange, 'sha256'> {
  const { input, known, mark } = look
  const lookedAt = findLastLook(look)
  return {
    project: input.project,
    since,
    changes: isLost(look) ? addWaiting(look.held.waiting, changes) : changes,
    isRejected: false,
    ...(known && { base: known.sha256 }),
    // Asked for with the page's own ETag from now on, so that only another page comes in full.
    ...(mark.etag !== undefined && { etag: mark.etag }),
    ...(mark.serial !== undefined && { serial: mark.serial }),
    ...(lookedAt !== undefined && { lookedAt }),
  }
}

/** Without the signed record nobody can tell what is new: what waited goes on to wait. */
function addWaiting(waiting: HeldChange | undefined, changes: readonly Change[]): Change[] {
  const kinds = new Set(changes.map(({ kind }) => kind))
  return [...(waiting?.changes ?? []).filter(({ kind }) => !kinds.has(kind)), ...changes]
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
  for (const { signed, ...conflict } of conflicts.slice(0, maxReported)) {
    mirror.report({ kind: 'conflict', project, ...conflict, expected: signed })
  }
}
