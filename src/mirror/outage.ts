/** An index that does not answer: told once when it begins and once when it ends, not at each sync. */

import type { Json } from '../base/canonical-json.ts'
import { formatUtcSeconds } from '../base/clock.ts'
import type { Mirror } from './open-mirror.ts'
import { settings } from './settings.ts'

/** `index`: its name, without credentials. */
export function noteOutage(mirror: Mirror, index: string, now: number): void {
  if ((mirror.settings.find(settings.unreachableSince) ?? 0) > 0) return
  mirror.ledger.database.transaction(() => {
    mirror.settings.put(settings.unreachableSince, now)
    mirror.journal.append([{ kind: 'index-unreachable', detail: nameIndex(index) }], now)
  })
}

export function noteReturn(mirror: Mirror, index: string, now: number): void {
  const since = mirror.settings.find(settings.unreachableSince) ?? 0
  if (since === 0) return
  mirror.ledger.database.transaction(() => {
    mirror.settings.put(settings.unreachableSince, 0)
    const detail = {
      ...nameIndex(index),
      since: formatUtcSeconds(since),
      until: formatUtcSeconds(now),
    }
    mirror.journal.append([{ kind: 'index-reachable', detail }], now)
  })
}

/** The journal is published: a path of this machine is nobody's business. */
function nameIndex(index: string): Record<string, Json> {
  return /^https?:/.test(index) ? { index } : {}
}
