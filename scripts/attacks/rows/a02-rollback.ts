/** A2: what was signed yesterday is shown again, by the index or by the web server of the mirror. */

import { join } from 'node:path'
import { renewMirror } from '../../../src/mirror/renew.ts'
import type { ProxyOptions } from '../../../test/e2e/trial.ts'
import { runProgram } from '../../../test/support/program.ts'
import type { Attack, Observed, Scene } from '../attack.ts'
import { inMirrorWorld, type HostileMirror } from '../hostile-mirror.ts'
import { buildReleases } from '../index-attack.ts'
import { install } from '../install.ts'
import { mustInstall, mustRefuse, require, requireNote, type Judge } from '../judge.ts'
import { installStale, upgradeStale } from '../stale-index.ts'

const project = 'foo'

/** The newest release in spite of it; the log names both versions. */
const mustKeepNewer: Judge = (observed) => [
  ...mustInstall('VERSION_ROLLBACK')(observed),
  ...requireNote(observed, /went back from version \d+ to \d+/),
]

interface Replay {
  readonly name: string
  readonly more?: Partial<Pick<Attack, 'isCore' | 'waitS' | 'pips' | 'judge'>>
  /** Whether the proxy has been asked for the project before. Default: true. */
  readonly isKnown?: boolean
  readonly alone: (scene: Scene) => Promise<Observed>
  /** After the proxy has seen today's list; `yesterday`: the tree of before. */
  readonly turn: (mirror: HostileMirror, yesterday: string) => Promise<void> | void
}

function stageReplay({ name, more, isKnown = true, alone, turn }: Replay): Attack {
  return {
    row: 'A2',
    name,
    pips: 'machine',
    judge: mustKeepNewer,
    ...more,
    alone,
    behind: (scene) =>
      inMirrorWorld(async (mirror) => {
        const yesterday = await publishTwice(mirror)
        await mirror.startProxy()
        if (isKnown) await mirror.requirePage(project)
        else await mirror.requireList()
        await turn(mirror, yesterday)
        await mirror.passTime()
        return mirror.addLog(await install(scene, project, { world: mirror.world }))
      }),
  }
}

/** 1.0, then 1.1; the tree between them. */
async function publishTwice(mirror: HostileMirror): Promise<string> {
  const { world } = mirror
  const releases = buildReleases(project)
  world.publish(project, releases.slice(0, 1))
  await world.sign()
  const yesterday = await mirror.keepTree()
  world.publish(project, releases)
  await world.sign()
  return yesterday
}

/** A day's timestamp is signed again past its half, and nothing else is. */
const renewedAfterMs = 13 * 3_600_000

/** The same list, signed anew: the tree of before differs in its timestamp alone. */
async function renewTimestamp(mirror: HostileMirror): Promise<string> {
  const before = await mirror.keepTree()
  await mirror.passTime(renewedAfterMs)
  const directory = mirror.world.trial.mirror
  const clock = (): number => Date.now() + renewedAfterMs
  await renewMirror({ directory, clock, report: () => undefined })
  return before
}

async function restart(mirror: HostileMirror): Promise<void> {
  const state = mirror.world.proxy?.state ?? ''
  await mirror.world.stopProxy()
  await mirror.startProxy({ state })
}

async function installFirst(
  scene: Scene,
  choose: (mirror: HostileMirror) => Promise<ProxyOptions>,
): Promise<Observed> {
  return inMirrorWorld(async (mirror) => {
    const yesterday = await publishTwice(mirror)
    const options = await choose(mirror)
    mirror.show(yesterday)
    await mirror.startProxy(options)
    return mirror.addLog(await install(scene, project, { world: mirror.world }))
  })
}

/** By somebody who sees the mirror as it is. */
async function writeFloor({ world: { trial } }: HostileMirror): Promise<string> {
  const { config } = await trial.writeSettings()
  const floor = join(trial.folder, 'floor.json')
  const { code, stderr } = await runProgram('trust', 'show', '--config', config, '-o', floor)
  if (code !== 0) throw new Error(`there is no floor: ${stderr}`)
  return floor
}

export const rollback: readonly Attack[] = [
  stageReplay({
    name: 'the whole tree of yesterday is shown again',
    more: { isCore: true, pips: 'each' },
    alone: (scene) => installStale(scene, 'foo-a2-tree'),
    turn: (mirror, yesterday) => mirror.show(yesterday),
  }),
  stageReplay({
    name: 'only the timestamp of yesterday is shown again',
    alone: (scene) => upgradeStale(scene, 'foo-a2-upgrade'),
    turn: (mirror, yesterday) => mirror.lie(mirror.replay(yesterday, 'metadata/timestamp.json')),
  }),
  stageReplay({
    name: 'the tree of yesterday, after a restart of the proxy',
    alone: (scene) => installStale(scene, 'foo-a2-restart'),
    turn: async (mirror, yesterday) => {
      mirror.show(yesterday)
      await restart(mirror)
    },
  }),
  stageReplay({
    name: 'the tree of yesterday, to another process with the same state',
    alone: (scene) => installStale(scene, 'foo-a2-process'),
    turn: async (mirror, yesterday) => {
      mirror.show(yesterday)
      await mirror.startSecondProxy()
    },
  }),
  stageReplay({
    name: 'the tree of yesterday, and nobody asked for the project before',
    isKnown: false,
    // pip asks again and again where it is told to come later.
    more: { waitS: 60, judge: mustRefuse({ code: 'METADATA_UNAVAILABLE' }) },
    alone: (scene) => installStale(scene, 'foo-a2-unknown'),
    turn: (mirror, yesterday) => mirror.show(yesterday),
  }),
  {
    row: 'A2',
    name: 'the timestamp alone goes back to before it was renewed; the snapshot is the same',
    pips: 'machine',
    alone: 'pages of an index are not renewed while nothing changes',
    behind: (scene) =>
      inMirrorWorld(async (mirror) => {
        await publishTwice(mirror)
        const before = await renewTimestamp(mirror)
        await mirror.startProxy()
        await mirror.requirePage(project)
        mirror.lie(mirror.replay(before, 'metadata/timestamp.json'))
        await mirror.passTime()
        return mirror.addLog(await install(scene, project, { world: mirror.world }))
      }),
    judge: mustKeepNewer,
  },
  {
    row: 'A2',
    name: 'the tree of yesterday, to a proxy that comes for the first time',
    pips: 'machine',
    alone: (scene) => installStale(scene, 'foo-a2-first'),
    behind: (scene) => installFirst(scene, () => Promise.resolve({})),
    limit:
      'a new client accepts any list that has not expired; a floor that comes with the root narrows it',
    judge: ({ harm }) => require(harm === 'OLD foo 1.0 installed', harm ?? 'no harm'),
  },
  {
    row: 'A2',
    name: 'the same, with a floor of today that came with the root',
    pips: 'machine',
    alone: (scene) => installStale(scene, 'foo-a2-floor'),
    behind: (scene) => installFirst(scene, async (mirror) => ({ floor: await writeFloor(mirror) })),
    judge: mustRefuse({ code: 'VERSION_ROLLBACK' }),
  },
]
