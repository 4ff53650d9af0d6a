/** `tufgate audit show` and `tufgate audit verify`. */

import { auditKinds, type AuditKind } from '../../audit/event.ts'
import { readAudit, type AuditEntry, type AuditFilter } from '../../audit/reader.ts'
import { parseHead, verifyAudit, type AuditVerdict } from '../../audit/verifier.ts'
import { toPrintable } from '../../base/bytes.ts'
import { ConfigError } from '../../base/errors.ts'
import { normalizeName } from '../../simple/names.ts'
import { currentOwner } from '../../store/process-owner.ts'
import { findLogFolder, type LogFlags } from '../log-folder.ts'
import { requireTime } from '../read-time.ts'
import { isHeard, note, paint, say, sayJson, warn } from '../terminal.ts'

export interface AuditShowFlags extends LogFlags {
  readonly json?: boolean
  readonly project?: string
  readonly kind?: readonly string[]
  readonly id?: readonly string[]
  readonly since?: string
  readonly until?: string
}

export interface AuditVerifyFlags extends LogFlags {
  readonly json?: boolean
  readonly head?: string
}

export async function showAudit(flags: AuditShowFlags): Promise<number> {
  const folder = findLogFolder(flags)
  const filter = parseFilter(flags, Date.now())
  let shown = 0
  for await (const entry of readAudit(folder, filter)) {
    // `audit show | head`: of a long log nobody wants the rest.
    if (!isHeard()) break
    shown += 1
    if (flags.json === true) sayJson(entry)
    else say(formatEntry(entry))
  }
  if (shown === 0) note(describeNothing(filter, folder))
  return 0
}

export async function verifyAuditLog(flags: AuditVerifyFlags): Promise<number> {
  const folder = findLogFolder(flags)
  const head = flags.head === undefined ? undefined : parseHead(flags.head)
  if (flags.head !== undefined && head === undefined) {
    throw new ConfigError(
      'CONFIG_INVALID',
      `"${toPrintable(flags.head)}" is not a head of an audit log.`,
      {
        expected: 'CHAIN:SEQ:DIGEST, as serve prints it when it stops',
      },
    )
  }
  const verdict = await verifyAudit(folder, {
    isAlive: currentOwner().isAlive,
    ...(head !== undefined && { head }),
  })
  if (flags.json === true) sayJson(verdict)
  else sayVerdict(verdict, folder)
  return verdict.findings.length === 0 ? 0 : 3
}

function describeNothing(filter: AuditFilter, folder: string): string {
  if (filter.ids !== undefined) {
    return `No line has ${filter.ids.length === 1 ? 'this id' : 'one of these ids'}: looked in ${folder}`
  }
  const isAll = Object.keys(filter).length === 0
  return `${isAll ? 'The log has no lines' : 'No line fits'}: looked in ${folder}`
}

function parseFilter(
  { project, kind, id, since, until }: AuditShowFlags,
  now: number,
): AuditFilter {
  return {
    ...(project !== undefined && { project: normalizeName(project) }),
    ...(kind !== undefined && { kinds: kind.map(requireKind) }),
    ...(id !== undefined && { ids: id }),
    ...(since !== undefined && { since: requireTime(since, now) }),
    ...(until !== undefined && { until: requireTime(until, now) }),
  }
}

function requireKind(raw: string): AuditKind {
  const kind = auditKinds.find((known) => known === raw)
  if (kind !== undefined) return kind
  throw new ConfigError('CONFIG_INVALID', `"${toPrintable(raw)}" is not a kind of line.`, {
    expected: auditKinds.join(', '),
  })
}

const styles = { refused: 'red', warning: 'yellow', hidden: 'yellow', released: 'green' } as const

function formatEntry(entry: AuditEntry): string {
  const { time, kind, project, file, code, id, message, request, expected, found, count } = entry
  // Of whatever rests on it: a reader of lines must not take it for more.
  const isFirstUse = entry.trust?.kind === 'first-use' && message?.includes('first-use') !== true
  const style = kind in styles ? styles[kind as keyof typeof styles] : 'dim'
  const times = count === undefined ? undefined : `(${count} times)`
  const trust = isFirstUse ? 'first-use' : undefined
  const words = [file ?? project, code, message ?? request, trust, id, times]
    .filter((word) => word !== undefined)
    .map((word) => toPrintable(word, 400))
  const stamp = new Date(time).toISOString().replace('T', ' ').slice(0, 19)
  const isDifferent = expected !== found
  return [
    `${stamp}  ${paint(style, kind.padEnd(8))}  ${words.join('  ')}`,
    ...(isDifferent && expected !== undefined
      ? [`    expected ${toPrintable(expected, 400)}`]
      : []),
    ...(isDifferent && found !== undefined ? [`    found    ${toPrintable(found, 400)}`] : []),
  ].join('\n')
}

/** Of a chain the first letters say when it began, and that is how people tell them apart. */
function shorten(chain: string): string {
  return chain.length > 20 ? `${chain.slice(0, 20)}...` : chain
}

function sayVerdict({ findings, chains, unproven }: AuditVerdict, folder: string): void {
  for (const { what, file, line, expected, found } of findings) {
    // They may quote a line that somebody else has written.
    const [wanted, seen] = [expected, found].map((text) => toPrintable(text, 400))
    warn(`${file}, line ${line}: ${what}\n    expected ${wanted}\n    found    ${seen}`)
  }
  for (const { head, firstSeq } of chains) {
    say(`chain ${shorten(head.chain)}: lines ${firstSeq} to ${head.seq}`)
    say(`  head ${head.chain}:${head.seq}:${head.digest}`)
  }
  for (const sentence of unproven) say(`not proven: ${sentence}`)
  say(
    findings.length === 0
      ? `${folder}: no line was changed`
      : `${folder}: ${findings.length === 1 ? '1 finding' : `${findings.length} findings`}`,
  )
}
