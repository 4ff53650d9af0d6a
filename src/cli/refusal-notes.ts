/** Of what is refused, that which the operator mends with one line: said on standard error too. */

import type { Clock } from '../base/clock.ts'
import { isTufgateError } from '../base/errors.ts'
import { findTrustWords, type TrustKind } from '../base/trust-words.ts'
import type { Log } from './logger.ts'
import { OnceAMinute } from './once-a-minute.ts'
import { formatFailure } from './terminal.ts'

/** pip looks for itself now and then, whatever is installed: no news. */
const installer = 'pip'

export class RefusalNotes {
  readonly #log: Log
  readonly #limit: OnceAMinute

  constructor(log: Log, clock: Clock) {
    this.#log = log
    this.#limit = new OnceAMinute(clock)
  }

  /** With a mirror: the project is proven not to be signed. */
  noteAbsent(project: string, trust: TrustKind): void {
    if (!this.#limit.isDue(`absent ${project}`)) return
    this.#log(
      project === installer ? 'debug' : 'info',
      trust === 'first-use'
        ? findTrustWords(trust).absent(project)
        : `${project} is not in the signed list. On the mirror: tufgate mirror sync FOLDER --project ${project}`,
    )
  }

  /** Why a download failed; only a host that the settings do not name is for the operator. */
  noteFailedDownload(project: string, error: unknown): void {
    if (!isTufgateError(error) || error.code !== 'HOST_REFUSED') return
    if (!this.#limit.isDue(`host ${project}`)) return
    this.#log('warning', `${project}: ${formatFailure(error)}`)
  }
}
