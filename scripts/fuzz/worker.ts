/** The thread in which targets run: it may hang or run out of memory, and be ended from outside. */

import { parentPort, workerData } from 'node:worker_threads'
import { requireTargets } from './all-targets.ts'
import { runTarget, type Budget } from './run-target.ts'
import { Slate } from './slate.ts'

export interface Work {
  readonly names: readonly string[]
  readonly budget: Budget
  readonly slate: SharedArrayBuffer
}

const { names, budget, slate } = workerData as Work
const shared = new Slate(slate)
for (const [place, target] of requireTargets(names).entries()) {
  shared.write(place, 0, new Uint8Array())
  // oxlint-disable-next-line no-await-in-loop -- one after the other, or none could be blamed
  const result = await runTarget(target, budget, (number, input) =>
    shared.write(place, number, input),
  )
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage(result)
}
