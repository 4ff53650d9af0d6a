/**
 * Metadata of a repository of any size, made by the mirror's own builders and really signed. Of the
 * bins only a sample is made: they are as large as each other, but for chance.
 */

import type { Json } from '../../../../src/base/canonical-json.ts'
import { renderBin } from '../../../../src/mirror/bins.ts'
import {
  buildBins,
  buildDelegator,
  buildListing,
  buildRoot,
  buildSnapshot,
  buildTargets,
  buildTimestamp,
  type DelegatedKeys,
  type Delegation,
  type FileDigest,
  type MetaEntry,
} from '../../../../src/mirror/metadata-documents.ts'
import { signEnvelope } from '../../../../src/signing/envelope.ts'
import { buildPrivateKey } from '../../../../src/signing/key-file.ts'
import { buildSigner, type Signer } from '../../../../src/signing/signer.ts'
import { ownerPaths, ownerRole } from '../../../../src/simple/project-targets.ts'
import { findBin } from '../../../../src/tuf/delegation.ts'
import { RandomSequence } from '../random-sequence.ts'
import { averageSize, sizeOf, type Size } from './size.ts'

/** A repository that has run for years: versions of four digits, each bin at another. */
const meanVersion = 3000
const sampledBins = 24
const now = Date.parse('2026-11-20T12:00:00Z')
const dayMs = 86_400_000

export interface RepositoryShape {
  readonly bitLength: number
  /** Snapshot says length and sha256 of each bin. */
  readonly hasHashes: boolean
  /** Every target that some bin lists. */
  readonly targets: Iterable<readonly [string, number]>
  /** Projects that sign for themselves, half of them still under the online role. */
  readonly owners?: readonly string[]
  /** Where the bins are known from another repository with the same targets. */
  readonly bin?: Size
}

export type DocumentName =
  | 'root'
  | 'timestamp'
  | 'snapshot'
  | 'targets'
  | 'deny'
  | 'claimed'
  | 'recently-claimed'
  | 'bins'
  | 'bins-NN'

export type DocumentSizes = Readonly<Record<DocumentName, Size>>

export async function measureDocuments(shape: RepositoryShape): Promise<DocumentSizes> {
  const signer = await makeSigner()
  const sequence = new RandomSequence('versions')
  const header = { version: meanVersion, expires: now + 7 * dayMs }
  const sign = async (signed: Json): Promise<Size> => sizeOf(await signEnvelope(signed, [signer]))
  const keys = keysOf(signer)
  const [claimed, recent] = splitOwners(shape.owners ?? [], keys)
  const snapshot = buildSnapshot(header, listMeta(shape, sequence))
  return {
    root: await sign(buildRoot(header, await makeRootKeys())),
    timestamp: await sign(
      buildTimestamp(header, describe(sequence, 60_000), makeStatement(sequence)),
    ),
    snapshot: await sign(snapshot),
    targets: await sign(buildTargets(header, await makeDelegatedKeys())),
    deny: await sign(buildListing(header, [])),
    claimed: await sign(buildDelegator(header, claimed)),
    'recently-claimed': await sign(buildDelegator(header, recent)),
    bins: await sign(buildBins(header, keys, shape.bitLength)),
    'bins-NN': shape.bin ?? (await measureBins(shape, sign)),
  }
}

export async function makeSigner(): Promise<Signer> {
  return buildSigner(await buildPrivateKey('ed25519'), 'bench')
}

async function makeKeys(): Promise<DelegatedKeys> {
  return keysOf(await makeSigner())
}

function keysOf(...signers: readonly Signer[]): DelegatedKeys {
  return { keys: new Map(signers.map(({ keyid, key }) => [keyid, key])), threshold: 1 }
}

/** Three people of whom two sign, and a key for each other role. */
async function makeRootKeys(): Promise<Parameters<typeof buildRoot>[1]> {
  return {
    root: { ...keysOf(await makeSigner(), await makeSigner(), await makeSigner()), threshold: 2 },
    timestamp: await makeKeys(),
    snapshot: await makeKeys(),
    targets: await makeKeys(),
  }
}

async function makeDelegatedKeys(): Promise<Parameters<typeof buildTargets>[1]> {
  return {
    deny: await makeKeys(),
    claimed: await makeKeys(),
    'recently-claimed': await makeKeys(),
    bins: await makeKeys(),
  }
}

function makeStatement(sequence: RandomSequence): Parameters<typeof buildTimestamp>[2] {
  const journal = { sequence: 1_000_000, sha256: sequence.nextDigest() }
  return { signed: now, indexSeen: now - 60_000, journal }
}

/** Each with a key of its own, which no compression makes smaller. */
function splitOwners(
  projects: readonly string[],
  { threshold }: DelegatedKeys,
): [Delegation[], Delegation[]] {
  const sequence = new RandomSequence('owners')
  const all = projects.map((project): Delegation => {
    const key = {
      keytype: 'ed25519',
      scheme: 'ed25519',
      keyval: { public: sequence.nextDigest() },
    } as const
    return {
      name: ownerRole(project),
      paths: ownerPaths(project),
      terminating: true,
      keys: new Map([[sequence.nextDigest(), key]]),
      threshold,
    }
  })
  const half = Math.ceil(all.length / 2)
  return [all.slice(0, half), all.slice(half)]
}

function* listMeta(
  { bitLength, hasHashes, owners = [] }: RepositoryShape,
  sequence: RandomSequence,
): Generator<readonly [string, MetaEntry]> {
  for (const name of ['targets', 'deny', 'claimed', 'recently-claimed', 'bins']) {
    yield [name, describe(sequence, 1000)]
  }
  for (let bin = 0; bin < 2 ** bitLength; bin += 1) {
    const { version, ...known } = describe(sequence, 48_000)
    yield [renderBin(bin, bitLength), { version, ...(hasHashes && known) }]
  }
  for (const project of owners) {
    yield [ownerRole(project), describe(sequence, 2000)]
  }
}

/** How often a bin was signed is spread as chance spreads it. */
function describe(sequence: RandomSequence, bytes: number): MetaEntry & FileDigest {
  const version = Math.round(meanVersion + Math.sqrt(meanVersion) * sequence.nextNormal())
  const length = Math.round(bytes * (1 + sequence.nextNormal() / 20))
  return { version, length, sha256: sequence.nextDigest() }
}

/** The average of some. */
async function measureBins(
  { bitLength, targets }: RepositoryShape,
  sign: (signed: Json) => Promise<Size>,
): Promise<Size> {
  const bins = new Map<number, Map<string, FileDigest>>()
  const step = Math.max(1, Math.floor(2 ** bitLength / sampledBins))
  for (let bin = 0; bin < 2 ** bitLength; bin += step) bins.set(bin, new Map())
  const sequence = new RandomSequence('targets')
  for (const [path, length] of targets) {
    bins.get(findBin(bitLength, path))?.set(path, { length, sha256: sequence.nextDigest() })
  }
  const sizes: Size[] = []
  for (const listed of bins.values()) {
    sizes.push(
      await sign(buildListing({ version: meanVersion, expires: now }, sortTargets(listed))),
    )
  }
  return averageSize(sizes)
}

function sortTargets(listed: ReadonlyMap<string, FileDigest>): (readonly [string, FileDigest])[] {
  return [...listed].toSorted(([one], [other]) => (one < other ? -1 : 1))
}
