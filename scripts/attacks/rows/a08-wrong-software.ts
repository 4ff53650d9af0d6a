/** A8: genuine files in the wrong place, and a file of another kind where one is expected. */

import { renderJsonPage, type TrialFile } from '../../../test/e2e/trial.ts'
import { buildSdist } from '../../../test/support/build-sdist.ts'
import type { Attack } from '../attack.ts'
import { buildEvil, buildGenuine, evilSetup } from '../genuine.ts'
import { stageIndexAttack, type Staging } from '../index-attack.ts'
import { mustInstall, mustRefuse, requireNote } from '../judge.ts'
import { listPageFiles, offerFile, serveOneMore, servePageWith } from '../page-lies.ts'
import type { World } from '../world.ts'

const otherFile = mustRefuse({
  code: /^(?:DIGEST|LENGTH)_MISMATCH$/,
  line: /Refused by tufgate: (?:sha256|the length) of \S+ is not the signed one/,
})

export const wrongSoftware: readonly Attack[] = [
  stageIndexAttack({
    row: 'A8',
    name: 'the wheel of another project under the right name',
    project: 'foo-a8-other',
    pips: 'machine',
    turn: replaceNewest((project) => buildGenuine(`bar-of-${project}`, '1.1')),
    judge: otherFile,
  }),
  stageIndexAttack({
    row: 'A8',
    name: 'the wheel of another project under the right name, and its hash on the page',
    project: 'foo-a8-other-agreed',
    turn: replaceNewest((project) => buildGenuine(`bar-of-${project}`, '1.1'), 'agreed'),
    judge: otherFile,
  }),
  stageIndexAttack({
    row: 'A8',
    name: 'the wheel of another version under the right name, and its hash on the page',
    project: 'foo-a8-version',
    pips: 'machine',
    turn: replaceNewest((project) => buildGenuine(project, '1.0'), 'agreed'),
    judge: otherFile,
  }),
  stageIndexAttack({
    row: 'A8',
    name: 'a source archive under the name of the wheel, and its hash on the page',
    project: 'foo-a8-sdist-bytes',
    pips: 'machine',
    turn: replaceNewest(buildEvilSdist, 'agreed'),
    judge: otherFile,
  }),
  stageIndexAttack({
    row: 'A8',
    name: 'a wheel under the name of the source archive, and its hash on the page',
    project: 'foo-a8-wheel-bytes',
    pips: 'machine',
    files: (project) => [buildSdist({ name: project, version: '1.1' })],
    turn: replaceNewest((project) => buildEvil(project, '1.1'), 'agreed'),
    judge: otherFile,
  }),
  stageIndexAttack({
    row: 'A8',
    name: 'an evil source archive on the page, in place of the wheel',
    project: 'foo-a8-sdist',
    isCore: true,
    install: { args: ['install', '--no-build-isolation', 'foo-a8-sdist'] },
    turn: (world, project, files) => {
      const sdist = offerFile(world, buildEvilSdist(project))
      const page = [...files.slice(0, -1), sdist]
      world.trial.servePage(project, renderJsonPage(project, page))
    },
    judge: mustInstall(),
  }),
  stageIndexAttack({
    row: 'A8',
    name: 'an evil wheel on the page, beside a release that has a source archive alone',
    project: 'foo-a8-wheel',
    // The source archive is for others: whoever takes wheels alone gets 1.0 from an honest index.
    files: (project) => [
      buildSdist({ name: project, version: '1.1' }),
      buildGenuine(project, '1.0'),
    ],
    install: { args: ['install', '--only-binary', ':all:', 'foo-a8-wheel'] },
    turn: (world, project, files) => {
      const wheel = offerFile(world, buildEvil(project, '1.1'))
      world.trial.servePage(project, renderJsonPage(project, [...files, wheel]))
    },
    judge: mustInstall(),
  }),
  stageIndexAttack({
    row: 'A8',
    name: 'a release that nobody has signed: 99.0',
    project: 'foo-a8-invented',
    pips: 'machine',
    turn: (world, project, files) => {
      const wheel = offerFile(world, buildEvil(project, '99.0'))
      world.trial.servePage(project, renderJsonPage(project, [...files, wheel]))
    },
    judge: mustInstall(),
  }),
  stageIndexAttack({
    row: 'A8',
    name: 'a link to the file of another project, with a higher version',
    project: 'foo-a8-link',
    pips: 'machine',
    turn: linkToOther,
    judge: mustInstall(),
  }),
  stageIndexAttack({
    row: 'A8',
    name: 'a link to the file of another project, which the mirror sees too',
    project: 'foo-a8-link-seen',
    pips: 'machine',
    change: linkToOther,
    judge: (observed) => [
      ...mustInstall()(observed),
      ...requireNote(observed, 'the mirror: left-out'),
    ],
  }),
  stageIndexAttack({
    row: 'A8',
    name: 'the name of the newest wheel leads to the file of another project',
    project: 'foo-a8-url',
    pips: 'machine',
    turn: (world, project, files) => {
      const other = offerFile(world, buildEvil(`bar-of-${project}`, '1.1'))
      const [link] = listPageFiles(`bar-of-${project}`, [other])
      const filename = files.at(-1)?.filename
      servePageWith(world, files, { project, file: { ...link, filename } })
    },
    judge: mustInstall(),
  }),
]

/** Other bytes under the name of the newest file. */
function replaceNewest(build: (project: string) => TrialFile, isAgreed?: 'agreed'): Staging {
  return (world, project, files) => {
    const filename = files.at(-1)?.filename ?? ''
    const { bytes } = offerFile(world, { filename, bytes: build(project).bytes })
    const page = [...files.slice(0, -1), { filename, bytes }]
    if (isAgreed) world.trial.servePage(project, renderJsonPage(project, page))
  }
}

function buildEvilSdist(project: string): TrialFile {
  return buildSdist({ name: project, version: '1.1', setup: evilSetup })
}

function linkToOther(world: World, project: string, files: readonly TrialFile[]): void {
  const other = offerFile(world, buildEvil(`bar-of-${project}`, '99.0'))
  const [link = {}] = listPageFiles(`bar-of-${project}`, [other])
  serveOneMore(world, files, { project, link })
}
