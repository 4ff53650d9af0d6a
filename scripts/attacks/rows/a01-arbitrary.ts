/** A1: other bytes than those that were signed, by the file host alone or together with the index. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { renderJsonPage, type TrialFile } from '../../../test/e2e/trial.ts'
import {
  endChunkedEarly,
  flipByte,
  serve,
  serveChunked,
  truncate,
} from '../../../test/support/hostile-server.ts'
import { pathOf } from '../../../test/support/proxy-witness.ts'
import type { Attack, Observed, Scene } from '../attack.ts'
import { buildEvil, buildGenuine, evilMark } from '../genuine.ts'
import { stageIndexAttack, type IndexAttack } from '../index-attack.ts'
import { mustInstall, mustRefuse } from '../judge.ts'
import { stageOffer, type Offer } from '../offer.ts'
import type { World } from '../world.ts'
import { offerFile, servePageWith } from '../page-lies.ts'

const otherDigest = mustRefuse({
  code: 'DIGEST_MISMATCH',
  line: /Refused by tufgate: sha256 of \S+ is not the signed one/,
})
const otherLength = mustRefuse({
  code: 'LENGTH_MISMATCH',
  line: /Refused by tufgate: the length of \S+ is not the signed one/,
})
const brokenOff = mustRefuse({
  code: 'BROKEN_OFF',
  line: /the answer broke off/,
})

/** Of bytes that a row takes away, or adds. */
const someBytes = 100

type FileRow = Pick<Offer, 'name' | 'project' | 'pips' | 'answer' | 'judge' | 'isCore' | 'waitS'>

const byTheFileHost: readonly FileRow[] = [
  {
    name: 'the file host changes one byte',
    project: 'foo-a1a-flip',
    isCore: true,
    answer: (honest) => flipByte(honest),
    judge: otherDigest,
  },
  {
    name: 'an evil wheel of the same length',
    project: 'foo-a1a-same',
    pips: 'machine',
    answer: (_, project) => serve(buildEvil(project, '1.1').bytes),
    judge: otherDigest,
  },
  {
    name: 'an evil wheel of another length',
    project: 'foo-a1a-longer',
    pips: 'machine',
    answer: (_, project) => serve(buildEvil(project, '1.1', { summary: 'a few bytes more' }).bytes),
    judge: otherLength,
  },
  {
    name: 'the wheel of another release, of the same length',
    project: 'foo-a1a-other',
    pips: 'machine',
    answer: (_, project) => serve(buildGenuine(project, '1.0').bytes),
    judge: otherDigest,
  },
  {
    name: 'truncated, the length kept',
    project: 'foo-a1a-cut',
    waitS: 30,
    answer: (honest) => truncate(honest, honest.length - someBytes),
    judge: brokenOff,
  },
  {
    name: 'in chunks, and ended early',
    project: 'foo-a1a-chunks',
    waitS: 30,
    answer: (honest) => endChunkedEarly(honest, honest.length - someBytes),
    judge: brokenOff,
  },
  {
    name: 'short, in chunks that end as they should',
    project: 'foo-a1a-short',
    pips: 'machine',
    answer: (honest) => serveChunked(honest, honest.length - someBytes),
    judge: otherLength,
  },
]

interface Files {
  readonly evil: TrialFile
  /** The newest last. */
  readonly honest: readonly TrialFile[]
}

type PageRow = Pick<IndexAttack, 'name' | 'project' | 'pips' | 'install' | 'look' | 'isCore'> & {
  readonly page: (world: World, project: string, files: Files) => void
}

const byBoth: readonly PageRow[] = [
  {
    name: 'index and file host agree on an evil wheel',
    project: 'foo-a1b',
    isCore: true,
    page: serveEvilPage,
  },
  {
    name: 'the same with an HTML page',
    project: 'foo-a1b-html',
    pips: 'machine',
    page: ({ trial }, project, { evil, honest }) =>
      trial.serveHtmlPage(project, [...honest.slice(0, -1), evil]),
  },
  {
    name: 'the page tells no hash',
    project: 'foo-a1b-hashless',
    page: (world, project, { honest }) =>
      servePageWith(world, honest, { project, file: { hashes: {} } }),
  },
  {
    name: 'pip download',
    project: 'foo-a1b-download',
    pips: 'machine',
    page: serveEvilPage,
    install: (scene, project) => ({
      args: ['download', '--no-deps', '--dest', downloads(scene), project],
    }),
    look: lookAtDownloads,
  },
  {
    name: 'a link without a hash, as lock files and people have them',
    project: 'foo-a1b-link',
    pips: 'machine',
    page: serveEvilPage,
    install: ({ world }, project) => ({ args: ['install', '--no-deps', linkTo(world, project)] }),
  },
]

const newerOnPage = stageIndexAttack({
  row: 'A1b',
  name: 'index and file host offer an evil release that nobody signed',
  project: 'foo-a1b-newer',
  pips: 'machine',
  turn: (world, project, files) => {
    const evil = offerFile(world, buildEvil(project, '9.9'))
    world.trial.servePage(project, renderJsonPage(project, [...files, evil]))
  },
  judge: mustInstall(),
})

const oldUnderNewName = stageIndexAttack({
  row: 'A1c',
  name: 'the old file under the new name, the page agrees',
  project: 'foo-a1c',
  isCore: true,
  turn: (world, project, files) => {
    const [old, newest] = files
    if (old === undefined || newest === undefined) return
    world.trial.index.on(`/files/${newest.filename}`, serve(old.bytes))
    world.trial.servePage(
      project,
      renderJsonPage(project, [old, { filename: newest.filename, bytes: old.bytes }]),
    )
  },
  judge: otherDigest,
})

export const arbitrary: readonly Attack[] = [
  ...byTheFileHost.map((row) => stageOffer({ ...row, row: 'A1a', what: 'file' })),
  ...byBoth.map(({ page, ...row }) =>
    stageIndexAttack({
      ...row,
      row: 'A1b',
      turn: (world, project, honest) => {
        const evil = offerFile(world, buildEvil(project, '1.1'))
        page(world, project, { evil, honest })
      },
      judge: otherDigest,
    }),
  ),
  newerOnPage,
  oldUnderNewName,
]

function serveEvilPage({ trial }: World, project: string, { evil, honest }: Files): void {
  trial.servePage(project, renderJsonPage(project, [...honest.slice(0, -1), evil]))
}

/** Of the file host, or of the proxy where there is one. */
function linkTo({ trial, relay }: World, project: string): string {
  const { filename } = buildEvil(project, '1.1')
  return relay === undefined
    ? trial.index.url(`/files/${filename}`)
    : `${relay.origin}${pathOf(trial, project, filename)}`
}

function downloads({ folder }: Scene): string {
  return join(folder, 'downloads')
}

/** Nothing is installed: what has come is in a folder. */
function lookAtDownloads(observed: Observed, scene: Scene): Observed {
  const folder = downloads(scene)
  const names = existsSync(folder) ? readdirSync(folder) : []
  const evil = names.find((name) => readFileSync(join(folder, name)).includes(evilMark))
  const happened = names.length === 0 ? observed.happened : `${names.join(', ')} downloaded`
  return { ...observed, happened, ...(evil !== undefined && { harm: `EVIL ${evil} downloaded` }) }
}
