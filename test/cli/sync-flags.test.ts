import { describe, expect, test } from 'vitest'
import { requireContact, requireParallel } from '../../src/cli/mirror/sync-flags.ts'
import { buildUserAgent } from '../../src/cli/version.ts'
import { caught } from '../support/caught.ts'

describe('flags of a sync', () => {
  test.each(['1', '8', '64'])('--parallel %s is possible', (raw) => {
    expect(requireParallel(raw)).toBe(Number(raw))
  })

  test.each(['0', '65', '1e1', '-1', '', 'many', '8 '])('--parallel %j is not', (raw) => {
    expect(caught(() => requireParallel(raw))).toMatchObject({
      code: 'CONFIG_INVALID',
      message: `--parallel ${raw} is not possible.`,
    })
  })

  test.each(['ops@example.org', 'https://example.org/mirror?x=1'])('--contact %s', (raw) => {
    expect(buildUserAgent('signing mirror', requireContact(raw))).toMatch(
      /^tufgate\/\S+ \(signing mirror; \S+\)$/,
    )
  })

  test.each(['a (b)', 'a b', 'a\r\nx: y', 'ä@example.org', '', 'a\\b'])(
    '--contact %j would end or bend the header',
    (raw) => {
      expect(caught(() => requireContact(raw))).toMatchObject({ code: 'CONFIG_INVALID' })
    },
  )
})
