/** What goes wrong on our side while a command runs: it is never told as success, and nothing goes on behind it. */

import type { Log } from '../logger.ts'
import { noteLine } from './run-notes.ts'
import { sayFailure } from '../terminal.ts'
import type { WrappedCommand } from './wrapped-command.ts'

export class RunFaults {
  /** An error in it is one of them. */
  readonly log: Log
  #hasFailed = false

  constructor(log: Log) {
    this.log = (level, message) => {
      if (level === 'error') this.note()
      log(level, message)
    }
  }

  get hasFailed(): boolean {
    return this.#hasFailed
  }

  note(): void {
    this.#hasFailed = true
  }

  tell(problem: string): void {
    this.note()
    for (const line of problem.split('\n')) noteLine(line)
  }

  /** What fails is said, and the rest goes on. */
  async attempt<T>(act: () => Promise<T>): Promise<T | undefined> {
    try {
      return await act()
    } catch (error) {
      this.note()
      sayFailure(error)
      return undefined
    }
  }

  /** Behind a proxy that has lost its way nothing goes on. */
  endWith(wrapped: WrappedCommand): void {
    process.on('uncaughtException', (error) => {
      this.note()
      sayFailure(error)
      wrapped.kill()
    })
  }
}
