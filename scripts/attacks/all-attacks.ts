import type { Attack } from './attack.ts'
import { wholeMatrix } from './keys/whole-matrix.ts'
import { allFailures } from './failures/all-failures.ts'
import { arbitrary } from './rows/a01-arbitrary.ts'
import { dependencies } from './rows/a07-dependencies.ts'

/** In the order of the table. */
export const allAttacks: readonly Attack[] = [
  ...arbitrary,
  ...dependencies,
  ...wholeMatrix,
  ...allFailures,
]
