/** A notary's mirror made ready at the start: what a crash left is mended, what is due is signed again. */

import { isTufgateError } from '../base/errors.ts'
import { formatUtcSeconds, type Clock } from '../base/clock.ts'
import { catchUp } from '../mirror/catch-up.ts'
import { chooseIndex, type ChosenIndex } from '../mirror/index-choice.ts'
import type { IndexPort } from '../mirror/index-port.ts'
import { openOnlineSigners, type OnlineSigners } from '../mirror/online-signers.ts'
import type { Mirror } from '../mirror/open-mirror.ts'
import { publishMirror } from '../mirror/publish.ts'
import type { MirrorEvent } from '../mirror/report.ts'
import { renewOfflineRoles } from './renew-offline.ts'
import { adviseOnClock } from './restate-failure.ts'

export interface PreparedMirror {
  readonly signers: OnlineSigners
  readonly chosen: ChosenIndex
}

export interface PrepareOptions {
  readonly url: string
  readonly index: IndexPort
  readonly clock: Clock
}

/** Under the lock. Throws StorageError and ConfigError where something of it is lost. */
export async function prepareMirror(
  mirror: Mirror,
  { index, url, clock }: PrepareOptions,
): Promise<PreparedMirror> {
  await catchUp({ ...mirror, report: (event) => tellRecovery(mirror, event) })
  const signers = await openOnlineSigners(mirror)
  const choice = { index: url, fileHosts: index.fileHosts }
  const chosen = await chooseIndex(mirror, choice, () => Promise.resolve(index))
  chosen.remember()
  try {
    await renewOfflineRoles(mirror, clock())
    await publishMirror(mirror, signers, { now: clock(), isTimestampDue: false })
  } catch (error) {
    // With a clock that is behind nothing can be signed; what is there may still be served.
    if (!isTufgateError(error) || error.code !== 'CLOCK_WRONG') throw error
    const message = `The clock says ${formatUtcSeconds(clock())}, which is before what was written down last: nothing new is kept`
    mirror.report({ kind: 'warning', message, next: adviseOnClock(url) })
  }
  return { signers, chosen }
}

/** In words of first use. */
function tellRecovery({ directory, report }: Mirror, event: MirrorEvent): void {
  if (event.kind !== 'warning') return
  report({
    kind: 'warning',
    message: `${directory}: what was written down last was lost, as by a power cut or with a backup`,
    next: 'It is taken over from the records, as far as they go.',
  })
}
