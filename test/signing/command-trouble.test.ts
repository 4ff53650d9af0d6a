import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openSigner } from '../../src/signing/open-signer.ts'
import { refusalOf } from '../support/expect-refusal.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tufgate-command-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

describe('a signing command', () => {
  test('cannot be started because too many files are open, and no more than that fails', async () => {
    const script = join(folder, 'starve.ts')
    const place = JSON.stringify(resolve('src/signing/run-command.ts'))
    await writeFile(
      script,
      `import { openSync } from 'node:fs'
import { runCommand } from ${place}
const line = { program: 'true', parameters: [], folder: '/', environment: {}, timeLimitMs: 1000 }
await runCommand({ ...line, environment: { PATH: process.env.PATH ?? '' } }, new Uint8Array())
try { for (;;) openSync('/dev/null') } catch {}
const failure = await runCommand(line, new Uint8Array()).catch((error: Error) => error)
console.log(failure instanceof Error ? failure.message : 'started')`,
    )
    const limited = `ulimit -n 64; exec ${process.execPath} ${script}`
    const { stdout, stderr } = spawnSync('sh', ['-c', limited], { encoding: 'utf8' })
    expect(stdout, stderr).toContain('The signing command true cannot be started (EMFILE)')
  })
})

describe('a PIN in a signer file that is not right is not in the message:', () => {
  test.each([
    ['a comma is missing', '{"public-key": "K.pub", "exec": ["pkcs11-tool", "--pin" 987654]}'],
    ['it is a number', '{"public-key": "K.pub", "exec": ["pkcs11-tool", "--pin", 987654]}'],
    ['it is all there is', '987654'],
    ['it is text, and all there is', 'pin987654'],
  ])('%s', async (_what, text) => {
    const path = join(folder, 'token.signer')
    await writeFile(path, text, { mode: 0o600 })
    const refusal = await refusalOf(() => openSigner(path))
    expect(refusal).toMatchObject({ code: 'KEY_INVALID' })
    expect(`${refusal.message} ${JSON.stringify(refusal.facts)}`).not.toContain('987654')
  })
})
