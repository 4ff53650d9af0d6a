/** What the status page and the metrics tell of the rest of the program: values, as they are now. */

import type { LoggedEvent } from '../explain/explanation.ts'
import type { TrustKind } from '../base/trust-words.ts'
import type { DurationCounts } from './durations.ts'

export interface RoleState {
  readonly role: 'root' | 'timestamp' | 'snapshot' | 'targets'
  readonly version: number
  /** ms */
  readonly expires: number
}

export interface IndexState {
  /** From the settings. */
  readonly name: string
  readonly url: string
  readonly trustKind: TrustKind
  /** Those that there are. */
  readonly roles: readonly RoleState[]
  /** ms: when whoever looks at the index last saw it. */
  readonly indexSeenAt?: number
}

export interface ProxyState {
  readonly version: string
  /** ms */
  readonly startedAt: number
  readonly indexes: readonly IndexState[]
  readonly vault: { readonly bytes: number; readonly maxBytes: number }
  /** `head`: `CHAIN:SEQ:DIGEST`. `folder`: for those who may know. */
  readonly audit: { readonly folder?: string; readonly head: string }
  /** Of files from their hosts. */
  readonly fetches: DurationCounts
}

/** `partly`: older parts of the log were not looked at. `busy`: nothing was, others have just asked. */
export interface EntryLookup {
  readonly entries: readonly LoggedEvent[]
  readonly searched: 'whole' | 'partly' | 'busy'
}
