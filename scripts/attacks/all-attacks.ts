import type { Attack } from './attack.ts'
import { wholeMatrix } from './keys/whole-matrix.ts'
import { arbitrary } from './rows/a01-arbitrary.ts'

/** In the order of the table. */
export const allAttacks: readonly Attack[] = [...arbitrary, ...wholeMatrix]
