/** The table of stolen keys that people read is the one that the program computes. */

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { buildTheftTable, tableBegin, tableEnd } from '../../scripts/attacks/keys/theft-table.ts'

test('SECURITY.md prints what audit-keys says of a mirror as init makes it', async () => {
  const text = readFileSync('SECURITY.md', 'utf8')
  const [, rest = ''] = text.split(`${tableBegin}\n`)
  const [printed] = rest.split(`\n${tableEnd}\n`)
  expect(printed).toBe(await buildTheftTable())
})
