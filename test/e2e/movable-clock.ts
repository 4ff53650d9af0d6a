/** What a clock that is wrong or moves looks like to one process (see `shifted-clock.ts`). */

import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { writeWhole } from '../support/write-whole.ts'

export interface MovableClock {
  /** Off by so many ms, from now on. */
  set(ms: number): Promise<void>
  /** For the process. */
  readonly environment: Readonly<Record<string, string>>
}

/** A file of that name in the folder holds by how much it is off. */
export async function createMovableClock(
  folder: string,
  name: string,
  shiftMs: number,
): Promise<MovableClock> {
  const path = join(folder, `${name}.clock`)
  const set = (ms: number): Promise<void> => writeWhole(path, String(ms))
  await set(shiftMs)
  const preload = pathToFileURL(join(import.meta.dirname, 'shifted-clock.ts')).href
  return { set, environment: { NODE_OPTIONS: `--import=${preload}`, TUFGATE_TEST_CLOCK: path } }
}
