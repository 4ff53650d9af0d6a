/**
 * `mirror approve` and `mirror reject`: what a person decides about changes that wait.
 *
 * Signed is the record that was looked at, byte for byte, and not what the index shows by now: the
 * next sync sees that as another change.
 */

import { toPrintable } from '../base/bytes.ts'
import { ConfigError } from '../base/errors.ts'
import { isProjectName, normalizeName } from '../simple/names.ts'
import { parseRecord } from '../simple/record.ts'
import { catchUp } from './catch-up.ts'
import { ChangeBatch } from './change-batch.ts'
import type { ChangeKind } from './change-kinds.ts'
import { BoundNames } from './bound-names.ts'
import { isOwned } from './claims.ts'
import { Candidates, type HeldChange } from './hold.ts'
import { buildHoldEvent } from './look-events.ts'
import { openOnlineSigners, type OnlineSigners } from './online-signers.ts'
import { openMirror, requireClock, type Mirror, type MirrorContext } from './open-mirror.ts'
import { publishMirror, type Published } from './publish.ts'
import { updateProjectList } from './published-list.ts'
import { stageRecord } from './stage-record.ts'

/** Which of those that wait. */
export interface HoldSelection {
  /** As written by the operator: a name, or `name@` and the first letters of the digest that was looked at. */
  readonly projects?: readonly string[]
  readonly all?: boolean
  /** ms: not what was put by later, in the place of what was looked at. */
  readonly asOf?: number
  /** Only those with a change of one of these kinds. */
  readonly kinds?: readonly ChangeKind[]
}

export interface DecisionOptions extends MirrorContext, HoldSelection {
  readonly directory: string
}

/** Why one that was named is not signed. */
export interface SkippedHold {
  readonly project: string
  readonly problem: string
}

export interface ApproveResult {
  readonly approved: readonly string[]
  readonly skipped: readonly SkippedHold[]
  readonly published: Published | undefined
}

export async function approveHeld(options: DecisionOptions): Promise<ApproveResult> {
  const mirror = await openMirror(options.directory, options)
  try {
    requireClock(mirror, mirror.clock())
    await catchUp(mirror)
    const signers = await openOnlineSigners(mirror)
    return await approveOpened(mirror, signers, options)
  } finally {
    await mirror.close()
  }
}

async function approveOpened(
  mirror: Mirror,
  signers: OnlineSigners,
  selection: HoldSelection,
): Promise<ApproveResult> {
  const publish = async (): Promise<void> => {
    await publishMirror(mirror, signers, { now: mirror.clock(), isTimestampDue: true })
  }
  const now = mirror.clock()
  const batch = new ChangeBatch(mirror, { now, publish })
  const candidates = new Candidates(mirror.directory)
  const approved: string[] = []
  const skipped: SkippedHold[] = []
  for (const held of selectHeld(mirror, selection)) {
    const problem = await approveOne(mirror, held, { batch, candidates })
    if (problem === undefined) approved.push(held.project)
    else skipped.push({ project: held.project, problem })
  }
  await batch.flush()
  await updateProjectList(mirror, now)
  const isTimestampDue = approved.length > 0
  const published = await publishMirror(mirror, signers, { now: mirror.clock(), isTimestampDue })
  return { approved, skipped, published }
}

interface Approval {
  readonly batch: ChangeBatch
  readonly candidates: Candidates
}

/** A text says why not. */
async function approveOne(
  mirror: Mirror,
  held: HeldChange,
  { batch, candidates }: Approval,
): Promise<string | undefined> {
  const { project, etag, serial } = held
  const known = mirror.ledger.findProject(project)
  if (isOwned(mirror, project)) return 'its owners sign it now'
  if (known?.sha256 !== held.base) return 'what is signed of it has changed since; sync it again'
  const bytes = candidates.read(held)
  if (bytes === undefined) {
    // The next sync reads the page in full and holds it anew.
    batch.endHold(held)
    return 'the record that was put by is missing or damaged; sync it again'
  }
  const record = parseRecord(bytes, project)
  const pins = mirror.ledger.readPins(project, known?.id)
  // Names once signed are never signed with another digest, whoever approves.
  const conflict = new BoundNames(project, pins).findFirstConflict(record.files)
  if (conflict !== undefined) return `${conflict.bound.file} is signed with another sha256`
  const mark = { ...(etag !== undefined && { etag }), ...(serial !== undefined && { serial }) }
  const staged = await stageRecord(
    mirror,
    { record, bytes, sha256: held.sha256 },
    { pins, signedSha256: known?.sha256, mark },
  )
  batch.endHold(held, buildHoldEvent('approved', held))
  await batch.add(staged, [])
  return undefined
}

/** The signed record stays as it is until the index shows something else again. The projects. */
export async function rejectHeld(options: DecisionOptions): Promise<string[]> {
  const mirror = await openMirror(options.directory, options)
  try {
    await catchUp(mirror)
    const chosen = [...selectHeld(mirror, options)].filter(({ isRejected }) => !isRejected)
    mirror.ledger.database.transaction(() => {
      for (const held of chosen) mirror.holds.put({ ...held, isRejected: true })
      const events = chosen.map((held) => buildHoldEvent('rejected', held))
      mirror.journal.append(events, mirror.clock())
    })
    return chosen.map(({ project }) => project)
  } finally {
    await mirror.close()
  }
}

/** Throws CONFIG_INVALID where nothing was named, or a project that does not wait. */
function selectHeld(mirror: Mirror, selection: HoldSelection): Iterable<HeldChange> {
  const { projects, all, kinds, asOf = Infinity } = selection
  const next = `tufgate mirror held ${mirror.directory} shows what waits.`
  if (projects === undefined && all !== true && kinds === undefined) {
    throw new ConfigError('CONFIG_INVALID', 'Nothing was chosen', {
      expected: 'names of projects, --kind or --all',
      next,
    })
  }
  const isMeant = ({ changes, since }: HeldChange): boolean =>
    since <= asOf && (kinds === undefined || changes.some(({ kind }) => kinds.includes(kind)))
  if (projects !== undefined) {
    const named = projects.map((raw) => requireHeld(mirror, raw))
    return [...new Map(named.map((held) => [held.project, held])).values()].filter(isMeant)
  }
  // What was rejected is meant only by its name.
  return findMeant(mirror.holds.walk(), (held) => isMeant(held) && !held.isRejected)
}

/** One at a time: a fault of the index can hold most of its projects. */
function* findMeant(
  walk: Iterable<HeldChange>,
  isMeant: (held: HeldChange) => boolean,
): Generator<HeldChange, void> {
  for (const held of walk) if (isMeant(held)) yield held
}

function requireHeld(mirror: Mirror, raw: string): HeldChange {
  const [name = '', digest = ''] = raw.split('@', 2)
  const held = isProjectName(name) ? mirror.holds.find(normalizeName(name)) : undefined
  if (held === undefined) {
    throw new ConfigError('CONFIG_INVALID', `Nothing of ${toPrintable(raw)} waits for a person`, {
      next: `tufgate mirror held ${mirror.directory} shows what waits.`,
    })
  }
  if (held.sha256.startsWith(digest)) return held
  throw new ConfigError(
    'CONFIG_INVALID',
    `What waits of ${held.project} is not what was looked at`,
    {
      expected: toPrintable(digest),
      found: held.sha256,
      next: `The index has shown something else since: tufgate mirror held ${mirror.directory} ${held.project}`,
    },
  )
}
