/** Failures that are not attacks, in the order of the table. */

import type { Attack } from '../attack.ts'
import { networkFailures } from './network.ts'

export const allFailures: readonly Attack[] = [...networkFailures]
