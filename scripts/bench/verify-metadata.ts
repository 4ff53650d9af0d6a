/**
 * Verifies one snapshot again and again in a process of its own, with tufgate or with tuf-js, and
 * prints what each time took. The first is what a process that has just started needs.
 */

import { Metadata, MetadataKind } from '@tufjs/models'
import { sha256Hex } from '../../src/base/digest.ts'
import { acceptSnapshot, acceptTimestamp } from '../../src/tuf/trusted-set.ts'
import { TufSimulator } from '../../test/support/tuf-simulator.ts'

export interface VerifyInput {
  readonly by: 'tufgate' | 'tuf-js'
  readonly bins: number
  readonly hasHashes: boolean
  readonly times: number
}

export interface VerifyReport {
  readonly bytes: number
  readonly ms: readonly number[]
  /** Of processor time. */
  readonly cpuMs: readonly number[]
}

const input = JSON.parse(process.argv[2] ?? '{}') as VerifyInput

function buildRepository(): TufSimulator {
  const simulator = new TufSimulator({ hashes: false })
  const digits = Math.ceil(Math.log2(input.bins) / 4)
  for (let bin = 0; bin < input.bins; bin += 1) {
    const name = `bins-${bin.toString(16).padStart(digits, '0')}.json`
    const known = { length: 12_345, hashes: { sha256: sha256Hex(Buffer.from(name)) } }
    simulator.snapshot.meta[name] = { version: 1 + (bin % 7), ...(input.hasHashes ? known : {}) }
  }
  return simulator
}

/** Each time as if for the first time: nothing of the snapshot is known before. */
function prepareTufgate(simulator: TufSimulator): () => void {
  const bytes = simulator.render('snapshot')
  const trusted = acceptTimestamp(simulator.trust(), simulator.render('timestamp'), simulator.now)
  return () => {
    const { snapshot } = acceptSnapshot(trusted, bytes, simulator.now)
    if (snapshot?.meta.size !== input.bins + 1) throw new Error('not all of it was read')
  }
}

function prepareTufJs(simulator: TufSimulator): () => void {
  const bytes = Buffer.from(simulator.render('snapshot'))
  const rootBytes = simulator.publishedRoots.get(1) ?? new Uint8Array()
  const root = Metadata.fromJSON(MetadataKind.Root, parse(rootBytes))
  return () => {
    const snapshot = Metadata.fromJSON(MetadataKind.Snapshot, parse(bytes))
    root.verifyDelegate('snapshot', snapshot)
  }
}

type TufJsObject = Parameters<typeof Metadata.fromJSON>[1]

function parse(bytes: Uint8Array): TufJsObject {
  return JSON.parse(Buffer.from(bytes).toString('utf8')) as TufJsObject
}

const simulator = buildRepository()
const verify = input.by === 'tufgate' ? prepareTufgate(simulator) : prepareTufJs(simulator)
const ms: number[] = []
const cpuMs: number[] = []
for (let time = 0; time < input.times; time += 1) {
  const startedAt = performance.now()
  const before = process.cpuUsage()
  verify()
  const { user, system } = process.cpuUsage(before)
  ms.push(performance.now() - startedAt)
  cpuMs.push((user + system) / 1000)
}
const report: VerifyReport = { bytes: simulator.render('snapshot').length, ms, cpuMs }
process.stdout.write(JSON.stringify(report))
