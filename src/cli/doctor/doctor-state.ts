/** What tufgate keeps on this machine, looked at from outside: owners and modes, room, the end of the log. */

import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
} from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { sha256Hex } from '../../base/digest.ts'
import { sortParts } from '../../audit/part-name.ts'
import { verifyAudit } from '../../audit/verifier.ts'
import type { AuditFacts, AuthorityFacts, DiskFacts, FileFacts } from '../../doctor/judge-state.ts'
import { describeUnchecked, describeUnreadable } from '../../doctor/judge-state.ts'
import type { Finding } from '../../doctor/finding.ts'
import { keysFolder } from '../../mirror/open-mirror.ts'
import { findNotaryPlace } from '../../notary/notary-folder.ts'
import { currentOwner } from '../../store/process-owner.ts'
import { describeErrno } from '../../store/storage-error.ts'
import { isMirrored, type IndexSettings, type Settings } from '../settings.ts'

const maxKeyFiles = 1000
const maxAuditBytes = 256 * 1024 ** 2
const maxAuditProblems = 5

export interface StateFacts {
  readonly files: readonly FileFacts[]
  readonly disk?: DiskFacts
  readonly audits: readonly AuditFacts[]
  readonly findings: readonly Finding[]
}

export async function findState(settings: Settings, stateHome: string): Promise<StateFacts> {
  const findings: Finding[] = []
  const folders = settings.index.flatMap((index) => findIndexFolder(index, stateHome) ?? [])
  const notaries = settings.index.flatMap((index) =>
    isMirrored(index) ? [] : [findNotaryPlace(stateHome, index.url).path],
  )
  const files = [
    ...[stateHome, ...folders, ...notaries].flatMap((path) => findFile(path, 'state')),
    ...notaries.flatMap((path) => listKeys(join(path, keysFolder), findings)),
  ]
  const audits: AuditFacts[] = []
  for (const folder of folders) {
    const log = join(folder, 'audit')
    if (existsSync(log)) audits.push(await findAudit(log, findings))
  }
  const disk = await findDisk(stateHome, findings)
  return { files, audits, findings, ...(disk && { disk }) }
}

/** The state of an index whose root can be read. */
function findIndexFolder(index: IndexSettings, stateHome: string): string | undefined {
  const path = isMirrored(index) ? index.root : findNotaryPlace(stateHome, index.url).rootPath
  try {
    return join(stateHome, sha256Hex(readFileSync(path)))
  } catch {
    // Said where the trust of the index is looked at.
    return undefined
  }
}

function findFile(path: string, use: FileFacts['use']): FileFacts[] {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats === undefined) return []
  const user = process.geteuid?.()
  const isOwn = user === undefined || stats.uid === user
  return [{ path, use, isFolder: stats.isDirectory(), mode: stats.mode, isOwn }]
}

function listKeys(folder: string, findings: Finding[]): FileFacts[] {
  if (!existsSync(folder)) return []
  try {
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    if (names.length > maxKeyFiles) {
      findings.push(describeUnchecked(folder, 'there are too many files in it'))
    }
    // The public half of a key is for everybody.
    const kept = names.filter((name) => !name.endsWith('.pub')).slice(0, maxKeyFiles)
    return kept.flatMap((name) => findFile(join(folder, name), 'key'))
  } catch (error) {
    findings.push(describeUnreadable(folder, describeErrno(error)))
    return []
  }
}

/** The newest chain: an older one is the business of `audit verify`. */
async function findAudit(folder: string, findings: Finding[]): Promise<AuditFacts> {
  const isWritable = canWrite(folder)
  try {
    const parts = sortParts(readdirSync(folder))
    const chain = parts.at(-1)?.chain
    if (chain === undefined) return { folder, isWritable, problems: [] }
    const bytes = parts
      .filter((part) => part.chain === chain)
      .reduce((sum, { file }) => sum + statSync(join(folder, file)).size, 0)
    if (bytes > maxAuditBytes) {
      findings.push(
        describeUnchecked(folder, 'the log is too large', {
          mend: 'tufgate audit verify reads it whole',
        }),
      )
      return { folder, isWritable, problems: [] }
    }
    const { isAlive } = currentOwner()
    const verdict = await verifyAudit(folder, { chain, isAlive })
    const problems = verdict.findings
      .slice(0, maxAuditProblems)
      .map(({ what, file, line, found }) => `${what} in ${file}, line ${line}: ${found}`)
    return { folder, isWritable, problems }
  } catch (error) {
    findings.push(describeUnreadable(folder, describeErrno(error)))
    return { folder, isWritable, problems: [] }
  }
}

function canWrite(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK)
    return true
  } catch {
    // For whatever reason.
    return false
  }
}

/** Of the nearest folder that is there: the state may not have been made yet. */
async function findDisk(path: string, findings: Finding[]): Promise<DiskFacts | undefined> {
  let folder = path
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder)
  try {
    const { bavail, bsize } = await statfs(folder)
    return { path: folder, freeBytes: bavail * bsize }
  } catch (error) {
    findings.push(describeUnreadable(folder, describeErrno(error)))
    return undefined
  }
}

/** Loads what reads certificates only where there is one. */
export async function findAuthorities(
  stateHome: string,
): Promise<{ authorities: AuthorityFacts[]; files: FileFacts[] }> {
  const folder = join(stateHome, 'authority')
  if (!existsSync(folder)) return { authorities: [], files: [] }
  const { listAuthorities } = await import('../../ca/authority-folder.ts')
  const found = await listAuthorities(stateHome)
  return {
    authorities: found.map(({ path, until }) => ({ path, expires: until })),
    files: found.flatMap(({ path }) => findFile(path, 'key')),
  }
}
