/** Failures that are not attacks, in the order of the table. */

import type { Attack } from '../attack.ts'
import { clockFailures } from './clock.ts'
import { diskFailures, logFailures } from './disk.ts'
import { kills } from './kill.ts'
import { networkFailures, resolverFailure } from './network.ts'
import { passwords, portTaken, sharedState } from './start.ts'
import { stateFailures } from './state.ts'

export const allFailures: readonly Attack[] = [
  ...diskFailures,
  ...stateFailures,
  ...clockFailures,
  ...networkFailures,
  ...kills,
  portTaken,
  ...logFailures,
  sharedState,
  resolverFailure,
  ...passwords,
]
