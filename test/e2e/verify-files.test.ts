/** `tufgate verify FILE`: wheels on disk against the signed records. */

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasPip, warnWithoutPip } from '../support/pip.ts'
import { runProgram } from '../support/program.ts'
import { plain, startInstalledTrial, whole, type InstalledTrial } from './installed-trial.ts'

warnWithoutPip()

let installed: InstalledTrial

describe.runIf(hasPip)('a file', () => {
  beforeAll(async () => {
    installed = await startInstalledTrial()
  }, 120_000)

  afterAll(async () => {
    await installed.close()
  })

  test('that is in the record is verified, traced to the pinned root', async () => {
    const path = await keep(whole.filename, whole.bytes)
    const done = await installed.verify(path)
    expect(done).toMatchObject({ code: 0, stderr: '' })
    expect(done.stdout).toContain(`${path}: verified`)
    expect(done.stdout).toMatch(/record sha256 [0-9a-f]{64}, role bins-\w+, root 1, timestamp \d+/)
    expect(done.stdout).toMatch(/pinned root sha256 [0-9a-f]{64}/)
  })

  test('with other bytes is not, and both digests are shown', async () => {
    const path = await keep(plain.filename, whole.bytes)
    const done = await installed.verify(path)
    expect(done).toMatchObject({ code: 3 })
    expect(done.stdout).toContain('its sha256 is not the signed one')
    expect(done.stdout).toContain(`expected: ${plain.sha256}`)
    expect(done.stdout).toContain(`found:    ${whole.sha256}`)
  })

  test('under another name is not in the record, and the name that it has there is said', async () => {
    const path = await keep('plain-3.0-py3-none-any.whl', plain.bytes)
    const done = await installed.verify(path)
    expect(done).toMatchObject({ code: 3 })
    expect(done.stdout).toContain(`listed there as ${plain.filename}`)
  })

  test('that the policy denies by now is refused, though it is the right one', async () => {
    const path = await keep(plain.filename, plain.bytes)
    const settings = '[policy]\ndeny = ["plain==2.0"]'
    const { config } = await installed.trial.writeSettings({ settings })
    const done = await runProgram('verify', '--config', config, path)
    expect(done).toMatchObject({ code: 3 })
    expect(done.stdout).toContain('REFUSED: the policy denies plain==2.0')
  })

  test('of a project that is not signed is unknown', async () => {
    const done = await installed.verify(
      await keep('stranger-1.0-py3-none-any.whl', plain.bytes),
      '--json',
    )
    expect(done).toMatchObject({ code: 3 })
    expect(JSON.parse(done.stdout)).toMatchObject({ files: [{ status: 'unknown-project' }] })
  })

  test('that is none, or is not there, is a mistake of the command', async () => {
    for (const path of [installed.trial.folder, join(installed.trial.folder, 'nothing.whl')]) {
      expect(await installed.verify(path)).toMatchObject({ code: 2, stdout: '' })
    }
    expect(await installed.verify()).toMatchObject({ code: 2 })
  })

  test('could not be told where no mirror answers and nothing is known', async () => {
    const path = await keep(whole.filename, whole.bytes)
    const { config: other } = await installed.trial.writeSettings({ mirror: 'http://127.0.0.1:1/' })
    const done = await runProgram('verify', '--config', other, path)
    expect(done).toMatchObject({ code: 1 })
    expect(done.stdout).toContain('COULD NOT BE TOLD')
  }, 60_000)

  test('without a mirror is as first seen, and never called verified', async () => {
    const path = await keep(whole.filename, whole.bytes)
    const state = join(installed.trial.folder, 'first-use')
    const done = await runProgram(
      'verify',
      '--index',
      installed.trial.indexUrl,
      '--state-dir',
      state,
      path,
    )
    expect(done).toMatchObject({ code: 0 })
    expect(done.stdout).toContain('as first seen')
    expect(done.stdout).toContain('for the first time just now')
    expect(done.stdout).not.toMatch(/verified|signed/)
  })
})

async function keep(filename: string, bytes: Uint8Array): Promise<string> {
  const folder = join(installed.trial.folder, 'files')
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, filename), bytes)
  return join(folder, filename)
}
