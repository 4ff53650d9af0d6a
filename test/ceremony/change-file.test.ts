import { describe, test } from 'vitest'
import { encodeUtf8 } from '../../src/base/bytes.ts'
import { parseChange } from '../../src/ceremony/change-file.ts'
import { expectRefusal } from '../support/expect-refusal.ts'

describe('what is no change file', () => {
  const cases: [string, string][] = [
    ['nothing', ''],
    ['another file', '{"signed":{},"signatures":[]}'],
    ['a list', '[]'],
    ['another version', '{"type":"tufgate-root-change","version":2}'],
    [
      'no roots',
      '{"type":"tufgate-root-change","version":1,"roots":[],"previous":{},"documents":{}}',
    ],
    ['a member twice', '{"type":"tufgate-root-change","type":"tufgate-root-change","version":1}'],
    [
      'an online role',
      '{"type":"tufgate-root-change","version":1,"roots":[{"signed":{},"signatures":[]}],"previous":{},"documents":{"snapshot":{"signed":{},"signatures":[]}}}',
    ],
    ['nesting without end', '['.repeat(100_000)],
  ]

  test.each(cases)('%s', async (_what, text) => {
    await expectRefusal(
      () => parseChange(encodeUtf8(text), 'x.json'),
      'CONFIG_INVALID',
      'x.json is not a change file',
    )
  })
})
