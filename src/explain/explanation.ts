/**
 * Why one request was answered as it was, from its lines in the audit log: what was asked, which rule
 * decided, what was expected and found, what it can mean, and what to do. What it says is as true as
 * the log is whole. Texts of the log stand in it as they are: whoever shows them escapes them.
 */

import { passedUnverified, type AuditEvent, type AuditTrust } from '../audit/event.ts'
import { formatUtcSeconds } from '../base/clock.ts'
import { findTrustWords, type TrustKind } from '../base/trust-words.ts'
import type { CodeExplanation, Step } from './code-explanation.ts'
import { explainPlaceholders, fillCommand, type CommandWords } from './fill-command.ts'
import { findExplanation } from './find-explanation.ts'
import { explainDelivery, explainPage, explainPassed } from './explain-delivery.ts'

/** A line of the log, or one on its way there. */
export interface LoggedEvent extends AuditEvent {
  /** Milliseconds. */
  readonly time: number
  readonly chain?: string
  readonly seq?: number
  readonly count?: number
  readonly since?: string
  readonly ids?: readonly string[]
}

export type Outcome = 'refused' | 'hidden' | 'delivered' | 'noted'

export interface NextStep extends Step {
  /** Whoever ran the installer, or whoever runs the proxy. */
  readonly who: 'user' | 'operator'
}

export interface Explanation {
  readonly id?: string
  readonly outcome: Outcome
  /** One line: the outcome, and of what. */
  readonly title: string
  readonly asked?: string
  readonly project?: string
  readonly file?: string
  /** Address of the client. */
  readonly who?: string
  /** ISO 8601. */
  readonly when: string
  /** The sentence that the client was told. */
  readonly happened?: string
  /** What was advised with it, of this very case. */
  readonly advice?: string
  readonly code?: string
  readonly rule: string
  readonly clause?: string
  readonly expected?: string
  readonly found?: string
  /** The two as they are shown: what they are called depends on the case. */
  readonly compared: readonly (readonly [name: string, value: string])[]
  /** Which list the answer rests on; absent where nothing was looked up. */
  readonly trust?: AuditTrust
  /** The same as a sentence. */
  readonly restsOn?: string
  /** The likeliest first. */
  readonly meaning: readonly string[]
  readonly next: readonly NextStep[]
  /** Words in the commands that the reader has to put in: `MIRROR: ...`. */
  readonly placeholders: readonly string[]
  /** What else the log says of the same request. */
  readonly also: readonly string[]
  /** Equal events behind the one line. */
  readonly count?: number
  readonly since?: string
  /** Where it stands in the log. */
  readonly line?: { readonly chain: string; readonly seq: number }
}

/**
 * @param around other lines of the same request, in any order
 * @param words what the commands may name
 */
export function explainEntry(
  entry: LoggedEvent,
  around: readonly LoggedEvent[] = [],
  words: CommandWords = {},
): Explanation {
  const kind: TrustKind = entry.trust?.kind ?? 'signed'
  const outcome = outcomeOf(entry)
  const { rule, clause, meaning, next } = explainOutcome(entry, outcome, kind)
  const steps = listSteps(next, { ...findWords(entry), ...words })
  const commands = steps.flatMap(({ command = [] }) => command)
  return {
    ...pickRequest(entry),
    ...pickReason(entry),
    ...pickLine(entry),
    compared: compareFacts(entry),
    outcome,
    title: titleOf(entry, outcome),
    when: formatUtcSeconds(entry.time),
    rule,
    ...(clause !== undefined && { clause }),
    meaning,
    next: steps,
    placeholders: explainPlaceholders(commands),
    also: [...describeCount(entry), ...around.map(describeOther)],
  }
}

/** Of all lines of one request: the one that says most comes first. `undefined` without any. */
export function explainRequest(
  entries: readonly LoggedEvent[],
  words: CommandWords = {},
): Explanation | undefined {
  const [main, ...around] = entries.toSorted(
    (left, right) => weightOf(left) - weightOf(right) || right.time - left.time,
  )
  return main && explainEntry(main, around, words)
}

function weightOf({ kind }: LoggedEvent): number {
  const place = ['refused', 'hidden', 'released', 'page', 'warning'].indexOf(kind)
  return place < 0 ? 5 : place
}

function outcomeOf({ kind }: LoggedEvent): Outcome {
  if (kind === 'refused' || kind === 'hidden') return kind
  return kind === 'released' || kind === 'page' ? 'delivered' : 'noted'
}

function explainOutcome(entry: LoggedEvent, outcome: Outcome, kind: TrustKind): CodeExplanation {
  if (entry.code === passedUnverified) return explainPassed()
  if (outcome !== 'delivered') return findExplanation(entry.code ?? 'BUG', kind)
  return entry.kind === 'page' ? explainPage(entry, kind) : explainDelivery(entry, kind)
}

function titleOf(entry: LoggedEvent, outcome: Outcome): string {
  const subject = entry.file ?? entry.project ?? entry.request ?? 'a request'
  return `${titles[outcome]}: ${subject}`
}

const titles = {
  refused: 'Refused',
  hidden: 'Hidden by policy',
  delivered: 'Delivered',
  noted: 'Noted',
} as const

/** A decision finds nothing: then there is only what the list says of the file. */
function compareFacts({ expected, found }: LoggedEvent): (readonly [string, string])[] {
  if (expected !== undefined && expected === found) return [['compared', expected]]
  const isListed = found === undefined && expected?.startsWith('sha256:') === true
  return [
    ...(expected === undefined ? [] : [[isListed ? 'listed' : 'expected', expected] as const]),
    ...(found === undefined ? [] : [['found', found] as const]),
  ]
}

type Facts = Omit<Partial<Explanation>, 'outcome' | 'next'>

function pickRequest({ id, request, project, file, client, trust }: LoggedEvent): Facts {
  return {
    ...(id !== undefined && { id }),
    ...(request !== undefined && { asked: request }),
    ...(project !== undefined && { project }),
    ...(file !== undefined && { file }),
    ...(client !== undefined && { who: client }),
    ...(trust !== undefined && { trust, restsOn: describeTrust(trust) }),
  }
}

function pickReason({ message, next, code, expected, found }: LoggedEvent): Facts {
  return {
    ...(message !== undefined && { happened: message }),
    ...(next !== undefined && { advice: next }),
    ...(code !== undefined && { code }),
    ...(expected !== undefined && { expected }),
    ...(found !== undefined && { found }),
  }
}

function pickLine({ count, since, chain, seq }: LoggedEvent): Facts {
  return {
    ...(count !== undefined && { count }),
    ...(since !== undefined && { since }),
    ...(chain !== undefined && seq !== undefined && { line: { chain, seq } }),
  }
}

function listSteps({ user, operator }: CodeExplanation['next'], words: CommandWords): NextStep[] {
  const fill = (who: NextStep['who'], { text, command }: Step): NextStep => ({
    who,
    text,
    ...(command !== undefined && { command: fillCommand(command, words) }),
  })
  return [
    ...user.map((step) => fill('user', step)),
    ...operator.map((step) => fill('operator', step)),
  ]
}

/** Names that came from the network go into a command only where they look like what they are. */
function findWords({ project = '', request = '', file = '' }: LoggedEvent): CommandWords {
  const [, host] =
    /^(?:GET|HEAD) \/files\/[^/]+\/([a-z0-9.-]{1,253}(?::\d{1,5})?)\//.exec(request) ?? []
  // PEP 427, PEP 625. Without an epoch: its mark means something to a shell.
  const [, version] = /^[^-]+-(\d[\w.+]{0,60})(?:-.*\.whl|\.tar\.gz|\.zip)$/.exec(file) ?? []
  return {
    ...(/^[a-z0-9][a-z0-9._-]{0,200}$/.test(project) && { PROJECT: project }),
    ...(version !== undefined && { VERSION: version }),
    ...(host !== undefined && /^[a-z0-9]/.test(host) && { HOST: host }),
  }
}

/** What the answer rests on, from the root down. */
function describeTrust({ kind, root, timestamp, snapshot, role, record }: AuditTrust): string {
  const versions = [
    `root ${root}`,
    ...(timestamp === undefined ? [] : [`timestamp ${timestamp}`]),
    ...(snapshot === undefined ? [] : [`snapshot ${snapshot}`]),
  ].join(', ')
  const by = role === undefined ? '' : `; the project is listed in its part "${role}"`
  const digest = record === undefined ? '' : `; sha256 of the project's record: ${record}`
  return `${findTrustWords(kind ?? 'signed').list} in the versions ${versions}${by}${digest}`
}

function describeCount({ count, since, ids }: LoggedEvent): string[] {
  if (count === undefined) return []
  const time = since === undefined ? '' : ` since ${since}`
  const which = ids === undefined ? '' : ' Of these, only the first have their ids in the log.'
  return [
    `This line stands for ${count} equal events${time}: the first ten of a minute are written one by one, the others are counted.${which}`,
  ]
}

function describeOther({ kind, code, message, time, bytes }: LoggedEvent): string {
  const what = [kind, code].filter((word) => word !== undefined).join(' ')
  const rest = message ?? (bytes === undefined ? undefined : `${bytes} bytes`)
  return `${formatUtcSeconds(time)} ${what}${rest === undefined ? '' : `: ${rest}`}`
}
