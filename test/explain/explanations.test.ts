import { describe, expect, test } from 'vitest'
import { explanations, findExplanation } from '../../src/explain/find-explanation.ts'
import type { CodeExplanation } from '../../src/explain/code-explanation.ts'

const codes = Object.keys(explanations)

function textsOf({ rule, meaning, next }: CodeExplanation): string[] {
  const steps = [...next.user, ...next.operator]
  return [rule, ...meaning, ...steps.flatMap(({ text, command = '' }) => [text, command])]
}

describe.each(codes)('%s', (code) => {
  test.each(['signed', 'first-use'] as const)(
    'has a rule, a meaning and a step for both (%s)',
    (kind) => {
      const { rule, meaning, next } = findExplanation(code, kind)
      expect(rule).toMatch(/^[A-Z].*\.$/)
      expect(meaning.length).toBeGreaterThan(0)
      expect(next.user.length).toBeGreaterThan(0)
      expect(next.operator.length).toBeGreaterThan(0)
    },
  )

  test('is short and plain enough to be read by somebody who is tired', () => {
    for (const text of textsOf(findExplanation(code))) {
      expect(text.length, text).toBeLessThanOrEqual(190)
      expect(text, 'printable on every terminal').toMatch(/^[\x20-\x7e]*$/)
      expect(text).not.toMatch(/\b(?:delegation|metadata role|threshold|target path|TUF)\b/i)
    }
  })

  test('never says "signed" or "verified" of what was only seen first', () => {
    for (const text of textsOf(findExplanation(code, 'first-use'))) {
      // The name of a command that checks the log.
      const words = text.replace('tufgate audit verify', '')
      expect(words).not.toMatch(/\b(?:un)?(?:signed|signature|signatures|verified|verify)\b/i)
    }
  })
})

test('takes what is not in the table for a fault of the program', () => {
  expect(findExplanation('BUG').rule).toContain('nobody foresaw')
  expect(findExplanation('constructor').rule).toContain('nobody foresaw')
  expect(findExplanation('__proto__').rule).toContain('nobody foresaw')
})
