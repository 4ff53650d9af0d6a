/** A6, of the list: one byte a second, with a list that is there, and on the first contact. */

import { renderJsonPage } from '../../../test/e2e/trial.ts'
import { drip, type Behaviour } from '../../../test/support/hostile-server.ts'
import type { Attack, Observed, Scene } from '../attack.ts'
import { inMirrorWorld, type HostileMirror } from '../hostile-mirror.ts'
import { buildReleases } from '../index-attack.ts'
import { install } from '../install.ts'
import { mustInstall, mustRefuse, require, requireCode, requireNote } from '../judge.ts'
import { askPage, lieAboutEach, listServed, signProject } from '../list-parts.ts'

const project = 'foo'

/** As long as a list may be, and never there. */
const slow: Behaviour = drip(Buffer.alloc(15_000, 0x20), 1, 1000)

/** Above the lowest rate, and for longer than pip waits for an answer. */
const justFastEnough: Behaviour = drip(Buffer.alloc(300_000, 0x20), 2000, 200)

async function installTimed(scene: Scene, mirror: HostileMirror): Promise<Observed> {
  const startedAt = Date.now()
  const observed = await install(scene, project, { world: mirror.world })
  const seconds = Math.round((Date.now() - startedAt) / 1000)
  return mirror.addLog({
    ...observed,
    notes: [...observed.notes, `pip was done after ${seconds} s`],
  })
}

/** The index itself: pip has nothing else to be slow at. */
async function installSlowly(scene: Scene, name: string): Promise<Observed> {
  const files = buildReleases(name)
  const { world } = scene
  world.publish(name, files)
  const page = Buffer.from(JSON.stringify(renderJsonPage(name, files)))
  world.trial.index.on(`/simple/${name}/`, drip(page, 1, 1000))
  return install(scene, name)
}

export const slowLists: readonly Attack[] = [
  {
    row: 'A6',
    name: 'the timestamp at one byte a second, to a proxy that has a list',
    waitS: 20,
    pips: 'machine',
    alone: (scene) => installSlowly(scene, 'foo-a6-renewal'),
    behind: (scene) =>
      inMirrorWorld(async (mirror) => {
        await signProject(mirror)
        await mirror.startProxy()
        await mirror.requirePage(project)
        mirror.lie({ about: 'metadata/timestamp.json', behaviour: slow })
        await mirror.passTime()
        const observed = await installTimed(scene, mirror)
        const { requests } = mirror.countLies()
        return { ...observed, notes: [...observed.notes, `the slow one was asked ${requests}x`] }
      }),
    judge: (observed) => [
      ...mustInstall()(observed),
      ...requireNote(observed, /^the slow one was asked [1-9]/),
    ],
  },
  {
    row: 'A6',
    name: 'the timestamp at one byte a second, on the first contact',
    waitS: 40,
    pips: 'each',
    alone: (scene) => installSlowly(scene, 'foo-a6-first'),
    behind: (scene) =>
      inMirrorWorld(async (mirror) => {
        await signProject(mirror)
        mirror.lie({ about: 'metadata/timestamp.json', behaviour: slow })
        await mirror.startProxy()
        return installTimed(scene, mirror)
      }),
    judge: mustRefuse({ code: 'TOO_SLOW' }),
  },
  {
    row: 'A6',
    name: 'a long root, just fast enough, by the first of two mirrors',
    waitS: 50,
    pips: 'machine',
    alone: (scene) => installSlowly(scene, 'foo-a6-enough'),
    behind: (scene) =>
      inMirrorWorld(async (mirror) => {
        await signProject(mirror)
        const { published } = mirror.world.trial
        mirror.showMany({ slow: published, good: published })
        mirror.lie({ about: 'slow/metadata/2.root.json', behaviour: justFastEnough })
        await mirror.startProxy({ mirror: [`${mirror.url}slow/`, `${mirror.url}good/`] })
        return installTimed(scene, mirror)
      }),
    // On a busy machine the slow one falls under the floor before it has shown what it has.
    judge: mustInstall(/^(?:MALFORMED|TOO_SLOW)$/),
  },
  {
    row: 'A6',
    name: 'each part of the signed list at one byte a second, on the first contact',
    waitS: 50,
    pips: 'machine',
    alone: 'pip knows no signed list: its slow page is a row above',
    behind: () =>
      inMirrorWorld(async (mirror) => {
        const tried = await lieAboutEach(mirror, slow, '[limits]\nmin-rate-over = "1s"')
        const healed = await askPage(mirror)
        const served = listServed(tried)
        return mirror.addCodes({
          ...(served.length > 0 && { harm: `not refused: ${served.join(', ')}` }),
          happened: `${tried.length} parts refused; the page afterwards: ${healed.status}`,
          exitCode: null,
          line: '',
          codes: [],
          notes: tried.map(({ part, status, seconds }) => `${part}: ${status} after ${seconds} s`),
        })
      }),
    judge: (observed) => [
      ...require(observed.happened.endsWith(': 200'), observed.happened),
      ...requireCode(observed, 'TOO_SLOW'),
    ],
  },
]
