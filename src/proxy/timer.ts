/** Waiting, as a port: tests move the time, nothing sleeps. */

/** Calls back once after `ms`, unless the function that it returns is called first. */
export type StartTimer = (ms: number, callback: () => void) => () => void

export const startSystemTimer: StartTimer = (ms, callback) => {
  const timer = setTimeout(callback, ms)
  return () => clearTimeout(timer)
}

export type Waited = 'done' | 'pending' | 'closed'

export interface WaitOptions {
  readonly done: Promise<void>
  readonly closed: Promise<void>
  readonly ms: number
  readonly startTimer: StartTimer
}

/** Which comes first; rejects as `done` does. */
export async function waitFor({ done, closed, ms, startTimer }: WaitOptions): Promise<Waited> {
  return new Promise((resolve, reject) => {
    const stopTimer = startTimer(ms, () => resolve('pending'))
    const settle = (waited: Waited): void => {
      stopTimer()
      resolve(waited)
    }
    closed.then(() => settle('closed'), reject)
    done.then(
      () => settle('done'),
      (error: unknown) => {
        stopTimer()
        reject(error)
      },
    )
  })
}
