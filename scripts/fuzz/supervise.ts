/**
 * Runs targets in a thread of their own, and ends it where one input takes for ever, never comes back
 * or takes all memory: that input is a finding, and the next target gets a new thread.
 */

import { Worker } from 'node:worker_threads'
import type { Finding, TargetResult } from './finding.ts'
import { showInput, type Budget } from './run-target.ts'
import { Slate } from './slate.ts'
import type { Work } from './worker.ts'

const lookEveryMs = 250

export interface Watch {
  /** The module that exports `allTargets`. */
  readonly targets: URL
  /** Of the wall, on a machine that may be busy; slow ones are told by processor time long before. */
  readonly hangMs: number
  readonly maxHeapMb: number
  /** More of the whole process than at the start of a thread: what lies outside of the heap counts too. */
  readonly maxGrowthMb: number
}

export const usualWatch: Watch = {
  targets: new URL('all-targets.ts', import.meta.url),
  hangMs: 30_000,
  maxHeapMb: 400,
  maxGrowthMb: 1000,
}

export async function supervise(
  names: readonly string[],
  budget: Budget,
  take: (result: TargetResult) => void,
  watch: Watch = usualWatch,
): Promise<void> {
  let left = names
  while (left.length > 0) {
    const slate = new Slate()
    let done = 0
    const work = { names: left, budget, slate: slate.buffer, targets: watch.targets.href }
    // oxlint-disable-next-line no-await-in-loop -- one thread after the other
    const end = await runThread(work, watch, (result) => {
      done += 1
      take(result)
    })
    if (done === left.length) return
    // Without a word: nothing was left that could have woken it.
    take(describeEnd(left[done] ?? '', budget, slate, end ?? neverAnswered))
    left = left.slice(done + 1)
  }
}

type End = Pick<Finding, 'kind' | 'message'>

const neverAnswered: End = { kind: 'hang', message: 'never answers, and waits for nothing' }

/** `undefined` where the thread ended by itself. */
async function runThread(
  work: Work,
  watch: Watch,
  take: (result: TargetResult) => void,
): Promise<End | undefined> {
  const worker = new Worker(new URL('worker.ts', import.meta.url), {
    workerData: work,
    resourceLimits: { maxOldGenerationSizeMb: watch.maxHeapMb },
  })
  worker.on('message', take)
  const { promise, resolve } = Promise.withResolvers<End | undefined>()
  const timer = watchThread(new Slate(work.slate), watch, resolve)
  worker.once('error', (error: Error) => resolve(describeError(error, watch)))
  worker.once('exit', () => resolve(undefined))
  try {
    return await promise
  } finally {
    clearInterval(timer)
    await worker.terminate()
  }
}

function watchThread(
  slate: Slate,
  { hangMs, maxGrowthMb }: Watch,
  report: (end: End) => void,
): NodeJS.Timeout {
  let last = slate.read().beat
  let since = performance.now()
  const residentBytes = process.memoryUsage.rss()
  return setInterval(() => {
    const { beat } = slate.read()
    if (process.memoryUsage.rss() - residentBytes > maxGrowthMb * 1e6) {
      report({ kind: 'memory', message: `the process took more than ${maxGrowthMb} MB` })
    } else if (beat !== last) {
      last = beat
      since = performance.now()
    } else if (performance.now() - since > hangMs) {
      report({ kind: 'hang', message: `no answer after ${hangMs} ms` })
    }
  }, lookEveryMs)
}

function describeError(error: Error & { code?: string }, { maxHeapMb }: Watch): End {
  return error.code === 'ERR_WORKER_OUT_OF_MEMORY'
    ? { kind: 'memory', message: `took more than ${maxHeapMb} MB` }
    : { kind: 'exception', message: `outside of the parser: ${error.stack ?? error.message}` }
}

function describeEnd(target: string, { seed }: Budget, slate: Slate, end: End): TargetResult {
  const { number, input } = slate.read()
  const finding = { target, ...end, seed, number, ...showInput(input) }
  return { target, inputs: number + 1, seconds: 0, findings: [finding], counts: {} }
}
