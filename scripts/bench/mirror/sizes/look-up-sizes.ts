/** What a look-up of one project costs a client of ours, by what it has seen before. */

import { chooseBitLength } from '../../../../src/mirror/bins.ts'
import { recordTarget } from '../../../../src/mirror/tree-layout.ts'
import { countFiles, listProjects } from '../synthetic-index.ts'
import { mercuryFigures, measureMercury } from './mercury-sizes.ts'
import { pepFigures } from './pep458-sizes.ts'
import { guessRecordBytes, measureRecords, type RecordSizes } from './record-sizes.ts'
import { measureDocuments, type DocumentName, type DocumentSizes } from './signed-metadata.ts'
import type { SizeTable, SizeTarget } from './size-table.ts'
import { sumSizes, type Size } from './size.ts'

/** Up to here snapshot says hash and length of each bin by default. */
const maxHashedBins = 512

export interface Corpus {
  readonly projects: number
  readonly bitLength: number
  readonly hasHashes: boolean
  readonly documents: DocumentSizes
  readonly records: RecordSizes
}

export interface CorpusOptions {
  readonly bitLength?: number
  readonly owners?: number
}

export async function measureCorpus(
  projects: number,
  options: CorpusOptions = {},
): Promise<Corpus> {
  const { bitLength = chooseBitLength(projects), owners = 0 } = options
  const hasHashes = 2 ** bitLength <= maxHashedBins
  const documents = await measureDocuments({
    bitLength,
    hasHashes,
    targets: listRecordTargets(projects),
    owners: [...listProjects(owners)],
  })
  return { projects, bitLength, hasHashes, documents, records: measureRecords(projects) }
}

function* listRecordTargets(projects: number): Generator<readonly [string, number]> {
  for (const project of listProjects(projects)) {
    yield [recordTarget(project), guessRecordBytes(countFiles(project))]
  }
}

/** Which documents a client has to fetch; the record comes on top. */
const situations = {
  'cold: nothing seen yet': [
    'timestamp',
    'snapshot',
    'targets',
    'deny',
    'claimed',
    'recently-claimed',
    'bins',
    'bins-NN',
  ],
  'returning, same snapshot, another bin': ['timestamp', 'bins-NN'],
  'returning, new snapshot': ['timestamp', 'snapshot', 'bins-NN'],
  'after a month: online roles signed anew': [
    'timestamp',
    'snapshot',
    'deny',
    'recently-claimed',
    'bins-NN',
  ],
  'the same project again, same snapshot': ['timestamp'],
} as const satisfies Record<string, readonly DocumentName[]>

export type Situation = keyof typeof situations

export function sumLookUp({ documents }: Corpus, situation: Situation): Size {
  return sumSizes(situations[situation].map((name) => documents[name]))
}

export function tabulateLookUps(corpus: Corpus): SizeTable {
  const { records, projects, bitLength, hasHashes } = corpus
  const rows = Object.keys(situations).map((name) => {
    const situation = name as Situation
    const bare = sumLookUp(corpus, situation)
    // Of the project that it has already nothing is fetched but the timestamp.
    const needsRecord = situation !== 'the same project again, same snapshot'
    const whole = needsRecord ? sumSizes([bare, records.average]) : bare
    return { label: situation, cells: [bare.raw, bare.gzip, whole.gzip, ...sharesOf(whole.gzip)] }
  })
  return {
    name: `look-up-${projects}-${2 ** bitLength}`,
    title: `A look-up of one project, ${describeCorpus(corpus)}`,
    columns: [
      'raw, without the record',
      'gzip, without the record',
      'gzip, with it',
      '% of 2,184,393 bytes (PEP 458)',
      '% of 660 kB (Mercury)',
    ],
    rows,
    notes: [
      `the record: ${records.average.gzip} bytes gzip on average (${records.average.raw} raw), ${records.median.gzip} at the median`,
      `snapshot ${hasHashes ? 'with hash and length of each bin' : 'with versions only'}; a client that comes from an older root fetches each root since too, about ${corpus.documents.root.gzip} bytes`,
    ],
  }
}

function describeCorpus({ projects, bitLength }: Corpus): string {
  return `${projects.toLocaleString('en')} projects in ${(2 ** bitLength).toLocaleString('en')} bins`
}

function sharesOf(bytes: number): number[] {
  return [pepFigures.downloadBytes, mercuryFigures.downloadBytes].map((all) => (100 * bytes) / all)
}

/** What each document weighs, one column for each corpus. */
export function tabulateDocuments(corpora: readonly Corpus[]): SizeTable {
  const names = Object.keys(corpora[0]?.documents ?? {}) as DocumentName[]
  const rows = names.map((name) => ({
    label: name,
    cells: corpora.flatMap(({ documents }) => [documents[name].raw, documents[name].gzip]),
  }))
  const records = corpora.flatMap(({ records: { average } }) => [average.raw, average.gzip])
  return {
    name: 'documents',
    title: 'What is signed, made and measured',
    columns: corpora.flatMap((corpus) => [`${describeCorpus(corpus)}: raw`, 'gzip']),
    rows: [...rows, { label: 'a record, on average', cells: records }],
    notes: ['gzip -9, as the mirror publishes it; bins-NN and records are averages of a sample'],
  }
}

/** Mercury's table 1 beside ours. */
export function tabulateMercury(corpora: readonly Corpus[]): SizeTable {
  const rows = Object.entries(mercuryFigures.published).map(([label, [first, later]]) => ({
    label: `${label}, in the paper`,
    cells: pairWithShares(first * 1000, later * 1000),
  }))
  for (const { projects } of corpora) {
    for (const hasHashes of [false, true]) {
      const made = measureMercury(projects, hasHashes)
      const kind = hasHashes ? 'Mercury-hash' : 'Mercury'
      rows.push({
        label: `${kind}, made again, ${projects.toLocaleString('en')} projects`,
        cells: pairWithShares(made.first.gzip, made.afterMonth.gzip),
      })
    }
  }
  for (const corpus of corpora) {
    rows.push({
      label: `tufgate, ${describeCorpus(corpus)}`,
      cells: pairWithShares(
        sumLookUp(corpus, 'cold: nothing seen yet').gzip,
        sumLookUp(corpus, 'after a month: online roles signed anew').gzip,
      ),
    })
  }
  return {
    name: 'mercury',
    title: 'Mercury, table 1: metadata of one client, gzip, without what it installs',
    columns: ['first use', '% of 660 kB', 'after a month', '% of 660 kB'],
    rows,
    notes: [
      'a month: 3,612 of 59,486 projects changed, and the same share of 736,000',
      'made again: sorted names of ours with a version each, gzip -9; the delta holds the changed ones',
      'Mercury names every project to every client and then needs no look-up; tufgate fetches one bin for each project that is looked up. The record, which stands for the page of the index, is not counted',
    ],
  }
}

function pairWithShares(first: number, later: number): number[] {
  const [share, laterShare] = [first, later].map((bytes) => sharesOf(bytes)[1] ?? 0)
  return [first, share ?? 0, later, laterShare ?? 0]
}

/** The wish list of the project, for the largest corpus. */
export function judge(corpus: Corpus): SizeTarget[] {
  const withRecord = (situation: Situation): number =>
    sumSizes([sumLookUp(corpus, situation), corpus.records.average]).gzip
  const share = (situation: Situation): number =>
    (100 * withRecord(situation)) / pepFigures.downloadBytes
  return [
    {
      what: 'a cold look-up with the record',
      found: withRecord('cold: nothing seen yet') / 1000,
      wanted: 36,
      unit: 'kB gzip',
    },
    {
      what: 'returning on the same snapshot, with the record',
      found: share('returning, same snapshot, another bin'),
      wanted: 1,
      unit: '% of a download',
    },
    {
      what: 'returning on a new snapshot, with the record',
      found: share('returning, new snapshot'),
      wanted: 1.5,
      unit: '% of a download',
    },
  ]
}
