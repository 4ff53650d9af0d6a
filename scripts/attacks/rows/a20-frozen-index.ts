/** A20: the index is frozen, for the mirror too, while the mirror's own list is kept fresh. */

import { createMovableClock } from '../../../test/e2e/movable-clock.ts'
import { renderJsonPage } from '../../../test/e2e/trial.ts'
import { status } from '../../../test/support/hostile-server.ts'
import { openMirror } from '../../../src/mirror/open-mirror.ts'
import { renewMirror } from '../../../src/mirror/renew.ts'
import { settings } from '../../../src/mirror/settings.ts'
import type { Attack, Observed, Scene } from '../attack.ts'
import { buildGenuine } from '../genuine.ts'
import { buildReleases, stageIndexAttack } from '../index-attack.ts'
import { install } from '../install.ts'
import { require, requireCode, requireNote } from '../judge.ts'
import { installStale } from '../stale-index.ts'
import { inWorld, type World } from '../world.ts'

const hourMs = 3_600_000

export const frozenIndex: readonly Attack[] = [
  {
    row: 'A20',
    name: 'the index is gone for two days, and a mirror that is set to renew all the same has a fresh list',
    isCore: true,
    pips: 'machine',
    alone: (scene) => installStale(scene, 'foo-a20-stale'),
    behind: (scene) =>
      inFrozenWorld((world) =>
        installAfter(scene, world, { renewedAtH: 40, atH: 49, maxUnseenH: 720 }),
      ),
    judge: (observed) => [
      ...require(observed.exitCode !== 0, `exit code ${observed.exitCode}`),
      ...requireCode(observed, 'INDEX_UNSEEN'),
      ...requireNote(observed, /^renew after 40 h: done$/),
    ],
  },
  {
    row: 'A20',
    name: 'the index is gone for 25 h, and the mirror is to be renewed now',
    pips: 'machine',
    alone: (scene) => installStale(scene, 'foo-a20-renew'),
    behind: (scene) => inFrozenWorld((world) => installAfter(scene, world, { renewedAtH: 25 })),
    judge: (observed) => [
      ...require(observed.exitCode !== 0, `exit code ${observed.exitCode}`),
      ...requireCode(observed, /^(?:EXPIRED|INDEX_UNSEEN)$/),
      ...requireNote(observed, /^renew after 25 h: HELD/),
    ],
  },
  {
    row: 'A20',
    name: 'the index is gone for 20 h',
    pips: 'machine',
    alone: 'it is about how long the last signed list is good',
    behind: (scene) => inFrozenWorld((world) => installAfter(scene, world, { atH: 20 })),
    judge: (observed) => [
      ...require(observed.happened === 'foo-a20 1.1 installed', observed.happened),
    ],
  },
  stageIndexAttack({
    row: 'A20',
    name: 'the index goes on showing the mirror its old page: 1.2 is out and nobody sees it',
    project: 'foo-a20-replayed',
    change: (world, project, files) => {
      world.publish(project, [...files, buildGenuine(project, '1.2')])
      world.trial.servePage(project, renderJsonPage(project, files))
    },
    limit: 'the guarantee starts at the mirror: what the index never showed it, it cannot sign',
    judge: ({ happened }) => require(happened === 'foo-a20-replayed 1.1 installed', happened),
  }),
]

async function inFrozenWorld(act: (world: World) => Promise<Observed>): Promise<Observed> {
  return inWorld(async (world) => {
    world.publish('foo-a20', buildReleases('foo-a20'))
    await world.sign()
    return act(world)
  })
}

interface Moments {
  /** When the operator's timer renews; left out: it does not. */
  readonly renewedAtH?: number
  /** When somebody installs. */
  readonly atH?: number
  /** As the operator has set his mirror. */
  readonly maxUnseenH?: number
}

/** A proxy that has seen the first list, and lives on as hours go by. */
async function installAfter(
  scene: Scene,
  world: World,
  { renewedAtH, atH = 25, maxUnseenH }: Moments,
): Promise<Observed> {
  const { trial } = world
  if (maxUnseenH !== undefined) await setMaxUnseen(world, maxUnseenH)
  const clock = await createMovableClock(trial.folder, 'frozen', 0)
  const { origin } = await world.startProxy({ environment: clock.environment })
  const { status: code } = await fetch(`${origin}/simple/foo-a20/`)
  if (code !== 200) throw new Error(`the first page answers ${code}`)
  trial.index.on('/simple/', status(503))
  trial.index.on('/simple/foo-a20/', status(503))
  const renewed = renewedAtH === undefined ? [] : [await renewAfter(world, renewedAtH)]
  await clock.set(atH * hourMs)
  const observed = await install(scene, 'foo-a20', { world })
  const all = [...new Set((await world.readLog()).flatMap(({ code: found }) => found ?? []))]
  return { ...observed, codes: all, notes: [...observed.notes, ...renewed] }
}

async function setMaxUnseen({ trial }: World, hours: number): Promise<void> {
  const mirror = await openMirror(trial.mirror, { clock: Date.now, report: () => undefined })
  mirror.settings.put(settings.maxUnseenMs, hours * hourMs)
  await mirror.close()
}

async function renewAfter({ trial }: World, hours: number): Promise<string> {
  const now = Date.now() + hours * hourMs
  const context = { clock: () => now, report: () => undefined }
  try {
    await renewMirror({ ...context, directory: trial.mirror, acceptClock: true })
    return `renew after ${hours} h: done`
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'failed'
    return `renew after ${hours} h: ${code}: ${error instanceof Error ? error.message : ''}`
  }
}
