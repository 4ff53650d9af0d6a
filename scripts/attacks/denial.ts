/** Whoever gets nothing although he asks for something honest was harmed: refusing is no answer there. */

import type { Observed } from './attack.ts'

export function tellDenial(observed: Observed): Observed {
  if (observed.harm !== undefined || observed.happened !== 'nothing installed') return observed
  return { ...observed, harm: 'DENIED: nothing installed' }
}
