/** A folder that all test files of one run share, for what takes long to make and is never changed; gone with the run. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The variable that names it. */
export const sharedFolder = 'TUFGATE_TEST_SHARED'

/** Called by vitest before it starts workers, which inherit the variable. */
export async function setup(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'tufgate-shared-'))
  process.env[sharedFolder] = folder
  return () => rm(folder, { recursive: true, force: true })
}
