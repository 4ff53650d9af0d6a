/** `tufgate lock rewrite`: addresses in lock files, from the proxy's to the index's own and back. */

import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { decodeUtf8, encodeUtf8, toPrintable } from '../../base/bytes.ts'
import { isMalformed } from '../../base/decode.ts'
import { ConfigError } from '../../base/errors.ts'
import { applyEdits, type Edit } from '../../installers/lock-edit.ts'
import { dropPoetrySources, type DroppedSources } from '../../installers/poetry-lock.ts'
import { findLockFormat, rewriteLock, type LockFormat } from '../../installers/rewrite-lock.ts'
import { rewriteAddress, type LockMap } from '../../installers/rewrite-lock-url.ts'
import { writeFileAtomic } from '../../store/atomic-file.ts'
import { describeErrno, isPathErrno } from '../../store/storage-error.ts'
import { createLockMap, type LockMapFlags } from './lock-map.ts'
import { readToml } from '../settings.ts'
import { say, sayJson, warn } from '../terminal.ts'

export interface LockRewriteFlags extends LockMapFlags {
  readonly check?: boolean
  readonly json?: boolean
}

interface Outcome {
  readonly file: string
  readonly format: LockFormat
  /** What was read. */
  readonly before: string
  readonly text: string
  readonly edits: readonly Edit[]
  /** Lines with an address of a proxy that was left. */
  readonly leftLines: readonly number[]
  readonly sources?: DroppedSources
}

const maxLockBytes = 256 * 1024 ** 2

export async function runLockRewrite(
  files: readonly string[],
  flags: LockRewriteFlags,
): Promise<number> {
  const map = createLockMap(flags)
  // All are read and understood before the first is written.
  const outcomes = files.map((file) => rewriteFile(file, map))
  for (const outcome of outcomes) {
    if (flags.check !== true && hasChanged(outcome)) await writeBack(outcome)
    if (flags.json !== true) tell(outcome, map, flags.check === true)
  }
  if (flags.json === true) sayJson({ to: map.to, files: outcomes.map(summarize) })
  const isDone = outcomes.every(({ leftLines }) => leftLines.length === 0)
  return isDone && !(flags.check === true && outcomes.some(hasChanged)) ? 0 : 3
}

function hasChanged({ edits, sources }: Outcome): boolean {
  return edits.length > 0 || sources !== undefined
}

function rewriteFile(file: string, map: LockMap): Outcome {
  const format = findLockFormat(basename(file))
  if (format === undefined) throw refuseName(file)
  const text = readLock(file)
  requireWellFormed(file, text, format)
  const sources =
    format === 'poetry' && map.to === 'origin' ? dropSources(file, text, map) : undefined
  const lean = sources === undefined ? text : applyEdits(text, sources.edits)
  const { text: rewritten, edits, left } = rewriteLock(lean, format, map)
  const leftLines = listLines(lean, left)
  return {
    file,
    format,
    before: text,
    text: rewritten,
    edits,
    leftLines,
    ...(sources !== undefined && { sources }),
  }
}

/** The places are in order: the text is gone through once. */
function listLines(text: string, places: readonly { readonly start: number }[]): number[] {
  let line = 1
  let end = text.indexOf('\n')
  return places.map(({ start }) => {
    for (; end >= 0 && end < start; end = text.indexOf('\n', end + 1)) line += 1
    return line
  })
}

function refuseName(file: string): ConfigError {
  return new ConfigError(
    'CONFIG_INVALID',
    `${toPrintable(file, 500)} is no lock file by its name.`,
    {
      expected:
        'uv.lock, poetry.lock, pdm.lock, pylock.toml, Pipfile.lock or requirements in a .txt',
    },
  )
}

function readLock(file: string): string {
  try {
    if (statSync(file).size <= maxLockBytes) return decodeUtf8(readFileSync(file))
  } catch (error) {
    const problem = isPathErrno(error) ? describeErrno(error) : 'it is not UTF-8'
    throw refuseFile(file, problem, error)
  }
  throw refuseFile(file, `it is larger than ${maxLockBytes} bytes`)
}

function refuseFile(file: string, problem: string, cause?: unknown): ConfigError {
  return new ConfigError(
    'CONFIG_INVALID',
    `${toPrintable(file, 500)} cannot be rewritten: ${problem}`,
    {
      cause,
      next: 'Nothing was changed.',
    },
  )
}

/** In a broken file a string is not certainly a string. */
function requireWellFormed(file: string, text: string, format: LockFormat): void {
  if (format === 'requirements') return
  if (format !== 'pipenv') {
    readToml(text, toPrintable(file, 500))
    return
  }
  try {
    JSON.parse(text)
  } catch (error) {
    if (!isMalformed(error)) throw error
    throw refuseFile(file, 'it is not JSON', error)
  }
}

const pypi = 'https://pypi.org/simple'

function dropSources(file: string, text: string, map: LockMap): DroppedSources | undefined {
  const path = join(dirname(file), 'pyproject.toml')
  if (!existsSync(path)) return undefined
  const tool = tableOf(readToml(readLock(path), path)['tool'])
  const settings = tableOf(tool['poetry'])
  return dropPoetrySources(text, { settings, proxyUrl: `${map.proxy}/simple` }, (url) => {
    // An earlier run may have turned it, while pyproject.toml still named the source.
    const origin = rewriteAddress({ raw: url, kind: 'index', project: undefined }, map) ?? url
    return origin.replace(/\/$/, '') === pypi
  })
}

function tableOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}

/** Atomic, with the mode that it had; what a link leads to, not the link. */
async function writeBack({ file, before, text }: Outcome): Promise<void> {
  const path = realpathSync(file)
  if (readLock(path) !== before)
    throw new ConfigError('CONFIG_INVALID', `${toPrintable(file, 500)} was changed meanwhile.`, {
      next: 'Run the command again, when no installer writes it.',
    })
  await writeFileAtomic(path, encodeUtf8(text), { mode: statSync(path).mode & 0o7777 })
}

function tell(outcome: Outcome, { to }: LockMap, isCheck: boolean): void {
  const { file, edits, leftLines, sources } = outcome
  const name = toPrintable(file, 500)
  const goal = to === 'origin' ? "the index's own" : "the proxy's"
  const count = edits.length === 1 ? '1 address' : `${edits.length} addresses`
  const tables = sources?.edits.filter(({ after }) => after === '').length ?? 0
  const dropped = tables === 0 ? '' : `, ${describeDropped(tables, isCheck)}`
  if (!hasChanged(outcome)) say(`${name}: nothing to rewrite`)
  else say(`${name}: ${count} ${isCheck ? 'would be turned' : 'turned'} into ${goal}${dropped}`)
  if (sources?.isStale === true)
    warn(`${name}: its content-hash is not of this pyproject.toml: run poetry lock --no-update`)
  if (leftLines.length === 0) return
  const lines = leftLines.slice(0, 20).join(', ')
  warn(
    `${name}: addresses of a proxy for which the settings have no index with such a file host, in line ${lines}`,
  )
}

function describeDropped(count: number, isCheck: boolean): string {
  if (count === 1) return `1 source table of poetry ${isCheck ? 'would go' : 'is gone'}`
  return `${count} source tables of poetry ${isCheck ? 'would go' : 'are gone'}`
}

function summarize({ file, format, edits, leftLines, sources }: Outcome): object {
  const changes = edits.map(({ before, after }) => ({ before, after }))
  const dropped = sources?.edits.filter(({ after }) => after === '').length ?? 0
  return { file, format, changes, leftLines, droppedSources: dropped }
}
