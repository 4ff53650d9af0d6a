/** `tufgate verify FILE...`: files on disk against the signed records. */

import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import { toPrintable } from '../../base/bytes.ts'
import { ConfigError } from '../../base/errors.ts'
import { describeErrno, isPathErrno } from '../../store/storage-error.ts'
import { hashFile } from '../hash-file.ts'
import { openReading, sayFirstSights, type ReadingFlags } from '../serve/open-reading.ts'
import { createProgress, paint, say, sayJson, type Progress } from '../terminal.ts'
import { verifyFile, type FileVerdict, type LocalBytes } from './verify-file.ts'

export interface VerifyFlags extends ReadingFlags {
  readonly json?: boolean
  readonly receipt?: string
  readonly bytecode?: string
}

interface Checked extends FileVerdict {
  readonly file: string
}

/** Shown as progress from this size on. */
const largeBytes = 32 * 1024 ** 2

export async function runVerify(files: readonly string[], flags: VerifyFlags): Promise<number> {
  const { json, receipt, bytecode, ...rest } = flags
  if (files.length === 0) throw refuseUsage('Nothing was named that could be checked.')
  if (receipt !== undefined || bytecode !== undefined)
    throw refuseUsage('--receipt and --bytecode are for an environment.')
  const locals = await hashFiles(files)
  const reading = await openReading(rest)
  const checked: Checked[] = []
  try {
    for (const { file, local } of locals) {
      const verdict = await verifyFile(reading.indexes, local, Date.now())
      checked.push({ file, ...verdict })
      if (json !== true) say(describeVerdict(file, verdict))
    }
    if (json !== true) sayFirstSights(reading.indexes)
  } finally {
    await reading.close()
  }
  const exitCode = findExitCode(checked)
  if (json === true) sayJson({ result: exitCode === 0 ? 'ok' : 'not-ok', files: checked })
  return exitCode
}

function refuseUsage(message: string): ConfigError {
  return new ConfigError('CONFIG_INVALID', message, {
    next: 'Name wheels and sdists, such as dist/*.whl, or an environment with --env.',
  })
}

/** 3 as soon as one is refused, 1 where the rest could not be told. */
function findExitCode(checked: readonly FileVerdict[]): number {
  if (checked.every(({ status }) => status === 'matches')) return 0
  return checked.every(({ status }) => status === 'matches' || status === 'untold') ? 1 : 3
}

async function hashFiles(
  files: readonly string[],
): Promise<{ readonly file: string; readonly local: LocalBytes }[]> {
  const progress = createProgress()
  try {
    const locals: { file: string; local: LocalBytes }[] = []
    for (const file of files) locals.push({ file, local: await hashLocal(file, progress) })
    return locals
  } finally {
    progress.stop()
  }
}

async function hashLocal(path: string, progress: Progress): Promise<LocalBytes> {
  // Not blocking: a FIFO would hold the command up at its opening.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(
    refuseUnreadable(path),
  )
  try {
    const stats = await file.stat()
    if (!stats.isFile()) throw refusePath(path, 'it is not a file')
    const label = basename(path)
    const sha256 = await hashFile(file, (bytes) => {
      if (stats.size >= largeBytes) progress.update(bytes, stats.size, toPrintable(label))
    })
    return { filename: label, sha256, size: stats.size }
  } finally {
    await file.close()
  }
}

function refuseUnreadable(path: string): (error: unknown) => never {
  return (error) => {
    throw isPathErrno(error) ? refusePath(path, describeErrno(error), error) : error
  }
}

function refusePath(path: string, problem: string, cause?: unknown): ConfigError {
  return new ConfigError(
    'CONFIG_INVALID',
    `${toPrintable(path, 500)} cannot be checked: ${problem}`,
    {
      cause,
      next: 'Name wheels and sdists, such as dist/*.whl; an installed environment is checked with --env.',
    },
  )
}

const maxTextLength = 1000

function describeVerdict(file: string, verdict: FileVerdict): string {
  const { status, message, expected, found, next, yanked } = verdict
  const style = status === 'matches' ? 'green' : 'red'
  const label = status === 'matches' ? message : labels[status]
  const reason = status === 'matches' ? '' : `: ${toPrintable(message, maxTextLength)}`
  return [
    `${toPrintable(file, 500)}: ${paint(style, label)}${reason}`,
    ...(yanked === undefined
      ? []
      : [`  yanked: ${toPrintable(yanked === '' ? 'no reason given' : yanked, maxTextLength)}`]),
    ...(expected === undefined ? [] : [`  expected: ${toPrintable(expected)}`]),
    ...(found === undefined
      ? []
      : [status === 'matches' ? `  sha256 ${found}` : `  found:    ${toPrintable(found)}`]),
    ...describeTrace(verdict),
    ...(next === undefined ? [] : [`  ${toPrintable(next, maxTextLength)}`]),
  ].join('\n')
}

const labels: Readonly<Record<FileVerdict['status'], string>> = {
  matches: '',
  refused: 'REFUSED',
  differs: 'NOT THE SAME',
  'not-listed': 'NOT IN THE RECORD',
  'unknown-project': 'UNKNOWN',
  untold: 'COULD NOT BE TOLD',
}

function describeTrace({ origin }: FileVerdict): string[] {
  if (origin === undefined) return []
  const { index, url, record, role, root, timestamp, snapshot, rootSha256, trust } = origin
  const versions = [`root ${root}`]
  if (timestamp !== undefined) versions.push(`timestamp ${timestamp}`)
  if (snapshot !== undefined) versions.push(`snapshot ${snapshot}`)
  const kept = trust === 'signed' ? `role ${role}, ${versions.join(', ')}` : 'kept from first use'
  const pinned = trust === 'signed' ? [`  pinned root sha256 ${rootSha256}`] : []
  return [
    `  index ${toPrintable(index)} (${toPrintable(url)})`,
    `  record sha256 ${record}, ${kept}`,
    ...pinned,
  ]
}
