/**
 * For a process that is to be killed before the step of a number. A step is whatever outlives a process:
 * a file that is renamed or removed, a transaction.
 */

import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { Database } from '../../src/store/database.ts'

/** From now on; `last` 0: it lives. Gives the number of steps so far. */
export function countSteps(last: number): () => number {
  let steps = 0
  const countStep = (): void => {
    steps += 1
    if (steps === last) process.kill(process.pid, 'SIGKILL')
  }
  const countCalls = <T extends object>(target: T, name: keyof T & string): void => {
    const real = target[name] as unknown as (...args: unknown[]) => unknown
    Object.assign(target, {
      [name]: function counted(this: unknown, ...args: unknown[]): unknown {
        // A twin is nothing without its file.
        if (!args.some((arg) => typeof arg === 'string' && arg.endsWith('.gz'))) countStep()
        return real.apply(this, args)
      },
    })
  }
  countCalls(fs.promises, 'rename')
  countCalls(fs.promises, 'rm')
  countCalls(fs, 'renameSync')
  syncBuiltinESMExports()
  countCalls(Database.prototype, 'transaction')
  return () => steps
}
