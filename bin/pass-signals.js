// Hands the signals that a wrapper gets on to the program that it runs.

/**
 * A terminal sends Ctrl-C to the whole group, and so the child gets it twice at once: `tufgate serve`
 * takes what comes within a second for one. A signal that was sent to the wrapper alone must arrive.
 * @param {import('node:child_process').ChildProcess} child
 */
export function passSignals(child) {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => child.kill(signal))
  }
}
