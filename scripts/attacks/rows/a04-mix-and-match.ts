/** A4: pieces of two moments, each once signed, are put together: foo 1.1 needs bar 1.1 and gets bar 1.0. */

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { renderJsonPage } from '../../../test/e2e/trial.ts'
import { sha256, type Wheel } from '../../../test/support/build-wheel.ts'
import { serve, type Behaviour } from '../../../test/support/hostile-server.ts'
import { tufgateCommand } from '../../../test/support/program.ts'
import type { Attack, Observed, Scene } from '../attack.ts'
import { buildGenuine } from '../genuine.ts'
import { inMirrorWorld, type HostileMirror, type Lie } from '../hostile-mirror.ts'
import { install } from '../install.ts'
import { mustInstall, mustRefuse, require, requireNote } from '../judge.ts'
import { readLog } from '../read-log.ts'
import type { World } from '../world.ts'

interface Pair {
  readonly foo: string
  readonly bar: string
  /** Of each, the release of yesterday and that of today. */
  readonly foos: readonly Wheel[]
  readonly bars: readonly Wheel[]
}

function buildPair(suffix = ''): Pair {
  const foo = `foo${suffix}`
  const bar = `bar${suffix}`
  return { foo, bar, foos: buildBoth(foo, [bar]), bars: buildBoth(bar, []) }
}

function buildBoth(name: string, requires: readonly string[]): Wheel[] {
  return ['1.0', '1.1'].map((version) => buildGenuine(name, version, { requires }))
}

function publish(world: World, { foo, bar, foos, bars }: Pair, day: 'yesterday' | 'today'): void {
  const count = day === 'today' ? 2 : 1
  world.publish(foo, foos.slice(0, count))
  world.publish(bar, bars.slice(0, count))
}

/** An index of which one page is of today, and the other still of yesterday. */
function installMixed(scene: Scene, suffix: string): Promise<Observed> {
  const pair = buildPair(suffix)
  publish(scene.world, pair, 'today')
  const { bar, bars } = pair
  scene.world.trial.servePage(bar, renderJsonPage(bar, bars.slice(0, 1)))
  return install(scene, pair.foo)
}

interface Mix {
  readonly name: string
  readonly suffix: string
  readonly isCore?: true
  readonly lie: (mirror: HostileMirror, yesterday: string) => Lie
}

/** To a proxy that comes for the first time, so that it has nothing of its own in their place. */
function stageMix({ name, suffix, isCore, lie }: Mix): Attack {
  return {
    row: 'A4',
    name,
    ...(isCore && { isCore }),
    pips: 'machine',
    alone: (scene) => installMixed(scene, suffix),
    behind: (scene) =>
      inMirrorWorld(async (mirror) => {
        const pair = buildPair()
        publish(mirror.world, pair, 'yesterday')
        await mirror.world.sign()
        const yesterday = await mirror.keepTree()
        publish(mirror.world, pair, 'today')
        await mirror.world.sign()
        mirror.lie(lie(mirror, yesterday))
        await mirror.startProxy()
        return mirror.addLog(await install(scene, pair.foo, { world: mirror.world }))
      }),
    judge: mustRefuse({ code: /^(?:DIGEST|LENGTH|VERSION)_MISMATCH$/ }),
  }
}

/** Both are honest, but of two moments: he asked for foo yesterday and for bar today. */
function findMix({ foo, bar }: Pair, observed: Observed): Observed {
  const { harm: _, ...rest } = observed
  const isMixed = rest.happened === `${bar} 1.1, ${foo} 1.0 installed`
  return isMixed ? { ...rest, harm: `MIXED: ${rest.happened}` } : rest
}

/** When pip has seen the page of foo and fetches the file, today comes. */
function updateMeanwhile(world: World, pair: Pair, arrive: () => Promise<void>): void {
  const [wheel] = pair.foos
  if (wheel === undefined) throw new Error('there is no wheel')
  let arrived: Promise<void> | undefined
  const after =
    (then: Behaviour): Behaviour =>
    (...exchange) => {
      arrived ??= arrive()
      void arrived.then(() => then(...exchange))
    }
  const { index } = world.trial
  index.on(`/files/${wheel.filename}`, after(serve(wheel.bytes)))
  index.on(`/files/${wheel.filename}.metadata`, after(serve(wheel.metadata)))
}

async function installMeanwhileAlone(scene: Scene, suffix: string): Promise<Observed> {
  const pair = buildPair(suffix)
  publish(scene.world, pair, 'yesterday')
  updateMeanwhile(scene.world, pair, async () => publish(scene.world, pair, 'today'))
  return findMix(pair, await install(scene, pair.foo))
}

async function installMeanwhile(
  ask: (mirror: HostileMirror, pair: Pair) => Promise<Observed>,
): Promise<Observed> {
  return inMirrorWorld(async (mirror) => {
    const pair = buildPair()
    publish(mirror.world, pair, 'yesterday')
    await mirror.world.sign()
    updateMeanwhile(mirror.world, pair, async () => {
      publish(mirror.world, pair, 'today')
      await mirror.world.sign()
      // The next request waits for a look at the mirror.
      await mirror.passTime()
    })
    const before = mirror.countLists()
    const observed = await ask(mirror, pair)
    const notes = [...observed.notes, `${mirror.countLists() - before} lists were fetched`]
    return findMix(pair, { ...observed, notes })
  })
}

/** Installed through `tufgate run`, which holds the list of its first answer. */
async function installInRun(scene: Scene, mirror: HostileMirror, { foo }: Pair): Promise<Observed> {
  const { trial } = mirror.world
  const { config, state } = await trial.writeSettings({ mirror: mirror.url })
  const observed = await install(scene, foo, {
    world: mirror.world,
    through: tufgateCommand('run', '--config', config, '--'),
    variables: mirror.clock.environment,
  })
  const entries = await readLog(join(state, sha256(await readFile(trial.root))))
  return { ...observed, codes: entries.flatMap(({ code }) => code ?? []) }
}

export const mixes: readonly Attack[] = [
  stageMix({
    name: 'the old record of bar under the new list',
    suffix: '-a4-record',
    isCore: true,
    lie: (mirror, yesterday) =>
      mirror.swap(yesterday, (path) => path.startsWith('targets/simple/bar/')),
  }),
  stageMix({
    name: 'the old bin of bar under the new snapshot',
    suffix: '-a4-bin',
    lie: (mirror, yesterday) =>
      mirror.swap(
        yesterday,
        (path, text) => path.includes('.bins-') && text.includes('"simple/bar/'),
      ),
  }),
  stageMix({
    name: 'the old snapshot under the new timestamp',
    suffix: '-a4-snapshot',
    lie: (mirror, yesterday) => mirror.swap(yesterday, (path) => path.endsWith('.snapshot.json')),
  }),
  {
    row: 'A4',
    name: 'the mirror is updated while tufgate run installs',
    pips: 'each',
    alone: (scene) => installMeanwhileAlone(scene, '-a4-run'),
    behind: (scene) => installMeanwhile((mirror, pair) => installInRun(scene, mirror, pair)),
    judge: (observed) => [
      ...mustInstall()(observed),
      ...require(observed.happened === 'bar 1.0, foo 1.0 installed', observed.happened),
      ...requireNote(observed, /^2 lists were fetched$/),
    ],
  },
  {
    row: 'A4',
    name: 'the mirror is updated while pip installs through serve',
    pips: 'machine',
    alone: (scene) => installMeanwhileAlone(scene, '-a4-serve'),
    behind: (scene) =>
      installMeanwhile(async (mirror, { foo }) => {
        await mirror.startProxy()
        return mirror.addLog(await install(scene, foo, { world: mirror.world }))
      }),
    limit:
      'serve does not know which requests are of one command, and answers each from the newest list; tufgate run holds one list for all of them',
    judge: ({ harm }) => require(harm?.startsWith('MIXED') === true, harm ?? 'no harm'),
  },
]
