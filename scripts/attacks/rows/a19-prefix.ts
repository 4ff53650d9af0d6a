/** A19: one project that lists the files of another, where the names begin alike or are written differently. */

import { renderJsonPage, type TrialFile } from '../../../test/e2e/trial.ts'
import { OnlineThief } from '../../../test/mirror/online-thief.ts'
import { buildSdist } from '../../../test/support/build-sdist.ts'
import { sha256 } from '../../../test/support/build-wheel.ts'
import type { Attack, Observed, Scene } from '../attack.ts'
import { buildEvil, evilSetup } from '../genuine.ts'
import { buildReleases, stageIndexAttack, type Staging } from '../index-attack.ts'
import { install } from '../install.ts'
import { mustInstall, mustRefuse, requireNote, type Judge } from '../judge.ts'
import { listPageFiles, offerFile, serveOneMore } from '../page-lies.ts'
import { inWorld, type World } from '../world.ts'

export const prefix: readonly Attack[] = [
  stageIndexAttack({
    row: 'A19',
    name: 'the page of a lists a wheel of a-b',
    project: 'foo-a19',
    isCore: true,
    change: listOther((project) => buildEvil(`${project}-b`, '99.0')),
    judge: mustLeaveOut,
  }),
  stageIndexAttack({
    row: 'A19',
    name: 'the page of a lists a source archive of a-b',
    project: 'foo-a19-sdist',
    pips: 'machine',
    install: { args: ['install', '--no-build-isolation', 'foo-a19-sdist'] },
    change: listOther((project) =>
      buildSdist({ name: `${project}-b`, version: '99.0', setup: evilSetup }),
    ),
    judge: mustLeaveOut,
  }),
  stageIndexAttack({
    row: 'A19',
    name: 'the page of a says that it is the page of a-b, and lists an evil release of a',
    project: 'foo-a19-page',
    change: (world, project, files) => {
      const evil = offerFile(world, buildEvil(project, '99.0'))
      const page = renderJsonPage(project, [...files, evil])
      world.trial.servePage(project, { ...page, name: `${project}-b` })
    },
    judge: (observed) => [
      ...mustInstall()(observed),
      ...requireNote(observed, /^the mirror: failed/),
    ],
  }),
  {
    row: 'A19',
    name: 'with every online key: the signed record of a lists the wheel of a-b',
    pips: 'machine',
    alone: 'without tufgate there are no signed records',
    behind: installFromForgedRecord,
    judge: mustRefuse({ code: 'RECORD_REFUSED' }),
  },
]

function mustLeaveOut(observed: Observed): ReturnType<Judge> {
  return [...mustInstall()(observed), ...requireNote(observed, 'the mirror: left-out')]
}

function listOther(build: (project: string) => TrialFile): Staging {
  return (world, project, files) => {
    const [link = {}] = listPageFiles(project, [offerFile(world, build(project))])
    serveOneMore(world, files, { project, link })
  }
}

async function installFromForgedRecord(scene: Scene): Promise<Observed> {
  const project = 'foo-a19-record'
  return inWorld(async (world) => {
    world.publish(project, buildReleases(project))
    await world.sign()
    await signRecordOf(world, project)
    await world.startProxy()
    return install(scene, project, { world })
  })
}

async function signRecordOf(world: World, project: string): Promise<void> {
  const { filename, bytes } = offerFile(world, buildEvil(`${project}-b`, '99.0'))
  const url = world.trial.index.url(`/files/${filename}`)
  const file = { filename, url, hashes: { sha256: sha256(bytes) }, size: bytes.length }
  const record = { meta: { 'api-version': '1.4' }, name: project, versions: [], files: [file] }
  const thief = await OnlineThief.rob(world.trial.mirror)
  const path = `simple/${project}/index.json`
  const target = await thief.putTarget(path, Buffer.from(JSON.stringify(record)))
  await thief.publish({
    [await thief.findBin(path)]: (bin) => {
      bin.targets[path] = target
    },
  })
}
