/** A21: what was signed is taken off the index, where the mirror sees it; and what comes back in its place. */

import { renderJsonPage } from '../../../test/e2e/trial.ts'
import { status } from '../../../test/support/hostile-server.ts'
import { defaultChangePolicy } from '../../../src/mirror/mirror-settings.ts'
import type { Attack, Observed, Scene } from '../attack.ts'
import { tellDenial } from '../denial.ts'
import { buildEvil } from '../genuine.ts'
import { buildReleases, stageIndexAttack } from '../index-attack.ts'
import { install } from '../install.ts'
import { mustInstall, mustRefuse, require, requireNote } from '../judge.ts'
import { offerFile } from '../page-lies.ts'
import { inWorld, type World } from '../world.ts'

const limit = 'the mirror signs what the index takes away, and says it; a setting holds it back'

export const removed: readonly Attack[] = [
  stageIndexAttack({
    row: 'A21',
    name: 'the newest release is dropped; the mirror signs that, as it does by default',
    project: 'foo-a21-newest',
    change: ({ trial }, project, files) =>
      trial.servePage(project, renderJsonPage(project, files.slice(0, -1))),
    limit,
    judge: (observed) => [
      ...require(observed.happened === 'foo-a21-newest 1.0 installed', observed.happened),
      ...requireNote(observed, /^the mirror: warning: .*the newest release was removed/),
    ],
  }),
  stageIndexAttack({
    row: 'A21',
    name: 'the newest release is dropped: who asks for it by its version is told why',
    project: 'foo-a21-pinned',
    pips: 'machine',
    install: { args: ['install', 'foo-a21-pinned==1.1'] },
    change: ({ trial }, project, files) =>
      trial.servePage(project, renderJsonPage(project, files.slice(0, -1))),
    judge: mustRefuse({ code: 'REMOVED', line: /Refused by tufgate: .*not listed/ }),
  }),
  stageIndexAttack({
    row: 'A21',
    name: 'the whole project is gone: 404; the mirror signs that, as it does by default',
    project: 'foo-a21-gone',
    change: ({ trial }, project) => trial.index.on(`/simple/${project}/`, status(404)),
    look: tellDenial,
    limit,
    judge: (observed) => [
      ...require(observed.exitCode === 1, `exit code ${observed.exitCode}`),
      ...require(observed.happened === 'nothing installed', observed.happened),
      ...requireNote(observed, /^the mirror: warning: .*lists nothing of it any more/),
    ],
  }),
  stageLooks({
    name: 'the newest release is dropped; the mirror is set to hold that',
    project: 'foo-a21-held',
    isCore: true,
    policy: { 'newest-removed': 'hold' },
    looks: [dropNewest],
  }),
  stageLooks({
    name: 'eleven projects lose everything at once',
    project: 'foo-a21-many',
    others: Array.from({ length: 10 }, (_, at) => `foo-a21-many-${at}`),
    looks: [
      (world, projects) => {
        for (const project of projects) world.trial.servePage(project, renderJsonPage(project, []))
      },
    ],
  }),
  stageLooks({
    name: 'the project is gone, then somebody else registers its name',
    project: 'foo-a21-hijack',
    looks: [
      (world, projects) => {
        for (const project of projects) world.trial.servePage(project, renderJsonPage(project, []))
      },
      (world, [project = '']) => {
        const evil = offerFile(world, buildEvil(project, '2.0'))
        world.trial.servePage(project, renderJsonPage(project, [evil]))
      },
    ],
    isGone: true,
  }),
]

interface Looks {
  readonly name: string
  readonly project: string
  readonly isCore?: true
  readonly others?: readonly string[]
  readonly policy?: Partial<typeof defaultChangePolicy>
  /** What the index does before each further look of the mirror. */
  readonly looks: readonly ((world: World, projects: readonly string[]) => void)[]
  /** Nothing honest is left that could be installed. */
  readonly isGone?: true
}

/** In a world of its own; the proxy has seen the first list, and then sees the last. */
function stageLooks({ name, project, others = [], looks, policy, ...more }: Looks): Attack {
  const projects = [project, ...others]
  const changePolicy = { ...defaultChangePolicy, ...policy }
  return {
    row: 'A21',
    name,
    pips: 'machine',
    ...(more.isCore && { isCore: true }),
    alone: (scene) =>
      inOwnWorld(projects, async (world) => {
        for (const look of looks) look(world, projects)
        return tellDenial(await install(scene, project, { world }))
      }),
    behind: (scene) =>
      inOwnWorld(projects, async (world) => {
        const before = await seeFirstList(world, project)
        for (const look of looks) {
          look(world, projects)
          await world.lookAgain({ changePolicy })
        }
        return installAfter(scene, { world, project, state: before })
      }),
    judge: (observed) => [
      ...(more.isGone
        ? require(observed.happened === 'nothing installed', observed.happened)
        : mustInstall()(observed)),
      ...requireNote(observed, /^the mirror: held: /),
    ],
  }
}

async function inOwnWorld(
  projects: readonly string[],
  act: (world: World) => Promise<Observed>,
): Promise<Observed> {
  return inWorld((world) => {
    for (const project of projects) world.publish(project, buildReleases(project))
    return act(world)
  })
}

/** Its state knows the list that came first. */
async function seeFirstList(world: World, project: string): Promise<string> {
  await world.sign()
  const { origin, state } = await world.startProxy()
  const { status: code } = await fetch(`${origin}/simple/${project}/`)
  if (code !== 200) throw new Error(`the first page answers ${code}`)
  await world.stopProxy()
  return state
}

interface After {
  readonly world: World
  readonly project: string
  readonly state: string
}

async function installAfter(scene: Scene, { world, project, state }: After): Promise<Observed> {
  await world.startProxy({ state })
  const observed = await install(scene, project, { world })
  return { ...observed, notes: [...observed.notes, ...world.listSaid(project)] }
}

function dropNewest(world: World, projects: readonly string[]): void {
  for (const project of projects)
    world.trial.servePage(project, renderJsonPage(project, buildReleases(project).slice(0, 1)))
}
