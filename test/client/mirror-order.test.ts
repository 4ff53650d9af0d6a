import { expect, test } from 'vitest'
import { UpstreamError, VerifyError, type TufgateError } from '../../src/base/errors.ts'
import { MirrorOrder } from '../../src/client/mirror-order.ts'
import type { RepositorySource } from '../../src/client/repository-source.ts'

const sources = ['a', 'b', 'c'].map((name): RepositorySource => ({
  name,
  fetchMetadata: async () => 'absent',
  fetchTarget: async () => undefined,
}))
let now = 1_000_000
const order = (): MirrorOrder => new MirrorOrder(sources, () => now)
const names = (mirrors: MirrorOrder): string[] => Array.from(mirrors, ({ name }) => name)
const fail = (mirrors: MirrorOrder, source: string, error: TufgateError): void =>
  mirrors.noteFailure({ source, error })

test('mirrors come in the order of the settings', () => {
  expect(names(order())).toEqual(['a', 'b', 'c'])
})

test.each(['TIMED_OUT', 'TOO_SLOW', 'UNREACHABLE'] as const)(
  'one that cost time (%s) comes last for a minute',
  (code) => {
    const mirrors = order()
    fail(mirrors, 'a', new UpstreamError(code, 'no answer'))
    expect(names(mirrors)).toEqual(['b', 'c', 'a'])
    now += 59_999
    expect(names(mirrors)).toEqual(['b', 'c', 'a'])
    now += 1
    expect(names(mirrors)).toEqual(['a', 'b', 'c'])
  },
)

test('one that answered at once keeps its place, whatever the answer was', () => {
  const mirrors = order()
  fail(mirrors, 'a', new UpstreamError('METADATA_UNAVAILABLE', 'not there'))
  fail(mirrors, 'b', new VerifyError('DIGEST_MISMATCH', 'another file'))
  expect(names(mirrors)).toEqual(['a', 'b', 'c'])
})

test('where all are slow their order is that of the settings, and a clock that goes back forgets', () => {
  const mirrors = order()
  for (const name of ['c', 'a', 'b']) fail(mirrors, name, new UpstreamError('TIMED_OUT', 'none'))
  expect(names(mirrors)).toEqual(['a', 'b', 'c'])
  const other = order()
  fail(other, 'a', new UpstreamError('TIMED_OUT', 'none'))
  now -= 3_600_000
  expect(names(other)).toEqual(['a', 'b', 'c'])
})
