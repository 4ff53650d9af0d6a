/** vitest's asymmetric matchers with the type `unknown`: they are `any`, which the linter refuses. */

import { expect } from 'vitest'

export function containing(part: string): unknown {
  return expect.stringContaining(part)
}

export function matching(form: RegExp): unknown {
  return expect.stringMatching(form)
}

export function having(members: Readonly<Record<string, unknown>>): unknown {
  return expect.objectContaining(members)
}
