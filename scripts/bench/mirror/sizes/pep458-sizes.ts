/** PEP 458's tables 2 and 3 (7 November 2019): by its formulas, and on metadata that was made. */

import { gzipSync } from 'node:zlib'
import { signEnvelope } from '../../../../src/signing/envelope.ts'
import { fileTarget, recordTarget } from '../../../../src/simple/project-targets.ts'
import { buildPage, listProjects } from '../synthetic-index.ts'
import { makeSigner, measureDocuments } from './signed-metadata.ts'
import { sizeOf, sumSizes, type Size } from './size.ts'
import type { SizeTable } from './size-table.ts'

/** C1 to C10 of table 2. */
export const pepFigures = {
  digestBytes: 128,
  keyidBytes: 64,
  pathBytes: 256,
  lengthBytes: 7,
  versionBytes: 6,
  targets: 2_273_539,
  downloadBytes: 2_184_393,
  bins: 16_384,
} as const

export interface PepSizes {
  readonly bin: number
  readonly bins: number
  readonly snapshot: number
  readonly sameSnapshot: number
  readonly newSnapshot: number
  readonly newUser: number
}

/** V1 to V17 of table 3; the number of targets may be another one. */
export function computePepSizes(targets: number = pepFigures.targets): PepSizes {
  const { digestBytes, keyidBytes, pathBytes, lengthBytes, versionBytes } = pepFigures
  const prefixLength = Math.ceil(Math.log2(pepFigures.bins) / 4)
  const targetsPerBin = Math.ceil(targets / pepFigures.bins)
  const bin = targetsPerBin * (digestBytes + pathBytes + lengthBytes)
  const bins = pepFigures.bins * keyidBytes + prefixLength * 16 ** prefixLength
  // Without the names: PEP 458 forgets them, and they are most of it.
  const snapshot = pepFigures.bins * versionBytes
  const sameSnapshot = 2 * bin
  const newSnapshot = sameSnapshot + snapshot
  return { bin, bins, snapshot, sameSnapshot, newSnapshot, newUser: newSnapshot + bins }
}

export interface MeasuredPep {
  readonly bin: Size
  readonly bins: Size
  /** With the prefixes written out, as PEP 458 has it. */
  readonly explicitBins: Size
  readonly snapshot: Size
}

/** The letter of PEP 458: every file and every page is a target, in 16,384 bins. */
export async function measurePepSizes(scale = 1): Promise<MeasuredPep> {
  const bitLength = Math.max(1, Math.round(Math.log2(pepFigures.bins * scale)))
  const targets = listFileTargets(Math.round(pepFigures.targets * scale))
  const sizes = await measureDocuments({ bitLength, hasHashes: false, targets })
  const explicitBins = await measureExplicitBins(bitLength)
  return { bin: sizes['bins-NN'], bins: sizes.bins, snapshot: sizes.snapshot, explicitBins }
}

function* listFileTargets(count: number): Generator<readonly [string, number]> {
  let left = count
  for (const project of listProjects(count)) {
    yield [recordTarget(project), 5000]
    left -= 1
    for (const { filename, size = 0 } of buildPage(project, 0).files) {
      if (left <= 0) return
      yield [fileTarget(project, filename), size]
      left -= 1
    }
  }
}

/** No builder of the mirror writes it: TAP 15 says the same in 700 bytes. */
async function measureExplicitBins(bitLength: number): Promise<Size> {
  const signer = await makeSigner()
  const digits = Math.ceil(bitLength / 4)
  const prefixesEach = 16 ** digits / 2 ** bitLength
  const hex = (value: number): string => value.toString(16).padStart(digits, '0')
  const roles = Array.from({ length: 2 ** bitLength }, (_, bin) => ({
    keyids: [signer.keyid],
    name: `bins-${hex(bin)}`,
    path_hash_prefixes: Array.from({ length: prefixesEach }, (__, at) =>
      hex(bin * prefixesEach + at),
    ),
    terminating: true,
    threshold: 1,
  }))
  const { keytype, scheme, keyval } = signer.key
  const keys = { [signer.keyid]: { keytype, scheme, keyval: { public: keyval.public } } }
  const signed = { _type: 'targets', delegations: { keys, roles }, targets: {}, version: 1 }
  return sizeOf(await signEnvelope(signed, [signer]))
}

export function tabulatePep(measured: MeasuredPep): SizeTable {
  const formula = computePepSizes()
  const { bin, bins, explicitBins, snapshot } = measured
  const same = sumSizes([bin, bin])
  const renewed = sumSizes([same, snapshot])
  const rows: [string, number | undefined, Size][] = [
    ['bin-n (V7)', formula.bin, bin],
    ['bins, with prefixes (V10)', formula.bins, explicitBins],
    ['bins, TAP 15', undefined, bins],
    ['snapshot (V11)', formula.snapshot, snapshot],
    ['returning, same snapshot (V12, V13)', formula.sameSnapshot, same],
    ['returning, new snapshot (V14, V15)', formula.newSnapshot, renewed],
    ['new user (V16, V17)', formula.newUser, sumSizes([renewed, explicitBins])],
    ['new user, TAP 15', undefined, sumSizes([renewed, bins])],
  ]
  return {
    name: 'pep458',
    title: 'PEP 458, tables 2 and 3: 2,273,539 targets in 16,384 bins, 2,184,393 bytes a download',
    columns: ['PEP 458', '% of a download', 'made: raw', '%', 'made: gzip', '%'],
    rows: rows.map(([label, wanted, size]) => ({
      label,
      cells: [wanted, shareOf(wanted), size.raw, shareOf(size.raw), size.gzip, shareOf(size.gzip)],
    })),
    notes: [
      'PEP 458 reckons with SHA-512 and forgets names and quotes; made: SHA-256, signed with Ed25519, by the builders of the mirror',
      'two bins: PEP 458 lists the page of a project and its file apart, mostly in two bins',
    ],
  }
}

function shareOf(bytes: number | undefined): number | undefined {
  return bytes === undefined ? undefined : (100 * bytes) / pepFigures.downloadBytes
}

/** For tables of other makers' formats, which are not signed here. */
export function gzipText(text: string): Size {
  const bytes = Buffer.from(text)
  return { raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length }
}
