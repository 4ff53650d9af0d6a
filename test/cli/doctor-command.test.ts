import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { cleanEnvironment, main, runCommand } from '../support/program.ts'
import { findClosedPort } from './hostile-address.ts'

test('doctor looks at the index, the mirror and the address that serve was given', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tufgate-doctor-command-'))
  const port = await findClosedPort()
  const index = `http://127.0.0.1:${port}/other/simple/`
  const flags = ['--listen', `127.0.0.1:${port}`, '--index', index, '--state-dir', folder]
  const mirror = ['--mirror', join(folder, 'no-mirror'), '--root', join(folder, 'no-root.json')]
  const env = cleanEnvironment({ HOME: folder, PATH: folder, PIP_CONFIG_FILE: '/dev/null' })
  try {
    const doctor = [main, 'doctor', ...flags, '--json', folder]
    const { code, stdout, stderr } = await runCommand(process.execPath, doctor, { env })
    expect({ code, stderr }).toEqual({ code: 3, stderr: '' })
    expect(JSON.parse(stdout)).toMatchObject({ index: `http://127.0.0.1:${port}/simple/` })
    expect(stdout).toContain(index)
    const signed = [main, 'doctor', ...flags, ...mirror, '--no-network', folder]
    const { stdout: said } = await runCommand(process.execPath, signed, { env })
    expect(said).toContain('no-root.json')
  } finally {
    await rm(folder, { recursive: true })
  }
})
