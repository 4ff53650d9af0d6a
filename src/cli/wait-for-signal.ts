/** Ctrl-C and what a supervisor sends: the first asks a long-lived command to end, the second makes it. */

/** Ctrl-C reaches a process twice where npm passes it on; a second one counts when a person can mean it. */
const impatienceMs = 1000

/** A second signal, later, ends the process the hard way. */
export function waitForSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let firstAt: number | undefined
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        if (firstAt !== undefined && performance.now() - firstAt > impatienceMs) process.exit(1)
        firstAt ??= performance.now()
        resolve(signal)
      })
    }
  })
}
