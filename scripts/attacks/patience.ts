/**
 * For how long somebody waits for pip. A busy machine is slow to start one, and to end one that has
 * said what is wrong: that time is not the attack's, and does not count.
 */

import type { ChildProcess } from 'node:child_process'

export interface Patience {
  /** It was over, and pip was ended. */
  readonly isOver: boolean
  end(): void
}

/** Until pip says its first word. */
const maxStartMs = 30_000

export function startPatience(child: ChildProcess, patienceMs: number): Patience {
  let isOver = false
  let timer: NodeJS.Timeout
  const start = (ms: number): void => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      isOver = true
      child.kill('SIGKILL')
    }, ms)
  }
  start(maxStartMs + patienceMs)
  child.stdout?.once('data', () => start(patienceMs))
  const listen = (text: string | Buffer): void => {
    if (!/^ERROR: /m.test(String(text))) return
    child.stderr?.off('data', listen)
    start(patienceMs)
  }
  child.stderr?.on('data', listen)
  return {
    get isOver() {
      return isOver
    },
    end: () => clearTimeout(timer),
  }
}
