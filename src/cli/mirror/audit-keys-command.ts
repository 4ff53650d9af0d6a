/** `tufgate mirror audit-keys`: the keys and what each is worth to a thief, as a table or JSON. */

import { formatUtcSeconds } from '../../base/clock.ts'
import { toPrintable } from '../../base/bytes.ts'
import { auditKeys, type AuditedKey, type KeyAudit } from '../../mirror/audit-keys.ts'
import type { Freeze, Scope, Verdict } from '../../mirror/theft-matrix.ts'
import type { TheftRow } from '../../mirror/theft-rows.ts'
import { paint, say, sayJson, warn } from '../terminal.ts'

export interface AuditKeysFlags {
  readonly json?: boolean
}

export async function runAuditKeys(directory: string, flags: AuditKeysFlags): Promise<number> {
  const audit = await auditKeys(directory)
  if (flags.json === true) {
    sayJson(renderAudit(audit))
    return 0
  }
  for (const line of describeAudit(audit, directory)) say(line)
  for (const warning of audit.warnings) warn(toPrintable(warning, 1000))
  return 0
}

/** Times as text, as everywhere in our JSON. */
function renderAudit(audit: KeyAudit): unknown {
  const thefts = audit.thefts.map(({ stolen, withPath, withoutPath }) => ({
    stolen,
    withPath: renderVerdict(withPath),
    withoutPath: renderVerdict(withoutPath),
  }))
  return { ...audit, thefts }
}

function renderVerdict({ freeze, ...verdict }: Verdict): unknown {
  const { until } = freeze
  return { ...verdict, freeze: { ...freeze, ...(until && { until: formatUtcSeconds(until) }) } }
}

function describeAudit(audit: KeyAudit, directory: string): string[] {
  const { claimed, recentlyClaimed } = audit.projects
  return [
    paint('bold', 'Keys'),
    ...renderTable(['role', 'key', 'where'], audit.keys.map(describeKey)),
    `owners: ${claimed} claimed, ${recentlyClaimed} recently claimed; their keys are with the maintainers`,
    '',
    paint(
      'bold',
      "With the mirror's files, or the network to its clients, a thief of these keys can do this",
    ),
    ...describeThefts(audit),
    '',
    "Without the mirror's files and the network no key does anything by itself: what it signs reaches nobody.",
    ...(claimed + recentlyClaimed > 0
      ? ["Only an owner's keys do: the mirror takes in and publishes what is signed with them."]
      : []),
    'Online keys lie where the mirror is: whoever takes them from there has its files as well.',
    '',
    paint('bold', 'After a theft'),
    ...adviseAfterTheft(directory, claimed + recentlyClaimed > 0),
  ]
}

function describeKey({ role, keyid, threshold, keys, place, isOnline }: AuditedKey): string[] {
  const amount = keys > 1 || threshold > 1 ? `${role} (${threshold} of ${keys})` : role
  const where = place === undefined ? 'not on this machine' : describePlace(place)
  return [amount, keyid.slice(0, 12), isOnline || place === undefined ? where : `${where} !`]
}

function describePlace({ path, kind }: NonNullable<AuditedKey['place']>): string {
  const name = toPrintable(path, 500)
  return kind === 'file' ? name : `${name} (${kind})`
}

function describeThefts({ thefts, projects }: KeyAudit): string[] {
  const notes: string[] = []
  const rows = thefts.map((row) => describeTheft(row, projects, notes))
  const head = ['stolen', 'wrong files', 'holds back until', 'mixes old and new', 'why']
  return [...renderTable(head, rows), ...legend, ...notes.map((note, at) => `  ${at + 1}  ${note}`)]
}

const legend = [
  '  wrong files: the projects of which clients would take files that nobody has signed.',
  '  holds back until: for so long clients can be kept from what is new.',
  '  mixes old and new: clients can be shown one project as it was and another as it is.',
]

/** Each reason is said once, below the table. */
function describeTheft(
  { stolen, withPath }: TheftRow,
  projects: KeyAudit['projects'],
  notes: string[],
): string[] {
  for (const reason of withPath.reasons) if (!notes.includes(reason)) notes.push(reason)
  const { malicious, maliciousForNew, freeze, inconsistency } = withPath
  const scope = describeScope(malicious, projects)
  const scopeForNew = describeScope(maliciousForNew, projects)
  const forNew = scope === scopeForNew ? '' : `; new clients: ${scopeForNew}`
  const why = withPath.reasons.map((reason) => notes.indexOf(reason) + 1).join(' ')
  return [
    stolen,
    `${scope}${forNew}`,
    describeFreeze(freeze),
    { no: 'no', within: 'in those projects', yes: 'yes' }[inconsistency],
    why,
  ]
}

const everyProject = 'of every project'

function describeScope(scope: Scope, projects: KeyAudit['projects']): string {
  const { unclaimed, recentlyClaimed, claimed } = projects
  switch (scope) {
    case 'nothing':
      return 'no'
    case 'one':
      return 'of that project'
    case 'unclaimed':
      return claimed + recentlyClaimed === 0
        ? everyProject
        : `of the ${countProjects(unclaimed)} without owners`
    case 'not-claimed':
      return claimed === 0
        ? everyProject
        : `of the ${countProjects(unclaimed + recentlyClaimed)} without owners in claimed`
    case 'everything':
      return everyProject
    default:
      return scope satisfies never
  }
}

function countProjects(amount: number): string {
  return `${amount} ${amount === 1 ? 'project' : 'projects'}`
}

function describeFreeze({ until, endedBy, needsNoKey }: Freeze): string {
  if (until === undefined) return 'for ever'
  const minute = formatUtcSeconds(until).replace(/:\d\dZ$/, 'Z')
  return `${minute} ${endedBy ?? ''}${needsNoKey ? ' (no key needed)' : ''}`
}

function adviseAfterTheft(directory: string, hasOwners: boolean): string[] {
  const folder = toPrintable(directory, 500)
  return [
    `  tufgate mirror root new ${folder} --stolen ROLE... -o recovery.json`,
    '  tufgate mirror root sign recovery.json --key KEY      (each who has to)',
    `  tufgate mirror root publish ${folder} recovery.json`,
    '  Clients follow as soon as they see the new root; those that the thief cuts off stop at the time above.',
    '  Give new clients the newest root, and none of before the theft.',
    ...(hasOwners
      ? [
          `  An owner's keys: tufgate mirror deny add ${folder} PROJECT at once; then the maintainers claim it with new keys.`,
        ]
      : []),
  ]
}

function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)))
  return all.map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd(),
  )
}
