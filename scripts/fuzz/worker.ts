/** The thread in which targets run: it may hang or run out of memory, and be ended from outside. */

import { parentPort, workerData } from 'node:worker_threads'
import { runTarget, type Budget } from './run-target.ts'
import { Slate } from './slate.ts'
import type { FuzzTarget } from './target.ts'

export interface Work {
  readonly names: readonly string[]
  readonly budget: Budget
  readonly slate: SharedArrayBuffer
  /** The module that exports `allTargets`. */
  readonly targets: string
}

const { names, budget, slate, targets } = workerData as Work
const { allTargets } = (await import(targets)) as { readonly allTargets: readonly FuzzTarget[] }
const shared = new Slate(slate)
for (const [place, name] of names.entries()) {
  const target = allTargets.find((one) => one.name === name)
  if (target === undefined) throw new Error(`there is no target ${name}`)
  shared.write(place, 0, new Uint8Array())
  // oxlint-disable-next-line no-await-in-loop -- one after the other, or none could be blamed
  const result = await runTarget(target, budget, (number, input) =>
    shared.write(place, number, input),
  )
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage(result)
}
