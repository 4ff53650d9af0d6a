/** The process in which targets run: it may hang or run out of memory, and be ended from outside. */

import { runTarget, type Budget } from './run-target.ts'
import { Slate } from './slate.ts'
import type { FuzzTarget } from './target.ts'

export interface Work {
  readonly names: readonly string[]
  readonly budget: Omit<Budget, 'maxInputs'> & { readonly maxInputs: number | null }
  /** Where it says what is under way. */
  readonly slatePath: string
  /** The module that exports `allTargets`. */
  readonly targets: string
}

// Whoever looks after it is gone.
process.once('disconnect', () => process.exit(1))
// To listen for that is no reason to stay.
process.channel?.unref()

/** JSON has no infinity. */
const { names, budget, slatePath, targets } = JSON.parse(process.argv[2] ?? '') as Work
const { allTargets } = (await import(targets)) as { readonly allTargets: readonly FuzzTarget[] }
const slate = new Slate(slatePath)
for (const [place, name] of names.entries()) {
  const target = allTargets.find((one) => one.name === name)
  if (target === undefined) throw new Error(`there is no target ${name}`)
  slate.write(place, 0, new Uint8Array())
  // oxlint-disable-next-line no-await-in-loop -- one after the other, or none could be blamed
  const result = await runTarget(
    target,
    { ...budget, maxInputs: budget.maxInputs ?? Infinity },
    (number, input) => slate.write(place, number, input),
  )
  process.send?.(result)
}
slate.close()
process.removeAllListeners('disconnect')
process.disconnect()
