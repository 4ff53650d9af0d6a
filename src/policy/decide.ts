/** What the operator's policy says of one file and of a page. Pure: facts and time in, a value out. */

import type { DecisionCode } from '../base/errors.ts'
import type { ProjectRecord, RecordFile } from '../simple/record.ts'
import type { DenyRule } from './deny-rule.ts'

export interface Policy {
  readonly deny: readonly DenyRule[]
  /** 0: no minimum. */
  readonly minAgeMs: number
  /** Normalized project names to which the minimum age does not apply. */
  readonly minAgeExcept: readonly string[]
  readonly showHidden: boolean
}

export interface Ruling {
  readonly kind: 'hide' | 'refuse'
  readonly code: DecisionCode
  /** One sentence, the same at any time of asking. */
  readonly reason: string
  /** ms: when the ruling may change. */
  readonly until?: number
}

export type Decision = { readonly kind: 'keep' } | Ruling

export function decideFile(
  policy: Policy,
  project: string,
  file: RecordFile,
  now: number,
): Decision {
  throw new Error(`not built: ${policy.minAgeMs} ${project} ${file.filename} ${now}`)
}

export interface PageDecision {
  /** The files that are not kept. */
  readonly rulings: ReadonlyMap<RecordFile, Ruling>
  /** ms: the earliest time at which the outcome may change. */
  readonly until?: number
  /** The same text for the same rulings on the same record: half of the key of a rendered page. */
  readonly outcome: string
}

export function decidePage(record: ProjectRecord, policy: Policy, now: number): PageDecision {
  throw new Error(`not built: ${record.name} ${policy.minAgeMs} ${now}`)
}
