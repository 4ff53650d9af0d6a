/** From an installed distribution to the bytes of its signed wheel, or to the reason why there is none. */

import { DecodeError } from '../../base/decode.ts'
import { isTufgateError, VerifyError } from '../../base/errors.ts'
import { findTrustWords } from '../../base/trust-words.ts'
import type { FoundRecord } from '../../client/repository.ts'
import { chooseWheels } from '../../installed/choose-wheels.ts'
import type { SignedWheel } from '../../installed/compare-wheel.ts'
import type { Disk } from '../../installed/disk.ts'
import type { Distribution } from '../../installed/distribution.ts'
import type { DistributionResult } from '../../installed/receipt.ts'
import { decideFile } from '../../policy/decide.ts'
import type { RecordFile, ServedPath } from '../../simple/record.ts'
import type { OpenIndex } from '../serve/open-index.ts'
import type { Reading } from '../serve/open-reading.ts'
import { readSignedWheel } from './read-signed-wheel.ts'
import { describeOrigin } from './verify-file.ts'

export interface Trace {
  readonly result: DistributionResult
  /** To compare with; also where the policy refuses it. */
  readonly wheel?: SignedWheel
}

/** Of wheels that could be the one. */
const maxFetched = 4
const maxWheelFileBytes = 1 << 20

export async function traceDistribution(
  distribution: Distribution,
  disk: Disk,
  reading: Reading,
  now: number,
): Promise<Trace> {
  const local = describeLocal(distribution)
  if (local !== undefined) return untraced(distribution, local)
  const index = reading.indexes.find((one) => one.owns(distribution.project))
  if (index === undefined) return untraced(distribution, 'no index of the settings has its name')
  try {
    const found = await index.findRecord(distribution.project, 'page')
    if (found === undefined)
      return untraced(distribution, findTrustWords(index.trustKind).absent(distribution.project))
    return await traceIn({ distribution, disk, reading, index, found, now })
  } catch (error) {
    return describeFailure(distribution, error)
  }
}

function describeLocal({ source }: Distribution): string | undefined {
  if (source.kind === 'editable') return 'installed editable: it is a folder of this machine'
  if (source.kind === 'directory') return 'built from a folder of this machine'
  return source.kind === 'repository' ? 'built from a repository (VCS)' : undefined
}

interface Search {
  readonly distribution: Distribution
  readonly disk: Disk
  readonly reading: Reading
  readonly index: OpenIndex
  readonly found: FoundRecord
  readonly now: number
}

async function traceIn(search: Search): Promise<Trace> {
  const { distribution, index, found, now } = search
  const choice = chooseWheels(found.record.files, distribution)
  const words = findTrustWords(index.trustKind)
  if (choice.kind === 'no-version')
    return untraced(
      distribution,
      describeNoVersion(distribution, (project) => words.record(project)),
    )
  if (choice.kind === 'built') {
    const reason =
      'no wheel of this version in the record has its tags: built from an sdist, which cannot be traced file by file, or of other origin'
    return untraced(distribution, reason)
  }
  const { file, wheel } = await findWheel(search, choice.files.slice(0, maxFetched))
  const decision = decideFile(index.policy, found.record.name, file, now)
  const result = {
    ...describe(distribution),
    wheel: { filename: file.filename, sha256: file.sha256 },
    origin: describeOrigin(found, index),
    ...(file.yanked !== undefined && { yanked: file.yanked }),
  }
  if (decision.kind === 'keep') return { result: { ...result, status: 'traced' }, wheel }
  return { result: { ...result, status: 'refused', reason: decision.reason }, wheel }
}

/** A new environment has pip, and setuptools with it, in the version that Python brings along (ensurepip). */
function describeNoVersion(
  { project, version }: Distribution,
  record: (project: string) => string,
): string {
  const sentence = `${record(project)} has no version ${version}`
  return project === 'pip' || project === 'setuptools'
    ? `${sentence}; if Python brought it along: install it anew through the proxy, or remove it`
    : sentence
}

/** The one with the installed WHEEL in it; without such a one the likeliest. */
async function findWheel(
  search: Search,
  files: readonly RecordFile[],
): Promise<{ file: RecordFile; wheel: SignedWheel }> {
  const { distribution, disk } = search
  const folder = distribution.folder.slice(distribution.folder.lastIndexOf('/') + 1)
  const path = `${distribution.folder}/WHEEL`
  // Nothing on disk is read to its end before a signed size bounds it.
  const isShort = (disk.files.get(path)?.size ?? 0) <= maxWheelFileBytes
  const installed = isShort ? await disk.digest(path) : undefined
  let likeliest: { file: RecordFile; wheel: SignedWheel } | undefined
  for (const file of files) {
    const wheel = await fetchWheel(search, file)
    if (wheel.files.get(`${folder}/WHEEL`)?.sha256 === installed) return { file, wheel }
    likeliest ??= { file, wheel }
  }
  if (likeliest === undefined) throw new TypeError('there is no wheel to choose from')
  return likeliest
}

/** Its own sha256 first, then what is in it. */
async function fetchWheel(
  { reading, index, found }: Search,
  file: RecordFile,
): Promise<SignedWheel> {
  const { vault, downloads } = reading
  let opened = await vault.open(file.sha256)
  if (opened === undefined) {
    await index.hosts.settle()
    const served = await index.requireFile(found.record.name, requirePath(found, file))
    await downloads.fetch({ ...served, hosts: index.hosts.rules, trust: index.trustKind }).done
    opened = await vault.open(file.sha256)
  }
  if (opened === undefined)
    throw new VerifyError('DIGEST_MISMATCH', `${file.filename} was fetched and is not in the vault`)
  try {
    return await readSignedWheel(file.filename, opened)
  } finally {
    await opened.close()
  }
}

function requirePath({ record }: FoundRecord, file: RecordFile): ServedPath {
  for (const served of record.byPath.values())
    if (served.kind === 'file' && served.file === file) return served
  throw new TypeError('a file of the record has no path')
}

function describeFailure(distribution: Distribution, error: unknown): Trace {
  if (error instanceof DecodeError)
    return untraced(distribution, `its wheel cannot be read: ${error.message}`)
  if (!isTufgateError(error)) throw error
  const { message, code, facts } = error
  const next = facts.next === undefined ? '' : ` ${facts.next}`
  const reason = `${message} (${code}).${next}`
  return { result: { ...describe(distribution), status: 'untold', reason } }
}

function untraced(distribution: Distribution, reason: string): Trace {
  return { result: { ...describe(distribution), status: 'untraced', reason } }
}

function describe({
  name,
  version,
  folder,
  installer,
}: Distribution): Pick<DistributionResult, 'name' | 'version' | 'folder' | 'installer'> {
  return { name, version, folder, ...(installer !== undefined && { installer }) }
}
