/**
 * What happened while a proxy ran, from the lines of its chain: handed out, refused, hidden, warned of.
 * However long the log, the memory is bounded: beyond a number of names lines are only counted. Nothing
 * here is fit to print: the renderers beside it escape, each for its own reader.
 */

import type { AuditEntry } from '../audit/entry.ts'
import { passedUnverified, type AuditTrust } from '../audit/event.ts'
import { trustKindOf, type TrustKind } from '../base/trust-words.ts'
import { Tally, type Listing } from './tally.ts'
import { judgeRefusal } from './refusal-class.ts'

export type { Listing } from './tally.ts'

/** A distribution that was handed out; that its `.metadata` was says nothing about it. */
export interface ReleasedFile {
  readonly file: string
  readonly project: string
  /** `first-use`: nobody has signed it. */
  readonly trust: TrustKind
  /** Of all answers. */
  readonly bytes: number
  readonly count: number
}

/** Refused, or failed; of a file, or of a whole project where there is no file. */
export interface RefusedItem {
  readonly code: string
  /** Empty where the request names none. */
  readonly project: string
  readonly file?: string
  /** Method and path, or host: where there is no project. */
  readonly request?: string
  readonly reason: string
  readonly expected?: string
  readonly found?: string
  /** What the refusal itself advised. */
  readonly next?: string
  /** What the answer rested on; absent where nothing was looked up. */
  readonly trust?: TrustKind
  /** Of the newest request; `tufgate explain` takes it. */
  readonly id?: string
  readonly count: number
}

export interface HiddenItem {
  readonly project: string
  readonly code: string
  /** Which files, the newest word. */
  readonly reason: string
  readonly id?: string
  readonly count: number
}

export interface WarningItem {
  readonly code: string
  readonly message: string
  readonly count: number
}

/** A server that is no index, from which something was let pass as it came. */
export interface PassedServer {
  /** `host:port` */
  readonly server: string
  readonly bytes: number
}

/** A list that answers rested on. */
export interface TrustUse {
  readonly trust: TrustKind
  readonly root: number
  readonly timestamp?: number
  readonly snapshot?: number
  readonly count: number
}

export interface SessionSummary {
  /** Milliseconds, of the first and the last line; absent without lines. */
  readonly startedAt?: number
  readonly endedAt?: number
  /** The last line says that the proxy stopped as it should. */
  readonly isStopped: boolean
  readonly released: Listing<ReleasedFile>
  /** Answers with the metadata of a distribution (PEP 658). */
  readonly metadata: number
  /** A rule or a check said no. */
  readonly refused: Listing<RefusedItem>
  /** Could not be had: an index, a mirror or our own disk did not answer. Clients try again. */
  readonly failed: Listing<RefusedItem>
  /** Projects that the list does not have: installers ask for themselves, so this is no refusal. */
  readonly absent: Listing<RefusedItem>
  readonly hidden: Listing<HiddenItem>
  readonly warnings: Listing<WarningItem>
  /** By the forward mode, where its settings allow it: nothing of it was checked. */
  readonly passed: Listing<PassedServer>
  readonly trust: Listing<TrustUse>
  /** Requests that made no sense to the proxy: a wrong path, method or host. */
  readonly misdirected: number
}

/** Of each listing. */
const maxItems = 5000
const maxTrustUses = 50

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] }

interface Tallies {
  readonly released: Tally<Mutable<ReleasedFile>>
  readonly refused: Tally<Mutable<RefusedItem>>
  readonly failed: Tally<Mutable<RefusedItem>>
  readonly absent: Tally<Mutable<RefusedItem>>
  readonly hidden: Tally<Mutable<HiddenItem>>
  readonly warnings: Tally<Mutable<WarningItem>>
  readonly passed: Tally<Mutable<PassedServer>>
  readonly trust: Tally<Mutable<TrustUse>>
}

/** Of one chain, in the order of its lines. */
export async function summarizeSession(
  entries: AsyncIterable<AuditEntry>,
): Promise<SessionSummary> {
  const tallies: Tallies = {
    released: new Tally(maxItems),
    refused: new Tally(maxItems),
    failed: new Tally(maxItems),
    absent: new Tally(maxItems),
    hidden: new Tally(maxItems),
    warnings: new Tally(maxItems),
    passed: new Tally(maxItems),
    trust: new Tally(maxTrustUses),
  }
  let first: AuditEntry | undefined
  let last: AuditEntry | undefined
  const counts = { metadata: 0, misdirected: 0 }
  for await (const entry of entries) {
    first ??= entry
    last = entry
    const counted = addEntry(tallies, entry)
    if (counted !== undefined) counts[counted] += timesOf(entry)
  }
  return {
    ...(first && { startedAt: first.time }),
    ...(last && { endedAt: last.time }),
    isStopped: last?.kind === 'stop',
    released: tallies.released.list(),
    refused: tallies.refused.list(),
    failed: tallies.failed.list(),
    absent: tallies.absent.list(),
    hidden: tallies.hidden.list(),
    warnings: tallies.warnings.list(),
    passed: tallies.passed.list(),
    trust: tallies.trust.list(),
    ...counts,
  }
}

/** What is of no interest but for its number is to be counted as what is returned. */
function addEntry(tallies: Tallies, entry: AuditEntry): 'metadata' | 'misdirected' | undefined {
  if (isAnswer(entry)) addTrust(tallies.trust, entry)
  switch (entry.kind) {
    case 'released':
      if (entry.file?.endsWith('.metadata') === true) return 'metadata'
      addReleased(tallies.released, entry)
      break
    case 'refused': {
      const outcome = judgeRefusal(entry)
      if (outcome === 'misdirected') return outcome
      addRefused(tallies[outcome], entry)
      break
    }
    case 'hidden':
      addHidden(tallies.hidden, entry)
      break
    case 'warning':
      addWarning(tallies.warnings, entry)
      break
    case 'page':
      if (entry.code === passedUnverified) addPassed(tallies.passed, entry)
      break
    default:
  }
  return undefined
}

function isAnswer({ kind }: AuditEntry): boolean {
  return kind === 'page' || kind === 'released' || kind === 'refused'
}

/** So many equal events stand behind the line. */
function timesOf({ count = 1 }: AuditEntry): number {
  return count
}

function addReleased(tally: Tally<Mutable<ReleasedFile>>, entry: AuditEntry): void {
  const { project = '', file = '', bytes = 0 } = entry
  const trust = kindOf(entry.trust)
  const item = tally.find([project, file, trust], () => ({
    file,
    project,
    trust,
    bytes: 0,
    count: 0,
  }))
  if (item === undefined) return
  item.bytes += bytes
  item.count += timesOf(entry)
}

function addRefused(tally: Tally<Mutable<RefusedItem>>, entry: AuditEntry): void {
  const { code = 'BUG', project = '', file, message = '' } = entry
  const request = project === '' ? entry.request : undefined
  const item = tally.find([code, project, file ?? '', request ?? ''], () => ({
    code,
    project,
    ...(file !== undefined && { file }),
    ...(request !== undefined && { request }),
    reason: message,
    count: 0,
  }))
  if (item === undefined) return
  item.count += timesOf(entry)
  // A line that stands for many has no details.
  if (entry.id === undefined) return
  item.id = entry.id
  item.reason = message
  if (entry.expected !== undefined) item.expected = entry.expected
  if (entry.found !== undefined) item.found = entry.found
  if (entry.next !== undefined) item.next = entry.next
  if (entry.trust !== undefined) item.trust = kindOf(entry.trust)
}

function addHidden(tally: Tally<Mutable<HiddenItem>>, entry: AuditEntry): void {
  const { code = '', project = '', message = '', id } = entry
  const item = tally.find([code, project], () => ({ project, code, reason: message, count: 0 }))
  if (item === undefined) return
  item.count += timesOf(entry)
  item.reason = message
  if (id !== undefined) item.id = id
}

function addWarning(tally: Tally<Mutable<WarningItem>>, entry: AuditEntry): void {
  const { code = '', message = '' } = entry
  const item = tally.find([code, message], () => ({ code, message, count: 0 }))
  if (item !== undefined) item.count += timesOf(entry)
}

function addPassed(tally: Tally<Mutable<PassedServer>>, entry: AuditEntry): void {
  const { found: server = '', bytes = 0 } = entry
  const item = tally.find([server], () => ({ server, bytes: 0 }))
  if (item !== undefined) item.bytes += bytes
}

function addTrust(tally: Tally<Mutable<TrustUse>>, entry: AuditEntry): void {
  if (entry.trust === undefined) return
  const { root, timestamp, snapshot } = entry.trust
  const trust = kindOf(entry.trust)
  const item = tally.find([trust, root, timestamp, snapshot], () => ({
    trust,
    root,
    ...(timestamp !== undefined && { timestamp }),
    ...(snapshot !== undefined && { snapshot }),
    count: 0,
  }))
  if (item !== undefined) item.count += timesOf(entry)
}

/** Without a word nothing counts as signed. */
function kindOf(trust: AuditTrust | undefined): TrustKind {
  return trustKindOf({ firstUse: trust === undefined || trust.kind === 'first-use' })
}
