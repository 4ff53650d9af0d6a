/**
 * A summary in words and in order, the same for all who read it: what text and Markdown have in common.
 * It chooses between "verified" and "first-use", and escapes nothing: the texts in it are untrusted.
 */

import { formatBytes } from '../base/byte-count.ts'
import { findTrustWords, type TrustKind } from '../base/trust-words.ts'
import type {
  Listing,
  RefusedItem,
  ReleasedFile,
  SessionSummary,
  TrustUse,
} from './session-summary.ts'

/** What is known of a session besides its log. */
export interface SessionVerdict {
  /** Sentences, perhaps of several lines: why the session is not good, whatever was refused. */
  readonly problems: readonly string[]
  /** Of the audit log at the end: `CHAIN:SEQ:DIGEST`. */
  readonly head?: string
}

export interface SectionItem {
  /** File or project. Untrusted. */
  readonly subject: string
  /** Untrusted. */
  readonly text: string
  readonly facts: readonly { readonly name: string; readonly value: string }[]
}

export interface Section {
  readonly kind: 'refused' | 'failed' | 'hidden' | 'absent' | 'warnings' | 'passed' | 'released'
  readonly title: string
  readonly items: readonly SectionItem[]
  /** Lines of the log that are about none of the items. */
  readonly more: number
}

/** What is wrong comes first, what went well last. Empty ones are left out. */
export function listSections(summary: SessionSummary): Section[] {
  const { refused, failed, hidden, absent, warnings, passed } = summary
  const sections: Section[] = [
    buildSection('refused', 'Refused', refused, describeRefused),
    buildSection('failed', 'Could not be had', failed, describeRefused),
    buildSection('hidden', 'Hidden by policy', hidden, ({ project, reason, code, id }) => ({
      subject: project,
      text: withId(reason, id),
      facts: [{ name: 'rule', value: code }],
    })),
    buildSection('absent', 'Not in the list', absent, ({ project, reason, id }) => ({
      subject: project,
      text: withId(reason, id),
      facts: [],
    })),
    buildSection('warnings', 'Warnings', warnings, ({ code, message, count }) => ({
      subject: code,
      text: withTimes(message, count),
      facts: [],
    })),
    buildSection('passed', 'Let pass unverified (the settings allow it)', passed, (item) => ({
      subject: item.server,
      text: formatBytes(item.bytes),
      facts: [],
    })),
    ...listReleased(summary.released),
  ]
  return sections.filter(({ items, more }) => items.length > 0 || more > 0)
}

/** One line: `12 files verified (3.4 MB), 1 refused`. */
export function describeOutcome(summary: SessionSummary): string {
  const { released, refused, failed, hidden, passed } = summary
  const parts = [
    ...describeReleasedCounts(released),
    ...(refused.items.length > 0 ? [`${countOf(refused)} refused`] : ['nothing refused']),
    ...(failed.items.length > 0 ? [`${countOf(failed)} could not be had`] : []),
    ...(hidden.items.length > 0 ? [`files of ${countOf(hidden)} projects hidden by policy`] : []),
    ...(passed.items.length > 0 ? [`${countOf(passed)} servers let pass unverified`] : []),
  ]
  return parts
    .join(', ')
    .replace('of 1 projects', 'of 1 project')
    .replace(' 1 servers', ' 1 server')
}

/** What of a section is not shown, as a line or none. */
export function describeRest(rest: number, more: number): string[] {
  const parts = [
    ...(rest === 0 ? [] : [`${rest} more`]),
    ...(more === 0 ? [] : [`${more} more lines of the audit log`]),
  ]
  return parts.length === 0 ? [] : [`and ${parts.join(', and ')}`]
}

/** What the answers rested on, one line for each list, the newest last. */
export function describeTrust({ trust, released }: SessionSummary): string[] {
  // The title above the files says that already.
  const isSaid = released.items.some((file) => file.trust === 'first-use')
  const uses = trust.items.filter((use) => use.trust === 'signed' || !isSaid)
  // Records that were seen first have one sentence for all their versions.
  const all = [...new Set(uses.map(describeTrustUse))]
  const lines = all.slice(-maxTrustLines)
  const more = all.length - lines.length + trust.more
  return more > 0 ? [`and ${more} more, before`, ...lines] : lines
}

/** `foo-1.0.whl` or `project foo`; a request that names neither is shown itself. */
export function describeSubject({ file, project, request }: RefusedItem): string {
  if (file !== undefined) return file
  return project === '' ? (request ?? 'a request') : `project ${project}`
}

const maxTrustLines = 5

function buildSection<T>(
  kind: Section['kind'],
  title: string,
  listing: Listing<T>,
  describe: (item: T) => SectionItem,
): Section {
  return { kind, title, items: listing.items.map(describe), more: listing.more }
}

function listReleased({ items, more }: Listing<ReleasedFile>): Section[] {
  const byTrust = (wanted: TrustKind): SectionItem[] =>
    items.filter(({ trust }) => trust === wanted).map(describeReleased)
  const verified = { kind: 'released', title: 'Verified', items: byTrust('signed') } as const
  const seen = {
    kind: 'released',
    title: 'First-use (nobody has signed these)',
    items: byTrust('first-use'),
  } as const
  // What is beyond the number stands where the files before it stand.
  const isSigned = verified.items.length > 0
  return [
    { ...verified, more: isSigned ? more : 0 },
    { ...seen, more: isSigned ? 0 : more },
  ]
}

function describeReleased({ file, bytes }: ReleasedFile): SectionItem {
  return { subject: file, text: formatBytes(bytes), facts: [] }
}

function describeRefused(item: RefusedItem): SectionItem {
  const { code, reason, expected, found, id, count } = item
  const isDifferent = expected !== found
  // What the reason says need not be said again.
  const isNew = (fact: string | undefined): fact is string =>
    isDifferent && fact !== undefined && !reason.includes(fact)
  return {
    subject: describeSubject(item),
    text: withTimes(withId(reason, id), count),
    facts: [
      { name: 'code', value: code },
      ...(isNew(expected) ? [{ name: 'expected', value: expected }] : []),
      ...(isNew(found) ? [{ name: 'found', value: found }] : []),
    ],
  }
}

function withId(text: string, id: string | undefined): string {
  return id === undefined ? text : `${text} (${id})`
}

function withTimes(text: string, count: number): string {
  return count === 1 ? text : `${text} (${count} times)`
}

function describeReleasedCounts({ items, more }: Listing<ReleasedFile>): string[] {
  const kinds = [
    ['signed', 'verified'],
    ['first-use', 'handed out on first use'],
  ] as const
  const counts = kinds.flatMap(([kind, word]) => {
    const files = items.filter(({ trust }) => trust === kind)
    if (files.length === 0) return []
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
    return [`${countFiles(files.length)} ${word} (${formatBytes(bytes)})`]
  })
  if (more > 0) counts.push(`${more} more answers with files`)
  return counts.length === 0 ? ['no file handed out'] : counts
}

function countFiles(count: number): string {
  return count === 1 ? '1 file' : `${count} files`
}

function countOf({ items, more }: Listing<unknown>): string {
  return more > 0 ? `more than ${items.length}` : String(items.length)
}

function describeTrustUse({ trust, root, timestamp, snapshot }: TrustUse): string {
  const versions = [
    `root ${root}`,
    ...(timestamp === undefined ? [] : [`timestamp ${timestamp}`]),
    ...(snapshot === undefined ? [] : [`snapshot ${snapshot}`]),
  ].join(', ')
  const { list } = findTrustWords(trust)
  return trust === 'first-use'
    ? `${list}: what the index showed first, which nobody has signed`
    : `${list}: ${versions}`
}
