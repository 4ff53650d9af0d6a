/** That nothing passes the watch over the process of the fuzzer: each kind of fault, planted, is found. */

import { expect, test } from 'vitest'
import type { TargetResult } from '../../scripts/fuzz/finding.ts'
import { supervise } from '../../scripts/fuzz/supervise.ts'
import { allTargets } from './planted-targets.ts'

const watch = {
  targets: new URL('planted-targets.ts', import.meta.url),
  hangMs: 1500,
  maxHeapMb: 60,
  maxResidentMb: 700,
}

test('finds each planted fault, names its input, and goes on with the next target', async () => {
  const results: TargetResult[] = []
  const names = allTargets.map(({ name }) => name)
  const budget = { seed: 1, seconds: 20, maxInputs: 300 }
  await supervise(names, budget, (result) => void results.push(result), watch)
  const found = results.map(({ target, findings: [first] }) => [
    target,
    first?.kind,
    first?.message.replaceAll('\n', ' '),
  ])
  expect(found).toEqual([
    ['loops', 'hang', 'no answer after 1500 ms'],
    ['waits', 'hang', 'never answers, and waits for nothing'],
    ['waits-busily', 'hang', 'no answer after 1500 ms'],
    ['grows', 'memory', 'took more than 60 MB'],
    ['grows-outside', 'memory', 'the process took more than 700 MB'],
    ['passes-a-peak', 'memory', expect.stringMatching(/^took more than \d+ bytes$/)],
    ['throws-later', 'exception', expect.stringContaining('thrown where nobody listens')],
    ['is-sound', undefined, undefined],
  ])
  for (const { findings } of results.slice(0, -1)) {
    const input = Buffer.from(findings[0]?.inputBase64 ?? '', 'base64')
    expect(input.includes('__proto__')).toBe(true)
  }
})
