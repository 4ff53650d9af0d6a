// Hands the signals that a wrapper gets on to the program that it runs.

/**
 * Starts the program. Listens first: a signal that came in between would end the wrapper alone.
 *
 * A terminal sends Ctrl-C to the whole group, and so the child gets it twice at once: `tufgate serve`
 * takes what comes within a second for one. A signal that was sent to the wrapper alone must arrive.
 * @param {() => import('node:child_process').ChildProcess} start
 */
export function startPassingSignals(start) {
  let child
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    // Runs in the event loop, where the child is there.
    process.on(signal, () => child.kill(signal))
  }
  child = start()
  return child
}
