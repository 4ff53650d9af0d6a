/** `tufgate verify --env PATH`: every file of an environment against the wheels of the signed records. */

import { realpathSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { encodeUtf8, toPrintable } from '../../base/bytes.ts'
import { formatUtcSeconds, type Clock } from '../../base/clock.ts'
import { ConfigError } from '../../base/errors.ts'
import { classifyRest, type ByteCodeRule, type Untraced } from '../../installed/classify-rest.ts'
import { compareWheel, type Comparison } from '../../installed/compare-wheel.ts'
import type { Disk } from '../../installed/disk.ts'
import { compareText, Findings } from '../../installed/findings.ts'
import { findLayout, type Layout } from '../../installed/layout.ts'
import {
  buildReceipt,
  renderReceiptJson,
  type DistributionResult,
  type Receipt,
} from '../../installed/receipt.ts'
import { renderReceiptText } from '../../installed/render-receipt.ts'
import { readVenvSettings, venvSettingsPath } from '../../installed/venv-settings.ts'
import { normalizeName } from '../../simple/names.ts'
import { writeOutput } from '../write-output.ts'
import { describeErrno, isPathErrno } from '../../store/storage-error.ts'
import { findDistributions, listOwnPaths, type Found } from './find-distributions.ts'
import { openDisk } from './open-disk.ts'
import {
  openReading,
  sayFirstSights,
  type Reading,
  type ReadingFlags,
} from '../serve/open-reading.ts'
import { createProgress, say, sayJson, type Progress } from '../terminal.ts'
import { traceDistribution, type Trace } from './trace-distribution.ts'
import { version } from '../version.ts'

export interface EnvironmentFlags extends ReadingFlags {
  readonly env: string
  readonly json?: boolean
  readonly receipt?: string
  readonly bytecode?: ByteCodeRule
}

/** With `--bytecode refuse` byte code that nobody checked is `not-verified`. */
const exitCodes = {
  verified: 0,
  'byte-code-not-checked': 0,
  'first-use': 0,
  'not-verified': 3,
  'not-told': 1,
} as const
const maxListed = 40
/** So many are fetched and read at a time. */
const parallel = 4

export async function runVerifyEnvironment(
  files: readonly string[],
  flags: EnvironmentFlags,
): Promise<number> {
  const { env, json, receipt: receiptPath, bytecode = 'header', ...rest } = flags
  if (files.length > 0)
    throw new ConfigError('CONFIG_INVALID', '--env and files cannot be checked at once.', {
      next: 'Run the command twice.',
    })
  const root = requireFolder(env)
  const disk = openDisk(root)
  const layout = requireLayout(env, disk)
  const reading = await openReading(rest)
  const progress = createProgress()
  try {
    const examined = { given: env, root, disk, layout, bytecode, clock: Date.now }
    const receipt = await examine(examined, reading, progress)
    progress.stop()
    if (receiptPath !== undefined) await writeReceipt(receiptPath, receipt)
    if (json === true) sayJson(receipt)
    else {
      say(renderReceiptText(receipt, maxListed).trimEnd())
      sayFirstSights(reading.indexes)
    }
    return exitCodes[receipt.result]
  } finally {
    progress.stop()
    await reading.close()
  }
}

function requireFolder(path: string): string {
  try {
    const root = realpathSync(path)
    if (statSync(root).isDirectory()) return root
  } catch (error) {
    if (!isPathErrno(error)) throw error
    throw refuse(path, describeErrno(error), error)
  }
  throw refuse(path, 'it is not a folder')
}

function requireLayout(path: string, disk: Disk): Layout {
  const layout = findLayout(disk.files.keys())
  if (layout !== undefined) return layout
  throw refuse(
    path,
    'there is no pyvenv.cfg, no lib/python3.*/site-packages and no *.dist-info in it',
  )
}

function refuse(path: string, problem: string, cause?: unknown): ConfigError {
  return new ConfigError(
    'CONFIG_INVALID',
    `${toPrintable(path, 500)} is no environment: ${problem}`,
    {
      cause,
      next: 'Name the folder of a virtual environment, such as .venv, or one that was filled with pip install --target.',
    },
  )
}

interface Examined {
  readonly given: string
  readonly root: string
  readonly disk: Disk
  readonly layout: Layout
  readonly bytecode: ByteCodeRule
  readonly clock: Clock
}

async function examine(examined: Examined, reading: Reading, progress: Progress): Promise<Receipt> {
  const { disk, layout, root, given, bytecode, clock } = examined
  const scriptFolders = [...new Set([root, resolve(given)])].map((folder) => `${folder}/bin/`)
  const findings = new Findings()
  const { home: pythonHome, fault } = layout.kind === 'venv' ? await readVenvSettings(disk) : {}
  const home = pythonHome === undefined ? {} : { pythonHome }
  const comparison = { disk, layout, findings, scriptFolders, ...home }
  const found = await findDistributions(disk, layout)
  const { results, untraced } = await compareAll(found, comparison, {
    reading,
    now: clock(),
    progress,
  })
  // A wheel may have brought it: what it says holds all the same.
  if (fault !== undefined) findings.overrule({ path: venvSettingsPath, ...fault })
  await classifyRest(comparison, untraced, bytecode)
  return buildReceipt({
    tufgate: version,
    time: formatUtcSeconds(clock()),
    path: root,
    layout,
    ...home,
    byteCode: bytecode,
    distributions: markTwice(results),
    findings: findings.all,
  })
}

interface Work {
  readonly reading: Reading
  readonly now: number
  readonly progress: Progress
}

async function compareAll(
  found: readonly Found[],
  comparison: Comparison,
  work: Work,
): Promise<{ results: DistributionResult[]; untraced: Untraced[] }> {
  const results: DistributionResult[] = []
  const untraced: Untraced[] = []
  const queue = found.values()
  const runOne = async (): Promise<void> => {
    for (const one of queue) {
      work.progress.update(results.length, found.length, toPrintable(one.folder))
      const result = await compareOne(one, comparison, work)
      results.push(result)
      if (result.status === 'untraced' || result.status === 'untold') {
        const paths = await listOwnPaths(comparison.disk, one)
        untraced.push({ distribution: `${result.name} ${result.version}`, paths })
      }
    }
  }
  await Promise.all(Array.from({ length: parallel }, runOne))
  untraced.sort((left, right) => compareText(left.distribution, right.distribution))
  return { results, untraced }
}

async function compareOne(
  { distribution, folder }: Found,
  comparison: Comparison,
  { reading, now }: Work,
): Promise<DistributionResult> {
  if ('problem' in distribution) {
    const name = folder.slice(folder.lastIndexOf('/') + 1)
    return { name, version: '', folder, status: 'untraced', reason: distribution.problem }
  }
  const { result, wheel }: Trace = await traceDistribution(
    distribution,
    comparison.disk,
    reading,
    now,
  )
  if (wheel !== undefined) await compareWheel(distribution, wheel, comparison)
  return result
}

/** Which of two versions is used depends on chance. */
function markTwice(results: readonly DistributionResult[]): DistributionResult[] {
  const counts = new Map<string, number>()
  for (const one of results)
    counts.set(normalizeName(one.name), (counts.get(normalizeName(one.name)) ?? 0) + 1)
  return results.map((one) =>
    (counts.get(normalizeName(one.name)) ?? 0) > 1 && one.status === 'traced'
      ? { ...one, status: 'refused', reason: 'it is installed twice' }
      : one,
  )
}

async function writeReceipt(path: string, receipt: Receipt): Promise<void> {
  const text = path.endsWith('.json')
    ? renderReceiptJson(receipt)
    : renderReceiptText(receipt, Infinity)
  await writeOutput(path, encodeUtf8(text))
}
