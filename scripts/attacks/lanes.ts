/**
 * How many attacks are made at a time: of those that keep a processor busy one for each processor; of
 * those that mostly wait several, beside them, the longest first; of those that share one proxy one.
 */

import { availableParallelism } from 'node:os'
import type { Attack } from './attack.ts'

/** So many that pip, which is heavy while it starts, does not start a hundred times in one second. */
const waitingPerProcessor = 8

export async function runInLanes<T extends { readonly attack: Attack }>(
  runs: readonly T[],
  act: (run: T) => Promise<void>,
): Promise<void> {
  const processors = availableParallelism()
  const inTurn = runs.filter(({ attack }) => attack.isInTurn === true)
  const others = runs.filter(({ attack }) => attack.isInTurn !== true)
  const waiting = others
    .filter(({ attack }) => attack.waitS !== undefined)
    .toSorted((one, other) => waitOf(other) - waitOf(one))
  const busy = others.filter(({ attack }) => attack.waitS === undefined)
  await Promise.all([
    inLane(inTurn, 1, act),
    inLane(waiting, waitingPerProcessor * processors, act),
    inLane(busy, processors, act),
  ])
}

function waitOf({ attack }: { readonly attack: Attack }): number {
  return attack.waitS ?? 0
}

/** Each of them takes the next one when it has done one. */
async function inLane<T>(
  runs: readonly T[],
  width: number,
  act: (run: T) => Promise<void>,
): Promise<void> {
  const left = runs.values()
  const work = async (): Promise<void> => {
    for (const run of left) await act(run)
  }
  await Promise.all(Array.from({ length: width }, work))
}
