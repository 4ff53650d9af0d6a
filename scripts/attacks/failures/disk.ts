/** F1, F2 and F11: the disk is full, or what should be written may not be. */

import { chmod, mkdir, readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { chooseRunner, isRoot, setWritable, type Runner } from '../../../test/e2e/other-user.ts'
import { createSmallDisk, type SmallDisk } from '../../../test/e2e/small-disk.ts'
import type { ProxyOptions, TrialProxy } from '../../../test/e2e/trial.ts'
import { sha256 } from '../../../test/support/build-wheel.ts'
import { hashVault, recordAnswer } from '../../../test/support/proxy-witness.ts'
import type { Attack, Observed } from '../attack.ts'
import { buildGenuine } from '../genuine.ts'
import { findHalfFetched } from '../health.ts'
import { waitUntil } from '../wait-until.ts'
import { mustTellAndRecover, stageFailure } from './failure.ts'
import { notRunning, project, type Place } from './place.ts'

const data = Buffer.alloc(3_000_000, 'large')

const fullDisks: readonly Attack[] = [
  stageFailure({
    row: 'F1',
    name: 'the disk of the state has no room for a file',
    isCore: true,
    files: () => [buildGenuine(project, '1.1', { data: new Map([['data', data]]) })],
    behind: fillState,
    judge: mustTellAndRecover({
      line: /507 Server Error: Not served by tufgate: cannot write \S+: ENOSPC: no space left/,
      next: /free space on this disk/,
    }),
  }),
  stageFailure({
    row: 'F1',
    name: 'the disk has no room for a line of the log',
    behind: fillLog,
    judge: mustTellAndRecover({
      line: /cannot write the audit log in \S+: ENOSPC: no space left/,
      next: /free space on the disk of the audit log/,
    }),
  }),
]

async function fillState(place: Place): Promise<Observed> {
  const folder = join(place.world.trial.folder, 'small-disk')
  const state = join(folder, 'state')
  return onSmallDisk(place, { folder, state }, (disk) => disk.fill())
}

async function fillLog(place: Place): Promise<Observed> {
  const { trial } = place.world
  const state = join(trial.folder, 'state')
  const folder = join(state, sha256(await readFile(trial.root)), 'audit')
  return onSmallDisk(place, { folder, state }, async (disk) => {
    await disk.fillUp()
    await writeUntilFull(place)
  })
}

async function onSmallDisk(
  place: Place,
  { folder, state }: { readonly folder: string; readonly state: string },
  fill: (disk: SmallDisk) => Promise<void>,
): Promise<Observed> {
  const disk = await createSmallDisk(folder)
  try {
    await place.startProxy({ state, environment: disk.environment })
    await place.ask('page')
    await fill(disk)
    const failed = await place.install()
    const told = await place.ask('file')
    await disk.free()
    const kind = disk.isReal ? 'a file system of 8 MB' : 'an imitation of a full disk'
    return await place.conclude(failed, told, await place.recover(), [kind])
  } finally {
    await place.world.stopProxy('SIGKILL')
    await disk.remove()
  }
}

/** What the file system has in its last block is used up: each question makes another line. */
async function writeUntilFull({ world }: Place): Promise<void> {
  for (let at = 0; at < 200; at += 1) {
    const { status } = await recordAnswer(world.proxy?.port ?? 0, `/simple/other-${at}/`)
    if (status === 507) return
  }
  throw new Error('the log could still be written')
}

const readOnly: readonly Attack[] = [
  ...(isRoot
    ? [
        stageFailure({
          row: 'F2',
          name: 'the state folder belongs to another user',
          behind: (place) =>
            failAtStart(place, {
              fail: async () => undefined,
              mend: ({ runner, state }) => runner.own(state),
            }),
          judge: mustTellAndRecover({
            line: /^tufgate: the state folder \S+ belongs to user 0, not to 65534/,
            next: /^next: run: chown -R 65534 /,
          }),
        }),
      ]
    : []),
  stageFailure({
    row: 'F2',
    name: 'the state folder may not be written when it starts',
    behind: (place) =>
      failAtStart(place, {
        fail: async ({ runner, state }) => {
          await runner.own(state)
          await chmod(state, 0o500)
        },
        mend: ({ state }) => chmod(state, 0o700),
      }),
    judge: mustTellAndRecover({
      line: /^tufgate: cannot make the state folder \S+: EACCES: permission denied/,
      next: /give the user that runs tufgate read and write permission here/,
    }),
  }),
  stageFailure({
    row: 'F2',
    name: 'the state folder becomes read-only while it serves',
    behind: becomeReadOnly,
    judge: mustTellAndRecover({
      line: /Not served by tufgate: cannot write \S+: EACCES: permission denied/,
      next: /give the user that runs tufgate read and write permission here/,
    }),
  }),
]

const logFolder = stageFailure({
  row: 'F11',
  name: 'the folder of the log may not be written',
  behind: (place) =>
    failAtStart(place, {
      fail: async ({ runner, state, start }) => {
        await runner.own(state)
        await start()
        await chmod(findLog(place), 0o500)
      },
      mend: () => chmod(findLog(place), 0o700),
    }),
  judge: mustTellAndRecover({
    line: /^tufgate: cannot write the audit log in \S+: EACCES: permission denied/,
    next: /give the user that runs tufgate write permission in the folder of the audit log/,
  }),
})

function findLog({ world }: Place): string {
  return join(world.proxy?.folder ?? '', 'audit')
}

interface Staged {
  readonly runner: Runner
  readonly state: string
  /** Once, before it fails, so that there is something in it. */
  readonly start: () => Promise<void>
}

interface StartFailure {
  readonly fail: (staged: Staged) => Promise<void>
  readonly mend: (staged: Staged) => Promise<void>
}

async function failAtStart(place: Place, { fail, mend }: StartFailure): Promise<Observed> {
  const { runner, options, state } = await prepareRunner(place)
  const start = async (): Promise<void> => {
    await place.startProxy(options)
    await place.ask('page')
    await place.world.stopProxy()
  }
  const staged = { runner, state, start }
  await fail(staged)
  const { code, told } = await place.failToStart(options)
  await mend(staged)
  await place.startProxy(options)
  const failed = { ...notRunning, exitCode: code }
  return place.conclude(failed, told, await place.recover(), [`as ${runner.name}`])
}

async function becomeReadOnly(place: Place): Promise<Observed> {
  const { runner, options, state } = await prepareRunner(place)
  await runner.own(state)
  const proxy = await place.startProxy(options)
  await place.ask('page')
  await waitForRecord(proxy)
  await setWritable(state, false)
  const failed = await place.install()
  const told = await place.ask('file')
  await setWritable(state, true)
  return place.conclude(failed, told, await place.recover(), [`as ${runner.name}`])
}

/** It is kept while the page is on its way, and what is half kept could not be removed any more. */
async function waitForRecord(proxy: TrialProxy): Promise<void> {
  const isKept = async (): Promise<boolean> =>
    (await hashVault(proxy.folder)).size > 0 && (await findHalfFetched(proxy)) === undefined
  if (!(await waitUntil(isKept, 10_000))) throw new Error('the record is not kept')
}

/** Somebody whom permissions bind, and what he needs to read. */
async function prepareRunner({ world: { trial } }: Place): Promise<{
  runner: Runner
  state: string
  options: ProxyOptions
}> {
  const runner = chooseRunner()
  const state = join(trial.folder, 'state')
  await mkdir(state, { mode: 0o700 })
  // He may pass through, as through the folder of all temporary files.
  for (const folder of [dirname(trial.folder), trial.folder, trial.mirror])
    await chmod(folder, (await stat(folder)).mode | 0o055)
  return { runner, state, options: { state, environment: runner.environment } }
}

export const diskFailures: readonly Attack[] = [...fullDisks, ...readOnly]
export const logFailures: readonly Attack[] = [logFolder]
