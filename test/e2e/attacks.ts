/** What a hostile index or file host may do to a project after it was signed: a row each. */

import { buildSdist, padTo } from '../support/build-sdist.ts'
import { buildWheel, sha256, type Wheel } from '../support/build-wheel.ts'
import {
  drip,
  endChunkedEarly,
  endless,
  flipByte,
  serve,
  serveChunked,
  truncate,
  type Behaviour,
} from '../support/hostile-server.ts'
import { renderJsonPage, type Trial, type TrialFile } from './trial.ts'

export interface Victim {
  readonly project: string
  /** Honest, the newest last. */
  readonly files: readonly TrialFile[]
  readonly newest: TrialFile
}

export interface Refusal {
  readonly status: 403 | 504
  readonly code: string
  /** In the reason that pip shows. */
  readonly reason: RegExp
  /** Default: the signed sha256. */
  readonly expected?: RegExp
  readonly found: RegExp
  /** What is refused where it is not the newest file itself. */
  readonly suffix?: '.metadata'
}

export interface Attack {
  readonly name: string
  readonly files?: (project: string) => readonly TrialFile[]
  /** The page is HTML, which tells no sizes. */
  readonly isHtml?: true
  /** What becomes of the newest file. */
  readonly file?: (honest: Uint8Array, project: string) => Behaviour
  /** Anything else that changes. */
  readonly turn?: (trial: Trial, victim: Victim) => void
  /** Without it the genuine newest version is installed. */
  readonly refused?: Refusal
}

export function buildVictim(project: string, attack: Attack): Victim {
  const files = attack.files?.(project) ?? [
    buildGenuine(project, '1.0'),
    buildGenuine(project, '1.1'),
  ]
  return { project, files, newest: files.at(-1)! }
}

// The genuine modules are as long as the evil one, so that the wheels are too.
export const evilCode = 'raise SystemExit("evil was here")  # runs at import\n'
/** Longer than the evil one, and not to be made small by gzip. */
export const longSetup = Array.from(
  { length: 40 },
  (_, at) => `# ${sha256(Buffer.from([at]))}`,
).join('\n')

function buildGenuine(project: string, version: string): Wheel {
  return buildWheel({ name: project, version, code: '# genuine'.padEnd(evilCode.length) })
}

export function buildEvilSdist(project: string): Buffer {
  return buildSdist({ name: project, version: '1.1', setup: 'raise SystemExit("evil")' }).bytes
}

const digest = /^[0-9a-f]{64}$/

const changed = { status: 403, code: 'DIGEST_MISMATCH', found: digest } as const
const otherDigest = { ...changed, reason: /sha256 of \S+ is not the signed one/ } as const
const otherLength = {
  status: 403,
  code: 'LENGTH_MISMATCH',
  reason: /the length of \S+ is not the signed one/,
  expected: /^\d+ bytes$/,
} as const
const brokenOff = {
  status: 504,
  code: 'BROKEN_OFF',
  reason: /the answer broke off/,
  found: /^\d+ bytes/,
} as const

export const attacks: readonly Attack[] = [
  { name: 'one byte flipped', file: (honest) => flipByte(honest), refused: otherDigest },
  {
    name: 'truncated, the length kept',
    file: (honest) => truncate(honest, honest.length - 100),
    refused: { ...brokenOff, expected: /^\d+ bytes$/ },
  },
  {
    name: 'chunked and ended early',
    file: (honest) => endChunkedEarly(honest, honest.length - 100),
    refused: { ...brokenOff, expected: /./ },
  },
  {
    name: 'short, in chunks that end as they should',
    file: (honest) => serveChunked(honest, honest.length - 100),
    refused: { ...otherLength, found: /^\d+ bytes$/ },
  },
  {
    name: 'endless',
    file: (honest) => endless(honest),
    refused: { ...otherLength, found: /^more than \d+ bytes$/ },
  },
  {
    name: 'endless, where the record has no length',
    isHtml: true,
    file: (honest) => endless(honest),
    refused: {
      status: 403,
      code: 'TOO_LARGE',
      reason: /is longer than \d+ bytes/,
      expected: /^at most 1000000 bytes$/,
      found: /^more than 1000000 bytes$/,
    },
  },
  {
    name: 'one byte a second',
    file: (honest) => drip(honest, 1, 1000),
    refused: {
      status: 504,
      code: 'TOO_SLOW',
      reason: /came at \d+ B\/s/,
      expected: /^at least 8000 B\/s over 1 s$/,
      found: /^\d+ B\/s$/,
    },
  },
  {
    name: 'another wheel of the same length under the right name',
    file: (_, project) =>
      serve(buildWheel({ name: project, version: '1.1', code: evilCode }).bytes),
    refused: otherDigest,
  },
  {
    name: 'the wheel of another project under the right name',
    file: () => serve(buildWheel({ name: 'some-other-project', version: '1.1' }).bytes),
    refused: { ...otherLength, found: /^\d+ bytes$/ },
  },
  {
    name: 'A16: a small evil sdist, padded to the genuine length',
    files: (project) => [buildSdist({ name: project, version: '1.1', setup: longSetup })],
    file: (honest, project) => serve(padTo(buildEvilSdist(project), honest.length)),
    refused: otherDigest,
  },
  {
    name: 'A1c: the old file under the new name',
    turn: ({ index }, { files, newest }) =>
      index.on(`/files/${newest.filename}`, serve(files[0]?.bytes ?? newest.bytes)),
    refused: otherDigest,
  },
  {
    name: 'A1b: file and page agree on an evil wheel',
    turn: (trial, { project, newest }) => {
      const bytes = buildWheel({ name: project, version: '1.1', code: evilCode }).bytes
      trial.index.on(`/files/${newest.filename}`, serve(bytes))
      trial.servePage(project, renderJsonPage(project, [{ ...newest, bytes }]))
    },
    refused: otherDigest,
  },
  {
    name: 'A7: forged .metadata with one more Requires-Dist',
    turn: ({ index }, { newest: { filename, metadata } }) => {
      const forged = `${String(metadata).trimEnd()}\nRequires-Dist: e2e-evil\n\n`
      index.on(`/files/${filename}.metadata`, serve(Buffer.from(forged)))
    },
    refused: { ...otherDigest, suffix: '.metadata' },
  },
  {
    name: 'a forged page with a newer, evil release',
    turn: (trial, { project, files }) => {
      const evilWheel = buildWheel({ name: project, version: '9.9', code: evilCode })
      trial.index.on(`/files/${evilWheel.filename}`, serve(evilWheel.bytes))
      trial.servePage(project, renderJsonPage(project, [...files, evilWheel]))
    },
  },
  {
    name: 'A12: a page with the newest release left out',
    turn: (trial, { project, files }) =>
      trial.servePage(project, renderJsonPage(project, files.slice(0, -1))),
  },
]
