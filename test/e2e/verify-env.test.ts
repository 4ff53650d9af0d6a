/** `tufgate verify --env` with environments that a real pip filled, and with what else is installed in them. */

import { chmod, cp, lstat, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildWheel } from '../support/build-wheel.ts'
import { containing, having } from '../support/expecting.ts'
import { serve, status } from '../support/hostile-server.ts'
import { hasPip, warnWithoutPip } from '../support/pip.ts'
import { runProgram } from '../support/program.ts'
import { plain, startInstalledTrial, type InstalledTrial, type Receipt } from './installed-trial.ts'

warnWithoutPip()

let installed: InstalledTrial

describe.runIf(hasPip)('verify --env', () => {
  beforeAll(async () => {
    installed = await startInstalledTrial()
  }, 120_000)

  afterAll(async () => {
    await installed.close()
  })

  describe('an environment', () => {
    test('as pip installed it is verified, file by file, and the receipt says from where', async () => {
      const file = join(installed.trial.folder, 'receipt.json')
      const done = await installed.verify('--env', installed.venv, '--receipt', file)
      expect(done).toMatchObject({ code: 0, stderr: '' })
      expect(done.stdout).toContain('2 distributions, 2 traced to their wheels')
      expect(done.stdout).toContain('WHAT IT DOES IS NOT CHECKED')
      expect(done.stdout).toContain(
        'Everything that is installed is verified or made by the installer, BUT NOT THE BYTE CODE',
      )
      const receipt = JSON.parse(await readFile(file, 'utf8')) as Receipt
      expect(receipt).toMatchObject({ result: 'byte-code-not-checked', notVerified: [] })
      expect(receipt.counts).toMatchObject({ changed: 0, missing: 0, unknown: 0, untraced: 0 })
      expect(receipt.distributions).toEqual([
        having({ name: 'plain', wheel: { filename: plain.filename, sha256: plain.sha256 } }),
        having({
          name: 'whole',
          status: 'traced',
          installer: 'pip',
          origin: having({ trust: 'signed', root: 1 }),
        }),
      ])
    })

    test('gives the same receipt twice, but for the time', async () => {
      const [first, second] = [
        await installed.examine(installed.venv),
        await installed.examine(installed.venv),
      ]
      expect({ ...first.receipt, time: '' }).toEqual({ ...second.receipt, time: '' })
    })
  })

  describe('another environment', () => {
    test('in which another wheel of the same name and version was installed is not verified', async () => {
      const evil = buildWheel({ name: 'plain', version: '2.0', code: 'plain = "evil"\n' })
      const path = join(installed.trial.folder, evil.filename)
      await writeFile(path, evil.bytes)
      const env = await installed.makeVenv('replaced', 'whole')
      await installed.pipInstall(env, '--no-index', path)
      const { code, receipt } = await installed.examine(env)
      expect(code).toBe(3)
      expect(receipt.notVerified).toContainEqual(
        having({ class: 'changed', distribution: 'plain 2.0' }),
      )
    }, 60_000)

    test('names what is not signed: an unknown project, an editable one, one built from an sdist', async () => {
      const unknown = buildWheel({ name: 'stranger', version: '1.0' })
      const path = join(installed.trial.folder, unknown.filename)
      await writeFile(path, unknown.bytes)
      const env = await installed.makeVenv('mixed', 'plain')
      await installed.pipInstall(env, '--no-index', path)
      const raw = join(env, installed.site.slice(installed.venv.length + 1), 'raw-1.0.dist-info')
      await mkdir(raw)
      await writeFile(join(raw, 'METADATA'), 'Name: raw\nVersion: 1.0\n')
      await writeFile(join(raw, 'WHEEL'), 'Tag: py3-none-any\n')
      const editable = join(
        env,
        installed.site.slice(installed.venv.length + 1),
        'mine-1.0.dist-info',
      )
      await mkdir(editable)
      await writeFile(join(editable, 'METADATA'), 'Name: mine\nVersion: 1.0\n')
      await writeFile(
        join(editable, 'direct_url.json'),
        '{"url":"file:///x","dir_info":{"editable":true}}',
      )
      const { code, receipt } = await installed.examine(env)
      expect(code).toBe(3)
      expect(receipt.distributions).toEqual([
        having({
          name: 'mine',
          status: 'untraced',
          reason: containing('editable'),
        }),
        having({ name: 'plain', status: 'traced' }),
        having({
          name: 'raw',
          status: 'untraced',
          reason: containing('sdist'),
        }),
        having({
          name: 'stranger',
          status: 'untraced',
          reason: containing('not in the signed list'),
        }),
      ])
      expect(receipt.notVerified).toContainEqual(
        having({ class: 'untraced', distribution: 'stranger 1.0' }),
      )
    }, 60_000)

    test('that is one folder of --target is verified too', async () => {
      const target = join(installed.trial.folder, 'target')
      await installed.pipInstallVerified(installed.venv, '--target', target, 'whole')
      const { code, receipt } = await installed.examine(target)
      expect(receipt.notVerified).toEqual([])
      expect(receipt.environment.interpreters).toHaveLength(1)
      expect(code).toBe(0)
    }, 60_000)

    test('without byte code is verified, and no word of it is said', async () => {
      const env = join(installed.trial.folder, 'lean')
      await cp(installed.venv, env, {
        recursive: true,
        verbatimSymlinks: true,
        preserveTimestamps: true,
        filter: (path) => !path.endsWith('__pycache__'),
      })
      await rm(join(env, 'bin'), { recursive: true })
      await mkdir(join(env, 'bin'))
      for (const name of await readdir(join(installed.venv, 'bin'))) {
        const from = join(installed.venv, 'bin', name)
        if ((await lstat(from)).isSymbolicLink()) continue
        const text = await readFile(from, 'utf8')
        await writeFile(join(env, 'bin', name), text.replaceAll(installed.venv, env))
      }
      const done = await installed.verify('--env', env)
      expect(done).toMatchObject({ code: 0, stderr: '' })
      expect(done.stdout).not.toMatch(/byte code/i)
      expect((await installed.examine(env)).receipt.result).toBe('verified')
    })

    test('is verified under a path so long that scripts start by way of a shell', async () => {
      const env = await installed.makeVenv(`long-${'x'.repeat(140)}`, 'whole')
      expect(await readFile(join(env, 'bin/whole-run'), 'utf8')).toMatch(/^#!\/bin\/sh/)
      expect((await installed.examine(env)).receipt.notVerified).toEqual([])
    }, 60_000)

    test('with a file that cannot be read is not verified', async () => {
      const env = join(installed.trial.folder, 'unreadable')
      await cp(installed.venv, env, {
        recursive: true,
        verbatimSymlinks: true,
        preserveTimestamps: true,
      })
      const folder = join(env, installed.site.slice(installed.venv.length + 1), 'whole')
      await chmod(folder, 0o000)
      const { code, receipt } = await installed.examine(env)
      await chmod(folder, 0o755)
      expect(code).toBe(3)
      if (process.geteuid?.() !== 0)
        expect(receipt.notVerified).toContainEqual(having({ class: 'unreadable' }))
    })

    test('is verified with wheels that are fetched for it, and verified first', async () => {
      const { config } = await installed.trial.writeSettings()
      const done = await runProgram('verify', '--config', config, '--env', installed.venv)
      expect(done).toMatchObject({ code: 0, stderr: '' })
    })

    test('could not be told where its wheels cannot be had', async () => {
      const { trial, venv } = installed
      const { config } = await trial.writeSettings()
      const path = `/files/${plain.filename}`
      trial.index.on(path, status(404))
      const done = await runProgram('verify', '--config', config, '--env', venv, '--json')
      trial.index.on(path, serve(plain.bytes))
      expect(done).toMatchObject({ code: 1 })
      const receipt = JSON.parse(done.stdout) as Receipt
      expect(receipt.result).toBe('not-told')
      expect(receipt.distributions).toContainEqual(
        having({ name: 'plain', status: 'untold', reason: containing('404') }),
      )
    })

    test('is not held against a wheel that was swapped at the index', async () => {
      const { trial, venv } = installed
      const { config } = await trial.writeSettings()
      const path = `/files/${plain.filename}`
      const evil = buildWheel({ name: 'plain', version: '2.0', code: 'plain = 6\n' })
      trial.index.on(path, serve(evil.bytes))
      const done = await runProgram('verify', '--config', config, '--env', venv, '--json')
      trial.index.on(path, serve(plain.bytes))
      expect(done).toMatchObject({ code: 1 })
      const receipt = JSON.parse(done.stdout) as Receipt
      expect(receipt.distributions).toContainEqual(
        having({ name: 'plain', status: 'untold', reason: containing('DIGEST_MISMATCH') }),
      )
    })

    test('with something that is denied by now is not verified', async () => {
      const settings = '[policy]\ndeny = ["plain"]'
      const { config } = await installed.trial.writeSettings({ settings })
      const done = await runProgram('verify', '--config', config, '--env', installed.venv)
      expect(done).toMatchObject({ code: 3 })
      expect(done.stdout).toContain('plain 2.0: refused, the policy denies plain')
    })

    test('given as its site-packages alone is verified, scripts and data apart', async () => {
      const { code, receipt } = await installed.examine(installed.site)
      expect(receipt.notVerified).toEqual([])
      expect(code).toBe(0)
    })

    test('that is none is a mistake of the command, not a verdict', async () => {
      const done = await installed.verify('--env', dirname(installed.config))
      expect(done).toMatchObject({ code: 2, stdout: '' })
      expect(done.stderr).toContain('is no environment')
    })
  })
})
