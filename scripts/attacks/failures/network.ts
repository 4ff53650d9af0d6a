/** F6 to F8: mirror, index, or the whole network are down. */

import { createMovableClock } from '../../../test/e2e/movable-clock.ts'
import { createSwitchedNetwork } from '../../../test/e2e/switched-network.ts'
import { reset } from '../../../test/support/hostile-server.ts'
import type { Attack, Observed } from '../attack.ts'
import { mustServeOn, mustTellAndRecover, stageFailure } from './failure.ts'
import { findPublished, serveMirror } from './mirror-server.ts'
import { nothingSaid, type Place } from './place.ts'

const hourMs = 3_600_000

async function loseMirror(place: Place, hours: number): Promise<Observed> {
  const mirror = await serveMirror(place)
  try {
    const clock = await createMovableClock(place.world.trial.folder, 'mirror', 0)
    await place.startProxy({ mirror: mirror.url('/'), environment: clock.environment })
    await place.ask('page')
    mirror.use(() => reset())
    await clock.set(hours * hourMs)
    const failed = await place.install()
    const told = await place.ask('page')
    const now = Date.now() + hours * hourMs
    // What is down is also not renewed; the index of this test lives today.
    await place.world.trial.sync({ clock: () => now, acceptClock: true })
    mirror.use((path) => findPublished(place, path))
    const healed = await place.recover()
    return await place.conclude(failed, told, healed)
  } finally {
    await mirror.close()
  }
}

/** Page and files, of whoever is asked. */
function loseIndex({ world: { trial }, files }: Place, project: string): void {
  trial.index.on(`/simple/${project}/`, reset())
  for (const { filename } of files) trial.index.on(`/files/${filename}`, reset())
}

/** As seen by the proxy alone, which is asked over loopback. */
async function breakNetwork(place: Place, kind: 'resolver' | 'down'): Promise<Observed> {
  const mirror = await serveMirror(place)
  try {
    const network = await createSwitchedNetwork(place.world.trial.folder)
    await network.set(kind)
    // By its name, so that there is something to resolve.
    const url = `http://localhost:${mirror.port}/`
    await place.startProxy({ mirror: url, environment: network.environment })
    const failed = await place.install()
    const told = await place.ask('page')
    await network.set('up')
    return await place.conclude(failed, told, await place.recover())
  } finally {
    await mirror.close()
  }
}

/** What is known is served from the vault; what is not, is not. */
async function loseNetwork(place: Place): Promise<Observed> {
  const network = await createSwitchedNetwork(place.world.trial.folder)
  await place.startProxy({ environment: network.environment })
  const known = await place.install()
  await network.set('down')
  const again = await place.install()
  await network.set('up')
  const notes = [`before: ${known.happened}`]
  return place.conclude(again, nothingSaid, await place.recover(), notes)
}

export const networkFailures: readonly Attack[] = [
  stageFailure({
    row: 'F6',
    name: 'the mirror is down for an hour',
    behind: (place) => loseMirror(place, 1),
    judge: mustServeOn(),
  }),
  stageFailure({
    row: 'F6',
    name: 'the mirror is down for a day',
    behind: (place) => loseMirror(place, 25),
    judge: mustTellAndRecover({
      line: /timestamp version \d+ expired 1 h ago; no mirror could be reached for 1 d/,
      next: /Check that the mirror is reachable and renewed/,
    }),
  }),
  stageFailure({
    row: 'F7',
    name: 'the index and its file host are down',
    waitS: 20,
    alone: async (place) => {
      loseIndex(place, 'foo-f')
      return place.install()
    },
    behind: async (place) => {
      await place.startProxy()
      loseIndex(place, 'foo-f')
      const failed = await place.install()
      const told = await place.ask('file')
      place.world.publish('foo-f', place.files)
      return place.conclude(failed, told, await place.recover())
    },
    judge: mustTellAndRecover({ line: /broke off|could not connect/, next: /Try again/ }),
  }),
  stageFailure({
    row: 'F8',
    name: 'the whole network is down at the first contact',
    waitS: 30,
    behind: (place) => breakNetwork(place, 'down'),
    judge: mustTellAndRecover({
      line: /No mirror could be read: .*: (?:could not connect|the host name does not resolve)/,
      next: /this machine can resolve its name and reach it/,
    }),
  }),
  stageFailure({
    row: 'F8',
    name: 'the whole network goes down, and everything is known',
    behind: loseNetwork,
    judge: mustServeOn(),
  }),
]

export const resolverFailure: Attack = stageFailure({
  row: 'F13',
  name: 'the resolver of this machine is broken',
  waitS: 30,
  behind: (place) => breakNetwork(place, 'resolver'),
  judge: mustTellAndRecover({
    line: /No mirror could be read: .*: the host name does not resolve just now/,
    next: /this machine can resolve its name and reach it/,
  }),
})
