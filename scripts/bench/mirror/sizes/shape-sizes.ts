/** The same projects in other shapes: more and fewer bins, and projects that sign for themselves. */

import { listProjects } from '../synthetic-index.ts'
import { measureDocuments } from './signed-metadata.ts'
import { measureCorpus, sumLookUp, type Corpus } from './look-up-sizes.ts'
import { pepFigures } from './pep458-sizes.ts'
import type { SizeRow, SizeTable } from './size-table.ts'
import { sumSizes } from './size.ts'

/** A first `pip install` looks up a project and what it depends on. */
const installed = 10

export async function tabulateShapes({ projects, bitLength }: Corpus): Promise<SizeTable> {
  const rows: SizeRow[] = []
  for (const other of [bitLength - 1, bitLength, bitLength + 1, bitLength + 2]) {
    if (other < 1 || other > 14) continue
    rows.push(describeShape(await measureCorpus(projects, { bitLength: other })))
  }
  return {
    name: 'shapes',
    title: `The number of bins, ${projects.toLocaleString('en')} projects, gzip, with the record`,
    columns: [
      'cold',
      'same snapshot',
      '% of a download',
      'new snapshot',
      '% of a download',
      `cold, ${installed} projects`,
    ],
    rows,
    notes: [
      'more bins: a larger snapshot and smaller bins; a client fetches one snapshot and, for each project, a bin',
    ],
  }
}

function describeShape(corpus: Corpus): SizeRow {
  const { documents, records, bitLength } = corpus
  const cold = sumLookUp(corpus, 'cold: nothing seen yet').gzip + records.average.gzip
  const same = sumSizes([
    sumLookUp(corpus, 'returning, same snapshot, another bin'),
    records.average,
  ])
  const renewed = sumSizes([sumLookUp(corpus, 'returning, new snapshot'), records.average])
  const more = (installed - 1) * (documents['bins-NN'].gzip + records.average.gzip)
  const label = `${(2 ** bitLength).toLocaleString('en')} bins`
  const cells = [
    cold,
    same.gzip,
    shareOf(same.gzip),
    renewed.gzip,
    shareOf(renewed.gzip),
    cold + more,
  ]
  return { label, cells }
}

function shareOf(bytes: number): number {
  return (100 * bytes) / pepFigures.downloadBytes
}

export async function tabulateClaims(corpus: Corpus): Promise<SizeTable> {
  const { projects, records, bitLength, hasHashes, documents } = corpus
  const rows: SizeRow[] = []
  for (const count of [0, 10, 100, 1000]) {
    const owners = [...listProjects(count)]
    const bin = documents['bins-NN']
    const shape = { bitLength, hasHashes, targets: [], owners, bin }
    rows.push(describeClaims({ ...corpus, documents: await measureDocuments(shape) }, count))
  }
  return {
    name: 'claims',
    title: `Projects that sign for themselves, of ${projects.toLocaleString('en')}`,
    columns: [
      'claimed and recently-claimed, raw',
      'gzip',
      'snapshot, gzip',
      'cold look-up with the record, gzip',
    ],
    rows,
    notes: [
      'each has a delegation with a key of its own, and a line in snapshot, which every client fetches',
      `the record, ${records.average.gzip} bytes, is in; the role of the owner is not`,
    ],
  }
}

function describeClaims(corpus: Corpus, owners: number): SizeRow {
  const { claimed, 'recently-claimed': recent, snapshot } = corpus.documents
  const delegators = sumSizes([claimed, recent])
  const cold = sumLookUp(corpus, 'cold: nothing seen yet').gzip + corpus.records.average.gzip
  const cells = [delegators.raw, delegators.gzip, snapshot.gzip, cold]
  return { label: `${owners.toLocaleString('en')} of them`, cells }
}
