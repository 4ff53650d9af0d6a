/**
 * Mercury (USENIX ATC 2017), table 1: what its two kinds of snapshot weigh. They name every project,
 * and a returning client is sent what differs. Made from names of ours: its log of PyPI is not public.
 */

import { RandomSequence } from '../random-sequence.ts'
import { listProjects } from '../synthetic-index.ts'
import { gzipText } from './pep458-sizes.ts'
import type { Size } from './size.ts'

/** 21 March to 19 April 2014. */
export const mercuryFigures = {
  projects: 59_486,
  changedInMonth: 3612,
  downloadBytes: 660_000,
  /** kB in the paper: the first use, and after a month. */
  published: {
    'GPG/RSA': [0.6, 0.02],
    Mercury: [319, 23],
    'Mercury-hash': [2400, 156],
    'TUF-version': [7600, 1100],
    'TUF (2013)': [20_000, 2100],
  },
} as const

export interface MercurySizes {
  readonly first: Size
  readonly afterMonth: Size
}

export function measureMercury(projects: number, hasHashes: boolean): MercurySizes {
  const changed = Math.round((projects * mercuryFigures.changedInMonth) / mercuryFigures.projects)
  return {
    first: gzipText(renderSnapshot(projects, 1, hasHashes)),
    afterMonth: gzipText(renderSnapshot(projects, projects / changed, hasHashes)),
  }
}

/** Every `step`th project. */
function renderSnapshot(projects: number, step: number, hasHashes: boolean): string {
  const sequence = new RandomSequence('mercury')
  const entries: string[] = []
  let at = 0
  let next = 0
  for (const project of listProjects(projects)) {
    if (at >= next) {
      entries.push(renderEntry(project, sequence, hasHashes))
      next += step
    }
    at += 1
  }
  return `{${entries.toSorted().join(',')}}`
}

function renderEntry(project: string, sequence: RandomSequence, hasHashes: boolean): string {
  const version = 1 + Math.floor(Math.abs(sequence.nextNormal()) * 8)
  if (!hasHashes) return `"${project}":${version}`
  const length = 500 + (sequence.nextInteger() % 20_000)
  return `"${project}":{"hashes":{"sha256":"${sequence.nextDigest()}"},"length":${length},"version":${version}}`
}
