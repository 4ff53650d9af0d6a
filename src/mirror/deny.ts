/**
 * What is withdrawn at once, whoever signed it: the targets of the online role `deny`, one for each
 * project of which something is withdrawn. It can only take away.
 */

import { encodeUtf8, decodeUtf8 } from '../base/bytes.ts'
import { sha256Hex } from '../base/digest.ts'
import { ConfigError } from '../base/errors.ts'
import { denyTarget, parseDenials, renderDenials, type Denial } from '../simple/denial.ts'
import { readInteger, readText, type Row } from '../store/database.ts'
import type { FileDigest } from './metadata-documents.ts'
import type { Mirror, MirrorMemory } from './open-mirror.ts'
import { targetPath } from './tree-layout.ts'

type Memory = Pick<MirrorMemory, 'ledger'>

/** Path and digest of each, in order of the names. */
export function listDenied({ ledger }: Memory): (readonly [string, FileDigest])[] {
  const rows = ledger.database.all('SELECT project, sha256, length FROM deny ORDER BY project')
  return rows.map((row) => [
    denyTarget(readText(row, 'project')),
    { sha256: readText(row, 'sha256'), length: readInteger(row, 'length') },
  ])
}

export interface ProjectDenials {
  readonly project: string
  readonly denials: readonly Denial[]
}

/** In order of the names. */
export function listDenials({ ledger }: Memory): ProjectDenials[] {
  return ledger.database.all('SELECT * FROM deny ORDER BY project').map(readRow)
}

export function findDenials({ ledger }: Memory, project: string): readonly Denial[] {
  const row = ledger.database.get('SELECT * FROM deny WHERE project = ?', project)
  return row === undefined ? [] : readRow(row).denials
}

function readRow(row: Row): ProjectDenials {
  const project = readText(row, 'project')
  return { project, denials: parseDenials(encodeUtf8(readText(row, 'content')), project) }
}

/**
 * Takes the place of all that was withdrawn of the project; none: nothing is any more. The files are on
 * disk when this returns; the next publication signs it. What is not changed is not written.
 */
export async function putDenials(
  mirror: Mirror,
  { project, denials }: ProjectDenials,
  now: number,
): Promise<void> {
  const { ledger, roles, tree } = mirror
  const before = ledger.database.get('SELECT * FROM deny WHERE project = ?', project)
  const previous = before === undefined ? [] : readRow(before).denials
  const content = renderDenials(project, denials)
  const sha256 = sha256Hex(content)
  if (before === undefined ? denials.length === 0 : readText(before, 'sha256') === sha256) return
  const path = targetPath(denyTarget(project), sha256)
  if (before === undefined) requireRoom(mirror, project)
  if (denials.length > 0) {
    // Until its row is written: a crash must not leave a file that nothing knows of.
    ledger.putSuperseded(path, now)
    await tree.stage(path, content, { hasTwin: true })
    await tree.publish()
  }
  ledger.database.transaction(() => {
    if (before !== undefined) {
      ledger.putSuperseded(targetPath(denyTarget(project), readText(before, 'sha256')), now)
    }
    ledger.database.run('DELETE FROM deny WHERE project = ?', project)
    if (denials.length > 0) {
      ledger.keep(path)
      ledger.database.run(
        'INSERT INTO deny (project, sha256, length, content) VALUES (?, ?, ?, ?)',
        project,
        sha256,
        content.length,
        decodeUtf8(content),
      )
    }
    roles.markDirty('deny')
    const kind = countWithdrawn(denials) < countWithdrawn(previous) ? 'deny-lifted' : 'denied'
    const reasons = denials.slice(0, maxTold).map(({ reason }) => reason)
    mirror.journal.append([{ kind, project, detail: { sha256, reasons } }], now)
  })
}

/** The files of all of them anew, where some are missing or damaged. */
export async function restageDenials({
  ledger,
  tree,
}: Pick<Mirror, 'ledger' | 'tree'>): Promise<void> {
  let staged = 0
  for (const { project, denials } of listDenials({ ledger })) {
    const content = renderDenials(project, denials)
    const path = targetPath(denyTarget(project), sha256Hex(content))
    await tree.stage(path, content, { hasTwin: true })
    staged += 1
    if (staged % filesAtOnce === 0) await tree.publish()
  }
  await tree.publish()
}

/** Each is held open, with its twin. */
const filesAtOnce = 64

/** One target: two names, a sha256, a length. */
const targetBytes = 130
/** `limits.targets` of clients by default, and room for signatures. */
const maxDenyBytes = 8_000_000 - 64_000

/** Clients refuse everything when the role is longer than they take: it is not made so long. */
function requireRoom({ ledger }: Memory, added: string): void {
  const sql = 'SELECT count(*) AS n, coalesce(sum(length(project)), 0) AS letters FROM deny'
  const row = ledger.database.get(sql) ?? {}
  const [projects, letters] = [readInteger(row, 'n') + 1, readInteger(row, 'letters')]
  const length = projects * targetBytes + letters + added.length
  if (length <= maxDenyBytes) return
  throw new ConfigError(
    'CONFIG_INVALID',
    `deny would be ${length} bytes long with ${projects} projects, and clients take ${maxDenyBytes}`,
    {
      role: 'deny',
      next: 'Take back what is not on the index any more: tufgate mirror deny remove',
    },
  )
}

/** Of reasons, in the journal. */
const maxTold = 10

function countWithdrawn(denials: readonly Denial[]): number {
  return denials.reduce(
    (sum, { files, version }) =>
      sum + (files === 'all' ? 1 : files.length) + (version === undefined ? 0 : 1),
    0,
  )
}
