/** Time that passes when a test says so: timers are fired by their length. */

import type { StartTimer } from '../../src/proxy/timer.ts'

interface Pending {
  readonly ms: number
  readonly callback: () => void
}

export class ManualTimers {
  readonly #pending = new Set<Pending>()
  #watchers: (() => void)[] = []

  readonly start: StartTimer = (ms, callback) => {
    const timer = { ms, callback }
    this.#pending.add(timer)
    for (const notify of this.#watchers.splice(0)) notify()
    return () => void this.#pending.delete(timer)
  }

  /** Waits until something waits for `ms`, then lets that time pass for it. */
  async fire(ms: number): Promise<void> {
    for (;;) {
      const due = [...this.#pending].filter((timer) => timer.ms === ms)
      if (due.length > 0) {
        for (const timer of due) {
          this.#pending.delete(timer)
          timer.callback()
        }
        return
      }
      // oxlint-disable-next-line no-await-in-loop -- one event after the other
      await this.changed()
    }
  }

  /** Waits until something waits for `ms`. */
  async waitFor(ms: number): Promise<void> {
    // oxlint-disable-next-line no-await-in-loop -- one event after the other
    while (![...this.#pending].some((timer) => timer.ms === ms)) await this.changed()
  }

  async changed(): Promise<void> {
    return new Promise((resolve) => void this.#watchers.push(resolve))
  }
}
