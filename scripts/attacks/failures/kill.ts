/** F9: the proxy is killed (kill -9) in each phase of its work, with pip under way, and started again. */

import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { killAfter } from '../../../test/e2e/kill-after.ts'
import { chooseSeed, createRandom } from '../../../test/e2e/random.ts'
import { serve, silence, stall } from '../../../test/support/hostile-server.ts'
import { spawnServe } from '../../../test/support/program.ts'
import { recordAnswer } from '../../../test/support/proxy-witness.ts'
import type { Attack, Observed } from '../attack.ts'
import { buildGenuine } from '../genuine.ts'
import { require } from '../judge.ts'
import { waitUntil } from '../wait-until.ts'
import { requireWell, stageFailure, type Failure } from './failure.ts'
import { findPublished, serveMirror } from './mirror-server.ts'
import { nothingSaid, notRunning, project, type Place } from './place.ts'

const patienceMs = 60_000

function stageKill(name: string, behind: Failure['behind'], files?: Failure['files']): Attack {
  return stageFailure({
    row: 'F9',
    name: `kill -9 ${name}`,
    waitS: 20,
    behind,
    ...(files && { files }),
    judge: (observed) => [
      ...require(/^nothing installed, then foo-f 1\.1 installed$/.test(
        observed.happened,
      ), observed.happened),
      ...requireWell(observed),
    ],
  })
}

async function killInStart(place: Place): Promise<Observed> {
  const state = join(place.world.trial.folder, 'state')
  const seed = chooseSeed('kill in start')
  const random = createRandom(seed)
  const { config } = await place.world.trial.writeSettings({ state })
  const kills: number[] = []
  for (let count = 0; count < 3; count += 1) {
    const ms = Math.round(random() * 500)
    const child = place.world.trial.watch(spawnServe({}, '--config', config))
    if (await killAfter(child, Promise.resolve(), ms)) kills.push(ms)
  }
  await place.startProxy({ state })
  const notes = [`seed ${seed}`, `killed ${kills.join(', ')} ms after it was started`]
  return place.conclude(notRunning, nothingSaid, await place.recover(), notes)
}

async function killInRefresh(place: Place): Promise<Observed> {
  const mirror = await serveMirror(place)
  try {
    mirror.use((path) => (path.includes('snapshot.json') ? silence() : findPublished(place, path)))
    return await killUnderWay(place, {
      mirror: mirror.url('/'),
      moment: () =>
        waitUntil(() => mirror.requests.some(({ path }) => path.includes('snapshot')), patienceMs),
      mend: () => mirror.use((path) => findPublished(place, path)),
    })
  } finally {
    await mirror.close()
  }
}

function killInFetch(place: Place): Promise<Observed> {
  const { index } = place.world.trial
  const { filename = '', bytes = Buffer.of() } = place.files.at(-1) ?? {}
  const path = `/files/${filename}`
  index.on(path, stall(bytes, bytes.length >> 1))
  return killUnderWay(place, {
    moment: () => index.waitFor(path, 1),
    mend: () => index.on(path, serve(bytes)),
  })
}

/** More than the buffers between two sockets hold. */
const data = Buffer.alloc(20_000_000, 'large')

function killInRelease(place: Place): Promise<Observed> {
  const { filename = '', bytes = Buffer.of() } = place.files.at(-1) ?? {}
  return killUnderWay(place, {
    moment: async ({ relay } = place.world) =>
      relay?.waitFor(
        ({ path, status, body }) => path.endsWith(filename) && status === 200 && body.length > 48,
      ),
    mend: () => undefined,
    tell: () => {
      const answers = place.world.relay?.answers() ?? []
      const begun = answers.find(({ path, status }) => path.endsWith(filename) && status === 200)
      return `${begun?.body.length ?? 0} of ${bytes.length} bytes were out, all verified`
    },
  })
}

interface UnderWay {
  readonly mirror?: string
  readonly moment: (world?: Place['world']) => Promise<unknown>
  readonly mend: () => void
  /** Once it is killed: how far it was. */
  readonly tell?: () => string
}

async function killUnderWay(place: Place, { mirror, ...way }: UnderWay): Promise<Observed> {
  const state = join(place.world.trial.folder, 'state')
  const options = { state, ...(mirror !== undefined && { mirror }) }
  const proxy = await place.startProxy(options)
  const installing = place.install()
  await Promise.race([way.moment(), installing])
  await proxy.stop('SIGKILL')
  const failed = await installing
  const notes = way.tell === undefined ? [] : [way.tell()]
  await place.world.stopProxy('SIGKILL')
  way.mend()
  await place.startProxy(options)
  return place.conclude(failed, nothingSaid, await place.recover(), notes)
}

const askedInAll = 200
const askedAtOnce = 10

/** With many lines under way; the last one is then cut in half, which only a lucky moment would show. */
async function killInLog(place: Place): Promise<Observed> {
  const state = join(place.world.trial.folder, 'state')
  const seed = chooseSeed('kill in log')
  const proxy = await place.startProxy({ state })
  await place.ask('page')
  const wanted = 1 + Math.floor((createRandom(seed)() * askedInAll) / 2)
  let answered = 0
  let begun = 0
  const enough = Promise.withResolvers<void>()
  const ask = async (): Promise<void> => {
    while (begun < askedInAll) {
      const answer = await recordAnswer(proxy.port, `/simple/other-${begun++}/`)
      if (answer.status > 0) answered += 1
      if (answered >= wanted) enough.resolve()
    }
  }
  const asked = Array.from({ length: askedAtOnce }, () => ask().catch(() => undefined))
  await enough.promise
  await proxy.stop('SIGKILL')
  await Promise.all(asked)
  await place.world.stopProxy('SIGKILL')
  const told = await tearLog(join(proxy.folder, 'audit'))
  await place.startProxy({ state })
  const notes = [
    `seed ${seed}`,
    `killed after ${answered} of ${askedInAll} answers, with ${told} of them in the log`,
    'the last line of the log cut in half',
    ...(told < answered
      ? [`DAMAGE: ${answered - told} answers of which the log does not tell`]
      : []),
  ]
  return place.conclude(notRunning, nothingSaid, await place.recover(), notes)
}

/** How many of the answers it had told of. */
async function tearLog(folder: string): Promise<number> {
  const [part = ''] = await readdir(folder)
  const lines = await readFile(join(folder, part))
  const last = lines.lastIndexOf('\n', lines.length - 2) + 1
  await writeFile(join(folder, part), lines.subarray(0, (last + lines.length) >> 1))
  return new Set(String(lines).match(/"project":"other-\d+"/g)).size
}

export const kills: readonly Attack[] = [
  stageKill('while it starts', killInStart),
  stageKill('while it looks at the mirror', killInRefresh),
  stageKill('while it fetches a file', killInFetch),
  stageKill('while it hands a file to pip', killInRelease, () => [
    buildGenuine(project, '1.1', { data: new Map([['data', data]]) }),
  ]),
  stageKill('while it writes its log', killInLog),
]
