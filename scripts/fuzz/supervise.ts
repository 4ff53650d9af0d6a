/**
 * Runs targets in a thread of their own, and ends it where one input takes for ever or takes all
 * memory: that input is a finding, and the next target gets a new thread.
 */

import { Worker } from 'node:worker_threads'
import type { Finding, TargetResult } from './finding.ts'
import { showInput, type Budget } from './run-target.ts'
import { Slate } from './slate.ts'
import type { Work } from './worker.ts'

/** Of the wall, on a machine that may be busy; slow ones are told by processor time long before. */
const hangMs = 30_000
const lookEveryMs = 500
const maxHeapMb = 400

export async function supervise(
  names: readonly string[],
  budget: Budget,
  take: (result: TargetResult) => void,
): Promise<void> {
  let left = names
  while (left.length > 0) {
    const slate = new Slate()
    let done = 0
    // oxlint-disable-next-line no-await-in-loop -- one thread after the other
    const end = await runThread({ names: left, budget, slate: slate.buffer }, slate, (result) => {
      done += 1
      take(result)
    })
    if (end !== undefined) take(describeEnd(left[done] ?? '', budget, slate, end))
    left = left.slice(end === undefined ? left.length : done + 1)
  }
}

type End = Pick<Finding, 'kind' | 'message'>

/** `undefined` where all of it was done. */
async function runThread(
  work: Work,
  slate: Slate,
  take: (result: TargetResult) => void,
): Promise<End | undefined> {
  const worker = new Worker(new URL('worker.ts', import.meta.url), {
    workerData: work,
    resourceLimits: { maxOldGenerationSizeMb: maxHeapMb },
  })
  worker.on('message', take)
  const { promise, resolve } = Promise.withResolvers<End | undefined>()
  const watch = watchBeat(slate, () =>
    resolve({ kind: 'hang', message: `no answer after ${hangMs} ms` }),
  )
  worker.once('error', (error: Error) => resolve(describeError(error)))
  worker.once('exit', () => resolve(undefined))
  try {
    return await promise
  } finally {
    clearInterval(watch)
    await worker.terminate()
  }
}

function watchBeat(slate: Slate, report: () => void): NodeJS.Timeout {
  let last = slate.read().beat
  let since = performance.now()
  return setInterval(() => {
    const { beat } = slate.read()
    if (beat !== last) {
      last = beat
      since = performance.now()
    } else if (performance.now() - since > hangMs) report()
  }, lookEveryMs)
}

function describeError(error: Error & { code?: string }): End {
  return error.code === 'ERR_WORKER_OUT_OF_MEMORY'
    ? { kind: 'memory', message: `took more than ${maxHeapMb} MB` }
    : { kind: 'exception', message: `outside of the parser: ${error.stack ?? error.message}` }
}

function describeEnd(target: string, { seed }: Budget, slate: Slate, end: End): TargetResult {
  const { number, input } = slate.read()
  const finding = { target, ...end, seed, number, ...showInput(input) }
  return { target, inputs: number + 1, seconds: 0, findings: [finding], counts: {} }
}
