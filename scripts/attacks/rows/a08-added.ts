/** A8: what the index adds to a signed project, where the mirror sees it: files that were not built then. */

import { renderJsonPage, type TrialFile } from '../../../test/e2e/trial.ts'
import { serve } from '../../../test/support/hostile-server.ts'
import type { Attack, Observed, Scene } from '../attack.ts'
import { buildEvil } from '../genuine.ts'
import { buildReleases, stageIndexAttack, type IndexAttack } from '../index-attack.ts'
import { install } from '../install.ts'
import { mustInstall, require } from '../judge.ts'
import { listPageFiles } from '../page-lies.ts'
import { World } from '../world.ts'

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
  }),
  stageIndexAttack({
    row: 'A8',
    name: 'an evil release of today, which the mirror sees on the index',
    project: 'foo-a8-release',
    change: (world, project, files) =>
      serveDated(world, project, [...files, offer(world, buildEvil(project, '2.0'))]),
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
}

function stageLate({ name, project, rename }: Late): Attack {
  return stageIndexAttack({
    row: 'A8',
    name,
    project,
    more: (world) => serveDated(world, project, buildReleases(project)),
    change: (world, _, files) => {
      const { filename, bytes } = buildEvil(project, '1.1')
      const evil = offer(world, { filename: rename(filename), bytes })
      serveDated(world, project, [...files, evil])
    },
    judge: (observed) => [
      ...mustInstall()(observed),
      ...require(observed.notes.some((note) =>
        note.startsWith('the mirror: held'),
      ), 'the mirror does not hold it'),
    ],
  })
}

const backdated = 'foo-a8-backdated'

async function inWorldOfOldFiles(act: (world: World) => Promise<Observed>): Promise<Observed> {
  const world = await World.create()
  try {
    world.publish(backdated, buildReleases(backdated))
    serveDated(world, backdated, buildReleases(backdated))
    return await act(world)
  } finally {
    await world.close()
  }
}

function installBackdated(scene: Scene, world: World): Promise<Observed> {
  offerBackdated(world)
  return install(scene, backdated, { world })
}

function offerBackdated(world: World): void {
  const evil = offer(world, buildEvil(backdated, '2.0'))
  serveDated(world, backdated, [...buildReleases(backdated), evil])
}

function offer({ trial }: World, { filename, bytes }: TrialFile): TrialFile {
  trial.index.on(`/files/${filename}`, serve(bytes))
  return { filename, bytes }
}

/** All of them uploaded long ago, if one believes the page. */
function serveDated({ trial }: World, project: string, files: readonly TrialFile[]): void {
  const dated = listPageFiles(project, files).map((file) => ({ ...file, 'upload-time': longAgo }))
  trial.servePage(project, { ...renderJsonPage(project, []), files: dated })
}
