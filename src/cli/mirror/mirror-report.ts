/** What `tufgate mirror` says while it works and at its end, as sentences for a person. */

import { formatSpan, formatUtcSeconds } from '../../base/clock.ts'
import { toPrintable } from '../../base/bytes.ts'
import type { MirrorEvent, Report } from '../../mirror/report.ts'
import type { ConflictedProject, MirrorStatus, RoleStatus } from '../../mirror/status.ts'
import type { SyncResult } from '../../mirror/sync.ts'
import { createProgress, note, paint, say, warn } from '../terminal.ts'

/** With `--json` standard output is for the outcome alone; what happens on the way goes to standard error. */
export function createReport({ json }: { readonly json?: boolean }): {
  report: Report
  stop: () => void
} {
  const progress = createProgress()
  return {
    report: (event) => {
      if (event.kind === 'progress')
        progress.update(event.done, event.total, event.of ?? 'projects')
      else if (event.kind === 'note') (json === true ? note : say)(event.message)
      else warn(describeEvent(event))
    },
    stop: () => progress.stop(),
  }
}

export function describeEvent(event: Exclude<MirrorEvent, { kind: 'progress' | 'note' }>): string {
  switch (event.kind) {
    case 'warning':
      return event.next === undefined ? event.message : `${event.message}\n  ${event.next}`
    case 'failed':
      return `${event.project}: not looked at: ${event.message}`
    case 'held':
      return `${event.project === undefined ? '' : `${event.project}: `}held for a person: ${event.message}`
    case 'left-out':
      return `${event.project}: ${toPrintable(event.file)} is left out: ${event.message}`
    case 'conflict':
      return `${event.project}: ${describeOther(event)}; the one that was signed stays\n  signed ${event.expected}\n  now    ${event.found}`
    case 'differs':
      return `${event.project}: ${describeAspect(event)}\n  expected ${toPrintable(event.expected)}\n  found    ${toPrintable(event.found)}`
    case 'not-covered':
      return `${event.place}: not from the index, so not covered: ${toPrintable(event.line)}`
    default:
      return event satisfies never
  }
}

function describeOther({ file, signedAs }: Extract<MirrorEvent, { kind: 'conflict' }>): string {
  const name = toPrintable(file)
  return signedAs === undefined
    ? `${name} has another content now`
    : `${name} is another spelling of ${toPrintable(signedAs)}, with another content`
}

function describeAspect({ aspect, file }: Extract<MirrorEvent, { kind: 'differs' }>): string {
  const name = toPrintable(file)
  switch (aspect) {
    case 'sha256':
      return `${name} on the index is not the signed file`
    case 'size':
      return `${name} is the signed file, but its signed size is wrong: clients refuse it`
    case 'metadata':
      return `METADATA in ${name} is not the .metadata file that is signed beside it`
    case 'archive':
      return `${name} is the signed file, but no wheel that can be read in one way only`
    default:
      return aspect satisfies never
  }
}

export interface SyncSubject {
  readonly directory: string
  /** The projects were named one by one, or by requirements files. */
  readonly isNamed: boolean
}

export function describeSync(result: SyncResult, { directory, isNamed }: SyncSubject): string {
  const { lookedAt, covered, changed, failed, held, conflicts, published, exitCode } = result
  const outcome = [`${describeLooks(lookedAt, covered)} looked at`, `${changed} changed`]
  if (failed > 0) outcome.push(paint('red', `${failed} failed`))
  if (held > 0) outcome.push(paint('yellow', `${held} held`))
  if (conflicts > 0) outcome.push(paint('yellow', `${conflicts} in conflict`))
  const done = published === undefined ? 'nothing to publish' : 'signed and published'
  const hints = [
    ...(held > 0
      ? [`tufgate mirror held ${directory} shows what waits and why; then approve it or reject it.`]
      : []),
    ...(conflicts > 0
      ? [`tufgate mirror health ${directory} says what is in conflict; what was signed stays.`]
      : []),
    ...(isNamed && exitCode === 0 ? [dependenciesHint] : []),
  ]
  return [`${outcome.join(', ')}; ${done}`, ...hints].join('\n')
}

/** Where the list of the index says which projects are as they were, they need no look. */
function describeLooks(lookedAt: number, covered: number): string {
  return covered > lookedAt
    ? `${lookedAt} of ${count(covered, 'project')}`
    : count(lookedAt, 'project')
}

const dependenciesHint =
  'Only the projects that were named are signed, not their dependencies: name those too, or use --all.'

export interface StatusSubject {
  readonly directory: string
  /** ms */
  readonly now: number
}

export function describeStatus(status: MirrorStatus, { directory, now }: StatusSubject): string {
  const { roles, projects, files, index, indexSeenAt, held, conflicted, unpublishedBins } = status
  return [
    row('index', index ?? `none yet: tufgate mirror sync ${directory} --index URL`),
    row('last look', indexSeenAt === undefined ? 'never' : `${formatSpan(now - indexSeenAt)} ago`),
    row('signed', `${count(projects, 'project')}, ${describeBins(status, directory)}`),
    row(
      'files',
      `${files.listed} listed, ${files.removed} removed, ${files.conflicts} in conflict`,
    ),
    ...roles.map((role) => describeRole(role, now)),
    ...describeOwners(status, { directory, now }),
    ...held.map(({ name, reason }) => paint('yellow', row('held', `${name}: ${reason}`))),
    ...conflicted.map((project) => paint('yellow', row('conflict', describeConflict(project)))),
    ...(conflicted.length > 0 ? [conflictAdvice] : []),
    ...(unpublishedBins > 0
      ? [
          paint(
            'yellow',
            `${count(unpublishedBins, 'part')} changed and not published: tufgate mirror renew ${directory}`,
          ),
        ]
      : []),
  ].join('\n')
}

/** As wide as the longest name of a role. */
const labelWidth = 'recently-claimed'.length + 2

function row(label: string, text: string): string {
  return `${label.padEnd(labelWidth)}${text}`
}

/** What the mirror does not decide, and what it has withdrawn whoever decided it. */
function describeOwners(
  { owners, denied }: MirrorStatus,
  { directory, now }: StatusSubject,
): string[] {
  const left = owners.expires === undefined ? 0 : owners.expires - now
  const first = left > 0 ? `expires in ${formatSpan(left)}` : paint('red', 'has expired')
  const signed = `${count(owners.count, 'project')} signed by maintainers; the first signature ${first}`
  return [
    ...(owners.count === 0 ? [] : [row('owners', signed)]),
    ...(denied === 0
      ? []
      : [
          row('withdrawn', `of ${count(denied, 'project')}: tufgate mirror deny list ${directory}`),
        ]),
  ]
}

/** Fewer or more than would be best costs clients little; only a gross mistake is worth a new mirror. */
const grossFactor = 4
/** Of so few nobody notices the difference, and a mirror begins with few. */
const fewTargets = 500

function describeBins(
  { bins, recommendedBins, projects, files, shape }: MirrorStatus,
  directory: string,
): string {
  const extra = [
    ...(shape.signsFiles ? ['each file too'] : []),
    ...(shape.signsHtml ? ['each page in HTML too'] : []),
  ]
  const parts = [`in ${count(bins, 'part')} (bins)`, ...extra].join(', ')
  const isGross = bins >= grossFactor * recommendedBins || recommendedBins >= grossFactor * bins
  return isGross && projects + (shape.signsFiles ? files.listed : 0) > fewTargets
    ? `${parts}; best for so many: ${recommendedBins} (tufgate mirror root new ${directory} --bins ${recommendedBins} -o bins.json)`
    : parts
}

const maxFilesShown = 20

function describeConflict({ name, files }: ConflictedProject): string {
  const shown = files.slice(0, maxFilesShown).map((file) => toPrintable(file))
  const rest = files.length > shown.length ? [`and ${files.length - shown.length} more`] : []
  return shown.length === 0 ? name : `${name}: ${[...shown, ...rest].join(', ')}`
}

const conflictAdvice = `  Either the index was tampered with or the file was replaced. Clients keep getting what was signed, if
  the index still has it, and a refusal otherwise. Find out which; if the new one is right it needs a
  new file name.`

function describeRole({ role, version, expires }: RoleStatus, now: number): string {
  const when =
    expires > now ? `expires in ${formatSpan(expires - now)}` : paint('red', 'HAS EXPIRED')
  return row(role, `version ${version}, ${when} (${formatUtcSeconds(expires)})`)
}

function count(amount: number, thing: string): string {
  return `${amount} ${thing}${amount === 1 ? '' : 's'}`
}
