import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { atTerminal } from '../support/terminal.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tufgate-confirm-'))
  const place = resolve('src/cli/confirm.ts')
  await writeFile(
    join(folder, 'ask.ts'),
    `import { askYes } from ${JSON.stringify(place)}
process.stdout.write('<' + String(await askYes('Sign this?')) + '>')`,
  )
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test.each([
  ['y', 'y\\r', '<true>'],
  ['yes', 'YES\\r', '<true>'],
  ['nothing', '\\r', '<false>'],
  ['anything else', 'yess\\r', '<false>'],
  ['Ctrl-C', 'y\\x03', '<false>'],
  ['Ctrl-D', '\\x04', '<false>'],
])('%s is an answer, and no stack trace', (_what, typed, answer) => {
  const { stdout, status } = atTerminal([process.execPath, join(folder, 'ask.ts')], typed)
  expect(stdout).toContain(answer)
  expect(stdout).not.toContain('Abort')
  expect(status).toBe(0)
})
