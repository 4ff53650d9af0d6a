/** F3 and F4: the state on disk was damaged, or a part of it lost, between two starts. */

import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { changeBytes, isForPerson, listFiles } from '../../../test/e2e/damage.ts'
import { chooseSeed, createRandom, type Random } from '../../../test/e2e/random.ts'
import { serve } from '../../../test/support/hostile-server.ts'
import { collect, spawnServe } from '../../../test/support/program.ts'
import type { Attack, Observed } from '../attack.ts'
import { require, requireNote } from '../judge.ts'
import { mustServeOn, requireWell, stageFailure } from './failure.ts'
import { findPublished, serveMirror } from './mirror-server.ts'
import { nothingSaid, type Place, type Told } from './place.ts'

interface DamageCount {
  served: number
  /** The proxy did not start, and said which file it was and what to do. */
  named: number
  readonly wrong: string[]
  told: Told
}

async function damageEachFile(place: Place): Promise<Observed> {
  const { folder } = place.world.trial
  const [state, pristine] = [join(folder, 'state'), join(folder, 'pristine')]
  await place.startProxy({ state })
  const before = await place.install()
  await place.world.stopProxy()
  await cp(state, pristine, { recursive: true })
  const seed = chooseSeed('damaged state')
  const random = createRandom(seed)
  const count: DamageCount = { served: 0, named: 0, wrong: [], told: nothingSaid }
  const files = await listFiles(pristine)
  for (const path of files) {
    await rm(state, { recursive: true })
    await cp(pristine, state, { recursive: true })
    await damageFile(join(state, path), random)
    await startDamaged(place, { state, path, count })
  }
  const notes = [
    `seed ${seed}`,
    `${files.length} files damaged at a byte each: with ${count.served} of them all is served, with ${count.named} it does not start and names the file`,
    ...count.wrong.map((one) => `WRONG: ${one}`),
  ]
  await place.startProxy({ state: pristine })
  return place.conclude(before, count.told, await place.recover(), notes)
}

async function damageFile(path: string, random: Random): Promise<void> {
  await writeFile(path, changeBytes(await readFile(path), random, 1))
}

interface Damaged {
  readonly state: string
  /** In it. */
  readonly path: string
  readonly count: DamageCount
}

async function startDamaged(place: Place, { state, path, count }: Damaged): Promise<void> {
  const first = await startAndLook(place, state)
  if (first.wrong === undefined) {
    count.served += 1
    return
  }
  const { wrong, told } = first
  const isNamed = told?.line.startsWith('tufgate: ') === true && told.next !== ''
  if (told === undefined || !isNamed || !isForPerson(path)) {
    count.wrong.push(`${path}: ${wrong}`)
    return
  }
  Object.assign(count, { named: count.named + 1, told })
  // As the sentence says.
  await rm(join(state, path))
  const again = await startAndLook(place, state)
  if (again.wrong !== undefined) count.wrong.push(`${path}, once it is removed: ${again.wrong}`)
}

interface Look {
  /** Absent: page and file are served. */
  readonly wrong?: string
  /** Where it did not start, and ended as it should. */
  readonly told?: Told
}

async function startAndLook(place: Place, state: string): Promise<Look> {
  const { trial } = place.world
  const { config } = await trial.writeSettings({ state })
  const child = trial.watch(spawnServe({}, '--config', config))
  const finished = collect(child)
  const port = await Promise.race([findPort(child.stdout), finished.then(() => undefined)])
  if (port !== undefined) {
    const wrong = await findWrong(place, port)
    child.kill('SIGKILL')
    await finished
    return wrong === undefined ? {} : { wrong }
  }
  const { code, stderr } = await finished
  return { wrong: stderr, ...(code === 2 && { told: place.readComplaint(stderr) }) }
}

function findPort(stdout: NodeJS.ReadableStream): Promise<number> {
  return new Promise((resolve) => {
    stdout.on('data', (text: string) => {
      const [, port] = /listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(text) ?? []
      if (port !== undefined) resolve(Number(port))
    })
  })
}

async function findWrong(place: Place, port: number): Promise<string | undefined> {
  for (const what of ['page', 'file'] as const) {
    const { status, line, isGenuine } = await place.ask(what, port)
    if (status !== 200) return `${what}: ${status} ${line}`
    if (!isGenuine) return `${what}: not the honest one`
  }
  return undefined
}

/** With an old list on offer: without floors what is on disk still binds. */
async function loseFloors(place: Place): Promise<Observed> {
  const { world } = place
  const path = join(world.trial.published, 'metadata', 'timestamp.json')
  const old = serve(await readFile(path))
  world.publish('another-f', place.files)
  await world.sign()
  const mirror = await serveMirror(place)
  try {
    const state = join(world.trial.folder, 'state')
    const options = { state, mirror: mirror.url('/'), settings: 'refresh = "1s"' }
    const { folder } = await place.startProxy(options)
    await place.ask('page')
    await world.stopProxy()
    for (const name of ['floors.db', 'floors.db-wal', 'floors.db-shm'])
      await rm(join(folder, name), { force: true })
    mirror.on('/metadata/timestamp.json', old)
    await place.startProxy(options)
    const failed = await place.install()
    mirror.on('/metadata/timestamp.json', (...args) => {
      findPublished(place, '/metadata/timestamp.json')(...args)
    })
    const healed = await place.recover()
    const log = await world.readLog()
    const told = log.find(({ message }) => message?.includes('FIRST CONTACT again') === true)
    const refused = log.find(({ code }) => code === 'VERSION_ROLLBACK')
    const line = { line: told?.message ?? '', next: '' }
    const notes = refused === undefined ? [] : [`the log: ${refused.message ?? ''}`]
    return await place.conclude({ ...failed, line: line.line }, line, healed, notes)
  } finally {
    await mirror.close()
  }
}

export const stateFailures: readonly Attack[] = [
  stageFailure({
    row: 'F3',
    name: 'each file of the state is damaged at a random byte',
    behind: damageEachFile,
    judge: (observed) => [
      ...require(observed.exitCode === 0, 'it did not begin well'),
      ...requireNote(observed, /files damaged at a byte each/),
      ...observed.notes.filter((note) => note.startsWith('WRONG: ')),
      ...requireWell(observed),
    ],
  }),
  stageFailure({
    row: 'F4',
    name: 'the floors are lost, and the mirror offers an old list',
    behind: loseFloors,
    judge: (observed) => [
      ...mustServeOn(/FIRST CONTACT again: what was trusted before is lost with floors\.db/)(
        observed,
      ),
      ...requireNote(observed, /the log: .*timestamp/),
    ],
  }),
]
