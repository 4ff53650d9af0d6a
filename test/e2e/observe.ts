/** What tests expect of a proxy that they look at from outside. */

import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { runProgram } from '../support/program.ts'
import { hashVault } from '../support/proxy-witness.ts'
import type { TrialProxy } from './trial.ts'

/** Every file under the sha256 of its content; what was begun is kept or gone. */
export async function requireCleanVault({ folder }: Pick<TrialProxy, 'folder'>): Promise<void> {
  // A fetch goes on when the client that asked for it has left.
  await expect.poll(() => readdir(join(folder, 'vault/tmp')), { timeout: 20_000 }).toEqual([])
  await hashVault(folder)
}

/** As `audit show --json` prints it. */
export async function readLog(
  { state }: Pick<TrialProxy, 'state'>,
  ...filter: readonly string[]
): Promise<Record<string, unknown>[]> {
  const shown = await runProgram('audit', 'show', '--json', '--state-dir', state, ...filter)
  expect(shown).toMatchObject({ code: 0, stderr: '' })
  const lines = shown.stdout.split('\n').filter((line) => line !== '')
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}
