/** The network of one process, which can be switched off (see `broken-network.ts`). */

import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { writeWhole } from '../support/write-whole.ts'

export interface SwitchedNetwork {
  /** `resolver`: names do not resolve; `down`: nothing can be reached. */
  set(state: 'up' | 'resolver' | 'down'): Promise<void>
  /** For the process. */
  readonly environment: Readonly<Record<string, string>>
}

export async function createSwitchedNetwork(folder: string): Promise<SwitchedNetwork> {
  const path = join(folder, 'network')
  const set: SwitchedNetwork['set'] = (state) => writeWhole(path, state)
  await set('up')
  const preload = pathToFileURL(join(import.meta.dirname, 'broken-network.ts')).href
  return { set, environment: { NODE_OPTIONS: `--import=${preload}`, TUFGATE_TEST_NETWORK: path } }
}
