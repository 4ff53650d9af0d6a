/** Runs attacks, several at a time, each twice: without tufgate and behind it. Decides nothing. */

import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Attack, Observed, Scene } from './attack.ts'
import { findDamage } from './health.ts'
import { runInLanes } from './lanes.ts'
import type { Pip } from './pip.ts'
import { World } from './world.ts'

/** One line of the table. */
export interface Result {
  readonly row: string
  readonly name: string
  /** Version of pip; `undefined`: none has a part in it. */
  readonly pip: string | undefined
  /** A sentence: why there is nothing to compare with. */
  readonly alone: Observed | string
  readonly behind: Observed
  /** That the documents own up to. */
  readonly limit?: string
  /** Empty: behind the proxy all is as it must be. */
  readonly complaints: readonly string[]
}

export interface RunOptions {
  readonly attacks: readonly Attack[]
  /** The first one is that of this machine. */
  readonly pips: readonly Pip[]
  readonly folder: string
  /** How a world gets what stands between pip and it. Tests put something else there. */
  readonly guard?: (world: World) => Promise<void>
  readonly onResult: (result: Result) => void
}

/** Of the shared worlds: so that nobody waits long for what is slow or has no length. */
const settings = '[limits]\nmin-rate-over = "1s"\nunsized-file = "1 MB"'

export async function runAttacks(options: RunOptions): Promise<readonly Result[]> {
  const { attacks, pips, folder, guard = startGuard } = options
  const stands = await Promise.all(pips.map(createStand))
  try {
    await Promise.all(stands.map((stand) => prepareStand(stand, attacks, guard)))
    const runs = listRuns(attacks, stands, folder)
    const results = new Map<Run, Result>()
    await runInLanes(runs, async (run) => {
      const result = await runOne(run)
      results.set(run, result)
      options.onResult(result)
    })
    const inOrder = runs.map((run) => results.get(run))
    return [...inOrder.filter((one) => one !== undefined), ...(await examine(stands))]
  } finally {
    const closed = stands.flatMap(({ alone, behind }) => [alone.close(), behind.close()])
    await Promise.all([...closed, ...attacks.map(({ finish }) => finish?.())])
  }
}

async function startGuard(world: World): Promise<void> {
  await world.startProxy({ settings })
}

interface Stand {
  readonly pip: Pip
  readonly alone: World
  readonly behind: World
}

/** Each pip has worlds of its own: what one was refused is not remembered for the other. */
async function createStand(pip: Pip): Promise<Stand> {
  const [alone, behind] = await Promise.all([World.create(), World.create()])
  return { pip, alone, behind }
}

async function prepareStand(
  { alone, behind }: Stand,
  attacks: readonly Attack[],
  guard: (world: World) => Promise<void>,
): Promise<void> {
  for (const world of [alone, behind]) for (const { publish } of attacks) publish?.(world)
  // Nothing to sign where no attack needs the shared world.
  if (attacks.some(({ publish }) => publish !== undefined)) await behind.sign()
  for (const world of [alone, behind]) for (const { change } of attacks) change?.(world)
  if (attacks.some(({ change }) => change !== undefined)) await behind.lookAgain()
  await guard(behind)
  for (const world of [alone, behind]) for (const { turn } of attacks) turn?.(world)
}

interface Run {
  readonly attack: Attack
  readonly stand: Stand
  /** Of its victims. */
  readonly folder: string
}

/** In the order of the table. */
function listRuns(attacks: readonly Attack[], stands: readonly Stand[], folder: string): Run[] {
  return attacks
    .flatMap((attack) => ofPips(attack, stands).map((stand) => ({ attack, stand })))
    .map((run, at) => ({ ...run, folder: join(folder, String(at)) }))
}

/** The first one is that of this machine's pip. */
function ofPips<T>({ pips }: Attack, each: readonly T[]): readonly T[] {
  return pips === 'each' ? each : each.slice(0, 1)
}

/** How often `onResult` will be called. */
export function countRuns(attacks: readonly Attack[], pips: readonly Pip[]): number {
  return attacks.reduce((sum, attack) => sum + ofPips(attack, pips).length, 0)
}

async function runOne({ attack, stand, folder }: Run): Promise<Result> {
  const { row, name, pips, limit } = attack
  const pip = pips === 'each' ? stand.pip.version : undefined
  const [alone, behind] = await Promise.all([
    typeof attack.alone === 'string'
      ? attack.alone
      : inFolder(`${folder}-alone`, stand.pip, stand.alone, attack.alone),
    inFolder(`${folder}-behind`, stand.pip, stand.behind, attack.behind),
  ])
  // Harm that was not seen is none that tufgate kept away.
  const isShown = typeof alone === 'string' || alone.happened !== failed
  const isOwnedUpTo = limit !== undefined && behind.happened !== failed
  const harm = behind.harm === undefined || isOwnedUpTo ? [] : [behind.harm]
  const untold = isShown ? [] : ['without tufgate the attack was not shown']
  const complaints = [...harm, ...untold, ...attack.judge(behind)]
  return { row, name, pip, alone, behind, ...(limit !== undefined && { limit }), complaints }
}

/** The attack itself: nothing was shown. */
const failed = 'failed'
/** Nothing in the laboratory waits nearly as long. */
const maxAttackMs = 200_000

async function inFolder(
  folder: string,
  pip: Pip,
  world: World,
  act: (scene: Scene) => Promise<Observed>,
): Promise<Observed> {
  await mkdir(folder, { recursive: true })
  try {
    return await withLimit(act({ pip, folder, world }))
  } catch (error) {
    // It says nothing about the attack: a failure of its own, whatever the attack asks for.
    const line = error instanceof Error ? error.message : String(error)
    return {
      harm: 'NOT SHOWN: this failed',
      happened: failed,
      exitCode: null,
      line,
      codes: [],
      notes: [],
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function withLimit<T>(acting: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const tooLong = new Promise<never>((_, reject) => {
    const error = new Error(`it was not through after ${maxAttackMs / 1000} s`)
    timer = setTimeout(() => reject(error), maxAttackMs)
  })
  try {
    return await Promise.race([acting, tooLong])
  } finally {
    clearTimeout(timer)
  }
}

/** After everything: the shared proxies are well, their vaults clean and their logs whole. */
async function examine(stands: readonly Stand[]): Promise<Result[]> {
  return Promise.all(
    stands.map(async ({ pip, behind }) => {
      const complaints =
        behind.proxy === undefined ? ['there is no proxy'] : await findDamage(behind.proxy)
      const happened = complaints.length === 0 ? 'healthy, vault clean, log whole' : 'damaged'
      const behindIt = {
        happened,
        exitCode: null,
        line: complaints.join('; '),
        codes: [],
        notes: [],
      }
      return {
        row: 'all',
        name: 'the proxy after all of this',
        pip: pip.version,
        alone: 'there is no proxy',
        behind: behindIt,
        complaints,
      }
    }),
  )
}
