/** kill -9 at a moment of the test's choice. */

import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SpawnedProgram } from '../support/program.ts'

/**
 * Once `moment` has come, `delayMs` later. Resolves when the process is gone: whether it was still
 * alive when it was killed.
 */
export async function killAfter(
  child: SpawnedProgram,
  moment: Promise<void>,
  delayMs: number,
): Promise<boolean> {
  child.stdout.resume()
  child.stderr.resume()
  const exited = once(child, 'exit')
  await Promise.race([moment, exited])
  await Promise.race([sleep(delayMs), exited])
  child.kill('SIGKILL')
  await exited
  return child.signalCode === 'SIGKILL'
}
