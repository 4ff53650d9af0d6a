/** Addresses in the text of a lock file, and what becomes of them: nothing else of the text changes. */

import type { AddressKind } from './rewrite-lock-url.ts'

/** An address that may be one of ours, and where it stands. */
export interface Place {
  readonly start: number
  readonly end: number
  readonly kind: AddressKind
  /** Normalized, where the file says whose it is. */
  readonly project: string | undefined
}

export interface Edit {
  readonly start: number
  readonly end: number
  readonly before: string
  readonly after: string
}

/** In order, and apart from each other. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  const parts: string[] = []
  let at = 0
  for (const { start, end, after } of edits) {
    parts.push(text.slice(at, start), after)
    at = end
  }
  return [...parts, text.slice(at)].join('')
}
