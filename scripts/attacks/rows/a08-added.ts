/** A8: what the index adds to a signed project, where the mirror sees it: files that were not built then. */

import { renderJsonPage, type TrialFile } from '../../../test/e2e/trial.ts'
import type { Attack, Observed, Scene } from '../attack.ts'
import { buildEvil } from '../genuine.ts'
import { buildReleases, stageIndexAttack, type IndexAttack } from '../index-attack.ts'
import { install } from '../install.ts'
import { mustInstall, require, requireNote } from '../judge.ts'
import { listPageFiles, offerFile } from '../page-lies.ts'
import { inWorld, type World } from '../world.ts'

const longAgo = '2020-01-01T00:00:00Z'

export const added: readonly Attack[] = [
  stageLate({
    name: 'a wheel with a build number is added to an old release',
    project: 'foo-a8-build',
    rename: (filename) => filename.replace('-1.1-', '-1.1-1-'),
  }),
  stageLate({
    name: 'a wheel for this very Python is added to an old release',
    project: 'foo-a8-tag',
    rename: (filename) => filename.replace('-py3-', '-py311-'),
  }),
  stageLate({
    name: 'another spelling of the signed file name is added to an old release',
    project: 'foo-a8-spelling',
    rename: (filename) => filename.replace('foo_a8', 'Foo.A8'),
    said: /^the mirror: conflict: Foo\.A8_spelling-1\.1-\S+ is not what was signed/,
  }),
  stageIndexAttack({
    row: 'A8',
    name: 'an evil release of today, which the mirror sees on the index',
    project: 'foo-a8-release',
    change: (world, project, files) =>
      serveDated(world, project, [...files, offerFile(world, buildEvil(project, '2.0'))]),
    limit: 'tufgate does not judge what the index itself publishes',
    judge: ({ happened }) => require(happened === 'EVIL foo-a8-release 2.0 installed', happened),
  }),
  {
    row: 'A8',
    name: 'an evil release of today that says it is of 2020, where min-age is 3 days',
    pips: 'machine',
    alone: (scene) => inWorldOfOldFiles((world) => installBackdated(scene, world)),
    behind: (scene) =>
      inWorldOfOldFiles(async (world) => {
        await world.sign()
        offerBackdated(world)
        await world.lookAgain()
        await world.startProxy({ settings: '[policy]\nmin-age = "3d"' })
        return install(scene, backdated, { world })
      }),
    judge: mustInstall(),
  },
]

interface Late extends Pick<IndexAttack, 'name' | 'project'> {
  /** How the evil file is called that is added beside the newest one. */
  readonly rename: (filename: string) => string
  /** Default: the mirror holds it, as it comes late. */
  readonly said?: RegExp
}

function stageLate({ name, project, rename, said = /^the mirror: held/ }: Late): Attack {
  return stageIndexAttack({
    row: 'A8',
    name,
    project,
    pips: 'machine',
    more: (world) => serveDated(world, project, buildReleases(project)),
    change: (world, _, files) => {
      const { filename, bytes } = buildEvil(project, '1.1')
      const evil = offerFile(world, { filename: rename(filename), bytes })
      serveDated(world, project, [...files, evil])
    },
    judge: (observed) => [...mustInstall()(observed), ...requireNote(observed, said)],
  })
}

const backdated = 'foo-a8-backdated'

async function inWorldOfOldFiles(act: (world: World) => Promise<Observed>): Promise<Observed> {
  return inWorld((world) => {
    world.publish(backdated, buildReleases(backdated))
    serveDated(world, backdated, buildReleases(backdated))
    return act(world)
  })
}

function installBackdated(scene: Scene, world: World): Promise<Observed> {
  offerBackdated(world)
  return install(scene, backdated, { world })
}

function offerBackdated(world: World): void {
  const evil = offerFile(world, buildEvil(backdated, '2.0'))
  serveDated(world, backdated, [...buildReleases(backdated), evil])
}

/** All of them uploaded long ago, if one believes the page. */
function serveDated({ trial }: World, project: string, files: readonly TrialFile[]): void {
  const dated = listPageFiles(project, files).map((file) => ({ ...file, 'upload-time': longAgo }))
  trial.servePage(project, { ...renderJsonPage(project, []), files: dated })
}
