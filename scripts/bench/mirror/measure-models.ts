/**
 * Signs the metadata of so many projects with the mirror's builders or with `@tufjs/models`, then once
 * more after one of them has changed, and prints what each took. Nothing is written to disk: it is
 * bins, snapshot and timestamp alone, which both can make.
 */

import { sign as signBytes, type KeyObject } from 'node:crypto'
import {
  Metadata,
  MetaFile,
  Signature,
  Snapshot,
  TargetFile,
  Targets,
  Timestamp,
} from '@tufjs/models'
import { sha256Hex } from '../../../src/base/digest.ts'
import { chooseBitLength, renderBin } from '../../../src/mirror/bins.ts'
import {
  buildListing,
  buildSnapshot,
  buildTimestamp,
  type FileDigest,
} from '../../../src/mirror/metadata-documents.ts'
import { recordTarget } from '../../../src/mirror/tree-layout.ts'
import { signEnvelope } from '../../../src/signing/envelope.ts'
import { buildPrivateKey } from '../../../src/signing/key-file.ts'
import { buildSigner, type Signer } from '../../../src/signing/signer.ts'
import { findBin } from '../../../src/tuf/delegation.ts'
import { RandomSequence } from './random-sequence.ts'
import { listProjects } from './synthetic-index.ts'

export interface ModelsInput {
  readonly by: 'tufgate' | '@tufjs/models'
  readonly projects: number
  /** How often one project changes. */
  readonly changes: number
}

export interface ModelsReport {
  readonly bins: number
  /** Processor time. */
  readonly allMs: number
  readonly oneMs: readonly number[]
  readonly bytes: number
}

/** What was written: length and digest of a document. */
type Written = FileDigest

interface Repository {
  signBin(bin: number): Promise<Written>
  /** Snapshot, then timestamp. */
  signTop(): Promise<void>
}

const expiresMs = Date.parse('2027-01-01T00:00:00Z')
const base = { version: 1, specVersion: '1.0.34', expires: '2027-01-01T00:00:00Z' }

const input = JSON.parse(process.argv[2] ?? '{}') as ModelsInput
const bitLength = chooseBitLength(input.projects)
const binCount = 2 ** bitLength
const sequence = new RandomSequence('models')
const bins = listBins()
const versions = new Map<number, number>()

function listBins(): Map<string, FileDigest>[] {
  const listed = Array.from({ length: binCount }, () => new Map<string, FileDigest>())
  for (const project of listProjects(input.projects)) {
    const target = recordTarget(project)
    listed[findBin(bitLength, target)]?.set(target, makeDigest())
  }
  return listed.map((bin) => new Map([...bin].toSorted(([one], [other]) => (one < other ? -1 : 1))))
}

function makeDigest(): FileDigest {
  return { length: sequence.nextInteger() % 50_000, sha256: sequence.nextDigest() }
}

function takeVersion(bin: number): number {
  const version = (versions.get(bin) ?? 0) + 1
  versions.set(bin, version)
  return version
}

function listMeta(): [string, { version: number }][] {
  return [...versions].map(([bin, version]) => [renderBin(bin, bitLength), { version }])
}

function makeOurs(signer: Signer): Repository {
  const signOurs = async (signed: Parameters<typeof signEnvelope>[0]): Promise<Written> => {
    const bytes = await signEnvelope(signed, [signer])
    return { length: bytes.length, sha256: sha256Hex(bytes) }
  }
  const header = { version: 1, expires: expiresMs }
  return {
    signBin: (bin) =>
      signOurs(buildListing({ ...header, version: takeVersion(bin) }, bins[bin] ?? [])),
    signTop: async () => {
      const written = await signOurs(buildSnapshot(header, listMeta()))
      await signOurs(buildTimestamp(header, { version: 1, ...written }, { signed: expiresMs }))
    },
  }
}

function makeTheirs({ keyid }: Signer, key: KeyObject): Repository {
  const write = (
    metadata: Metadata<Targets> | Metadata<Snapshot> | Metadata<Timestamp>,
  ): Written => {
    metadata.sign(
      (data) => new Signature({ keyID: keyid, sig: signBytes(null, data, key).toString('hex') }),
    )
    const bytes = Buffer.from(JSON.stringify(metadata.toJSON()))
    return { length: bytes.length, sha256: sha256Hex(bytes) }
  }
  const writeTop = (): void => {
    const meta = Object.fromEntries(
      listMeta().map(([name, { version }]) => [`${name}.json`, new MetaFile({ version })]),
    )
    const snapshot = write(new Metadata(new Snapshot({ ...base, meta })))
    const { length, sha256 } = snapshot
    const snapshotMeta = new MetaFile({ version: 1, length, hashes: { sha256 } })
    write(new Metadata(new Timestamp({ ...base, snapshotMeta })))
  }
  const writeBin = (bin: number): Written => {
    const targets = new Targets({ ...base, version: takeVersion(bin) })
    for (const [path, { length, sha256 }] of bins[bin] ?? []) {
      targets.addTarget(new TargetFile({ path, length, hashes: { sha256 } }))
    }
    return write(new Metadata(targets))
  }
  return {
    signBin: (bin) => Promise.resolve(writeBin(bin)),
    signTop: () => Promise.resolve(writeTop()),
  }
}

async function measureCpu(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

async function signAll(repository: Repository): Promise<number> {
  let bytes = 0
  for (let bin = 0; bin < binCount; bin += 1) bytes += (await repository.signBin(bin)).length
  await repository.signTop()
  return bytes
}

async function signOne(repository: Repository, at: number): Promise<void> {
  const bin = at % binCount
  const [target = ''] = bins[bin]?.keys() ?? []
  bins[bin]?.set(target, makeDigest())
  await repository.signBin(bin)
  await repository.signTop()
}

const privateKey = await buildPrivateKey('ed25519')
const signer = buildSigner(privateKey, 'bench')
const repository = input.by === 'tufgate' ? makeOurs(signer) : makeTheirs(signer, privateKey)
let bytes = 0
const allMs = await measureCpu(async () => {
  bytes = await signAll(repository)
})
const oneMs: number[] = []
for (let at = 0; at < input.changes; at += 1) {
  oneMs.push(await measureCpu(() => signOne(repository, at)))
}
const report: ModelsReport = { bins: binCount, allMs, oneMs, bytes }
process.stdout.write(JSON.stringify(report))
