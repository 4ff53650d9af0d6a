/**
 * The same repository for tufgate and for tuf-js 6: valid ones with a few odd things in them, signed
 * as they are. Where one accepts what the other refuses, `known-differences.ts` must say why.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BaseFetcher, Updater } from 'tuf-js'
import type { Bytes } from '../../../src/base/bytes.ts'
import { isTufgateError } from '../../../src/base/errors.ts'
import { noFloors, trustRoot } from '../../../src/tuf/trusted-set.ts'
import { findTarget } from '../../../src/tuf/search.ts'
import { acceptDelegated } from '../../../src/tuf/trusted-set.ts'
import { refresh, type RefreshPort } from '../../../src/tuf/update.ts'
import { readTape } from '../dice.ts'
import { findDifference, type Verdict } from '../known-differences.ts'
import { makeTape } from '../mutate.ts'
import { BrokenRuleError, type FuzzTarget } from '../target.ts'
import { buildOddRepository, type PublishedRepository } from './odd-repository.ts'

let folder = ''

export const tufJsTarget: FuzzTarget = {
  name: 'tuf-js',
  rule: 'tufgate and tuf-js accept the same repositories, but for differences that are known',
  seeds: () => [],
  make: makeTape,
  share: 0.5,
  open: async () => {
    folder = mkdtempSync(join(tmpdir(), 'tufgate-fuzz-'))
    return async () => rmSync(folder, { recursive: true, force: true })
  },
  run: async (input) => {
    const published = buildOddRepository(readTape(input), Date.now())
    const ours = await askTufgate(published)
    const theirs = await askTufJs(published)
    if (ours.kind === theirs.kind && ours.found === theirs.found) return `both ${ours.kind}`
    const known = findDifference({ ours, theirs, published })
    if (known !== undefined) return known
    throw new BrokenRuleError(
      `tufgate ${showVerdict(ours)}, tuf-js ${showVerdict(theirs)}, after: ${published.changes.join(', ')}`,
    )
  },
}

function showVerdict({ kind, found, problem }: Verdict): string {
  return kind === 'refused' ? `refuses (${problem})` : `finds ${found}`
}

async function askTufgate({ first, answers, path }: PublishedRepository): Promise<Verdict> {
  const find = (name: string): Bytes => {
    const bytes = answers.get(name)
    if (bytes === undefined) throw new MissingError(name)
    return bytes
  }
  const port: RefreshPort = {
    fetchRoot: async (version) => answers.get(`${version}.root.json`),
    fetchTimestamp: async () => find('timestamp.json'),
    fetchRole: async (role, version) => find(fileOf(role, version)),
    readCached: async () => undefined,
    saveRoot: async () => undefined,
  }
  try {
    const now = Date.now()
    const { trusted } = await refresh(trustRoot(first, noFloors), port, now)
    const isPrefixed = trusted.root.consistentSnapshot
    const search = await findTarget(
      trusted,
      path,
      async (delegator, role) => {
        const version = trusted.snapshot.meta.get(`${role}.json`)?.version
        return acceptDelegated(
          trusted,
          delegator,
          role,
          find(fileOf(role, isPrefixed ? version : undefined)),
        )
      },
      { now },
    )
    const { target } = search
    return {
      kind: 'accepted',
      found:
        target === undefined ? 'nothing' : `${target.length} ${target.hashes.get('sha256') ?? '-'}`,
      problem: '',
    }
  } catch (error) {
    if (!isTufgateError(error) && !(error instanceof MissingError)) throw error
    const code = isTufgateError(error) ? error.code : 'MISSING'
    return { kind: 'refused', found: '', problem: `${code}: ${error.message}` }
  }
}

function fileOf(role: string, version: number | undefined): string {
  const name = `${encodeURIComponent(role)}.json`
  return version === undefined ? name : `${version}.${name}`
}

class MissingError extends Error {}

/** Without a file and a socket for each answer. */
class MemoryFetcher extends BaseFetcher {
  readonly #answers: ReadonlyMap<string, Bytes>

  constructor(answers: ReadonlyMap<string, Bytes>) {
    super()
    this.#answers = answers
  }

  override async downloadBytes(url: string, maxLength: number): Promise<Buffer> {
    const bytes = this.#answers.get(url.slice(url.lastIndexOf('/') + 1))
    if (bytes === undefined) throw await buildNotFound()
    if (bytes.length > maxLength) throw new Error('Max length reached')
    return Buffer.from(bytes)
  }

  override fetch(): Promise<never> {
    return Promise.reject(new Error('only bytes are asked for'))
  }
}

/** The class of its own error, which the package does not export. */
async function buildNotFound(): Promise<Error> {
  const path = new URL('./error.js', import.meta.resolve('tuf-js')).href
  const { DownloadHTTPError } = (await import(path)) as {
    DownloadHTTPError: new (message: string, status: number) => Error
  }
  return new DownloadHTTPError('not found', 404)
}

async function askTufJs({ first, answers, path }: PublishedRepository): Promise<Verdict> {
  const state = mkdtempSync(join(folder, 'case-'))
  try {
    writeFileSync(join(state, 'root.json'), first)
    const client = new Updater({
      metadataDir: state,
      metadataBaseUrl: 'https://mirror.test/metadata',
      fetcher: new MemoryFetcher(answers),
    })
    await client.refresh()
    const target = await client.getTargetInfo(path)
    return {
      kind: 'accepted',
      found: target === undefined ? 'nothing' : describeTarget(target),
      problem: '',
    }
  } catch (error) {
    const problem = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    return { kind: 'refused', found: '', problem }
  } finally {
    rmSync(state, { recursive: true, force: true })
  }
}

function describeTarget({
  length,
  hashes,
}: {
  length: number
  hashes: Record<string, string>
}): string {
  return `${length} ${hashes['sha256'] ?? '-'}`
}
