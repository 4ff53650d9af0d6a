/** `tufgate verify` with a real pip: an environment as it was installed, and after each attack on it. */

import {
  chmod,
  cp,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildSdist } from '../support/build-sdist.ts'
import { buildWheel } from '../support/build-wheel.ts'
import { having } from '../support/expecting.ts'
import { hasPip, warnWithoutPip } from '../support/pip.ts'
import { cleanEnvironment, runCommand, runProgram, type Finished } from '../support/program.ts'
import { buildSchemeWheel } from '../support/scheme-wheel.ts'
import { Trial, type TrialProxy } from './trial.ts'

warnWithoutPip()

const whole = buildSchemeWheel('whole', '1.0')
const plain = buildWheel({ name: 'plain', version: '2.0', code: 'plain = 1\n' })

interface Receipt {
  readonly result: string
  readonly counts: Readonly<Record<string, number>>
  readonly distributions: readonly Readonly<Record<string, unknown>>[]
  readonly notVerified: readonly { path: string; class: string; reason?: string }[]
}

let trial: Trial
let proxy: TrialProxy
let config: string
let venv: string
let site: string

async function pipInstall(target: string, ...args: readonly string[]): Promise<void> {
  const env = cleanEnvironment({ PIP_CONFIG_FILE: '/dev/null', HOME: trial.folder })
  const settings = ['--no-input', '--no-cache-dir', '--disable-pip-version-check']
  const python = ['-m', 'pip', '--python', join(target, 'bin/python'), ...settings]
  const done = await runCommand('python3', [...python, 'install', ...args], { env })
  expect(done, done.stderr).toMatchObject({ code: 0 })
}

async function makeVenv(name: string, ...requirements: readonly string[]): Promise<string> {
  const path = join(trial.folder, name)
  expect(await runCommand('python3', ['-m', 'venv', '--without-pip', path])).toMatchObject({
    code: 0,
  })
  await pipInstall(path, '--index-url', `${proxy.origin}/simple/`, ...requirements)
  return path
}

function verify(...args: readonly string[]): Promise<Finished> {
  return runProgram('verify', '--config', config, ...args)
}

async function examine(env: string, ...args: readonly string[]) {
  const { code, stdout, stderr } = await verify('--env', env, '--json', ...args)
  expect(stderr).toBe('')
  return { code, receipt: JSON.parse(stdout) as Receipt }
}

/** Does it, looks, and puts everything back as it was, times included. */
async function attack(change: () => Promise<void>, path: string, ...args: readonly string[]) {
  const kept = join(trial.folder, 'kept')
  const existed = (await lstat(path).catch(() => undefined)) !== undefined
  if (existed) await cp(path, kept, { preserveTimestamps: true, recursive: true })
  try {
    await change()
    return await examine(venv, ...args)
  } finally {
    await rm(path, { recursive: true, force: true })
    if (existed) await rename(kept, path)
  }
}

describe.runIf(hasPip)('verify', () => {
  beforeAll(async () => {
    trial = await Trial.create()
    trial.publish('whole', [whole])
    trial.publish('plain', [plain])
    trial.publish('raw', [buildSdist({ name: 'raw', version: '1.0' })])
    await trial.sync()
    proxy = await trial.startProxy()
    const settings = await trial.writeSettings({ state: proxy.state })
    config = settings.config
    venv = await makeVenv('venv', 'whole', 'plain')
    const version = await runCommand(join(venv, 'bin/python'), [
      '-c',
      'import sys; print("%d.%d" % sys.version_info[:2])',
    ])
    site = join(venv, `lib/python${version.stdout.trim()}/site-packages`)
  }, 120_000)

  afterAll(async () => {
    await trial.close()
  })

  describe('an environment', () => {
    test('as pip installed it is verified, file by file, and the receipt says from where', async () => {
      const file = join(trial.folder, 'receipt.json')
      const done = await verify('--env', venv, '--receipt', file)
      expect(done).toMatchObject({ code: 0, stderr: '' })
      expect(done.stdout).toContain('2 distributions, 2 traced to their wheels')
      expect(done.stdout).toContain('WHAT IT DOES IS NOT CHECKED')
      expect(done.stdout).toContain(
        'Everything that is installed is verified or made by the installer',
      )
      const receipt = JSON.parse(await readFile(file, 'utf8')) as Receipt
      expect(receipt).toMatchObject({ result: 'verified', notVerified: [] })
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
      const [first, second] = [await examine(venv), await examine(venv)]
      expect({ ...first.receipt, time: '' }).toEqual({ ...second.receipt, time: '' })
    })

    const attacks: readonly (readonly [
      string,
      () => string,
      (path: string) => Promise<void>,
      Readonly<Record<string, unknown>>,
    ])[] = [
      [
        'a changed module',
        () => join(site, 'plain/__init__.py'),
        (path) => writeFile(path, 'plain = 2\n'),
        { class: 'changed' },
      ],
      [
        'a changed library',
        () => join(site, 'whole/_fast.so'),
        (path) => writeFile(path, Buffer.alloc(70_000, 'xx')),
        { class: 'changed' },
      ],
      [
        'a module behind a link',
        () => join(site, 'plain/__init__.py'),
        async (path) => {
          const elsewhere = join(trial.folder, 'elsewhere.py')
          await cp(path, elsewhere)
          await rm(path)
          await symlink(elsewhere, path)
        },
        { class: 'changed', reason: expect.stringContaining('link') as unknown },
      ],
      [
        'a deleted file',
        () => join(site, 'plain/__init__.py'),
        (path) => rm(path),
        { class: 'missing' },
      ],
      [
        'a new .pth',
        () => join(site, 'evil.pth'),
        (path) => writeFile(path, 'import os\n'),
        { class: 'unknown' },
      ],
      [
        'a sitecustomize',
        () => join(site, 'sitecustomize.py'),
        (path) => writeFile(path, ''),
        { class: 'unknown' },
      ],
      [
        'one more module in a package',
        () => join(site, 'plain/extra.py'),
        (path) => writeFile(path, ''),
        { class: 'unknown' },
      ],
      [
        'a module that differs in case only',
        () => join(site, 'plain/__INIT__.py'),
        (path) => writeFile(path, ''),
        {
          class: 'unknown',
          reason: expect.stringContaining('in case or spelling only') as unknown,
        },
      ],
      [
        'a library where a module is looked for',
        () => join(site, 'plain/__init__.cpython-311-x86_64-linux-gnu.so'),
        (path) => writeFile(path, ''),
        { class: 'unknown' },
      ],
      [
        'byte code without a source',
        () => join(site, 'extra.pyc'),
        (path) => writeFile(path, Buffer.alloc(20)),
        { class: 'unknown', reason: 'byte code without a source' },
      ],
      [
        'a link to a folder elsewhere',
        () => join(site, 'linked'),
        (path) => symlink('/usr', path),
        { class: 'unknown', reason: expect.stringContaining('elsewhere') as unknown },
      ],
      [
        'a changed script of an entry point',
        () => join(venv, 'bin/whole-run'),
        async (path) => {
          await writeFile(
            path,
            (await readFile(path, 'utf8')).replace('import main', 'import main as main'),
          )
        },
        { class: 'changed' },
      ],
      [
        'a script that starts another Python',
        () => join(venv, 'bin/whole-run'),
        async (path) => {
          await writeFile(
            path,
            (await readFile(path, 'utf8')).replace(/^#!.*\n/, '#!/tmp/evil/python\n'),
          )
        },
        {
          class: 'changed',
          reason: 'its first line starts /tmp/evil/python, which is not in this environment',
        },
      ],
      [
        'a deleted script of an entry point',
        () => join(venv, 'bin/whole-run'),
        (path) => rm(path),
        { class: 'missing' },
      ],
      [
        'a changed script of the wheel',
        () => join(venv, 'bin/whole-script'),
        async (path) => {
          await writeFile(path, `${await readFile(path, 'utf8')}print("more")\n`)
        },
        { class: 'changed' },
      ],
      [
        'a changed script without Python',
        () => join(venv, 'bin/whole-shell'),
        (path) => writeFile(path, '#!/bin/sh\nrm  hello\n'),
        { class: 'changed' },
      ],
      [
        'a new program',
        () => join(venv, 'bin/git'),
        (path) => writeFile(path, '#!/bin/sh\n'),
        { class: 'unknown' },
      ],
      [
        'changed data',
        () => join(venv, 'share/whole/data.txt'),
        (path) => writeFile(path, 'DATA\n'),
        { class: 'changed' },
      ],
      [
        'a RECORD that lists what is not its',
        () => join(site, 'plain-2.0.dist-info/RECORD'),
        async (path) => {
          await writeFile(path, `${await readFile(path, 'utf8')}../../../../../etc/passwd,,\n`)
        },
        { class: 'changed', reason: expect.stringContaining('etc/passwd') as unknown },
      ],
      [
        'a missing RECORD',
        () => join(site, 'plain-2.0.dist-info/RECORD'),
        (path) => rm(path),
        { class: 'missing' },
      ],
      [
        'an open environment',
        () => join(venv, 'pyvenv.cfg'),
        async (path) => {
          await writeFile(
            path,
            (await readFile(path, 'utf8')).replace('packages = false', 'packages = true'),
          )
        },
        { class: 'unknown', reason: expect.stringContaining('packages of the system') as unknown },
      ],
    ]

    test.each(attacks)(
      'is not verified with %s, which is named',
      async (_, place, change, finding) => {
        const path = place()
        const { code, receipt } = await attack(() => change(path), path)
        expect(code).toBe(3)
        expect(receipt.result).toBe('not-verified')
        expect(receipt.notVerified).toContainEqual(
          having({ path: path.slice(venv.length + 1), ...finding }),
        )
      },
    )

    test('names what runs by itself first', async () => {
      const folder = join(site, 'aaa')
      const { receipt } = await attack(async () => {
        await mkdir(folder)
        await writeFile(join(folder, 'a.py'), '')
        await writeFile(join(folder, 'b.so'), '')
        await writeFile(join(folder, 'z.pth'), '')
      }, folder)
      expect(receipt.notVerified.map(({ path }) => path.slice(-4))).toEqual([
        '.pth',
        'b.so',
        'a.py',
      ])
    })

    const compiled = (): string => join(site, 'plain/__pycache__')

    test('finds byte code of another source, by its header', async () => {
      const { code, receipt } = await attack(async () => {
        const [name = ''] = await readdir(compiled())
        await writeFile(join(compiled(), name), Buffer.alloc(100, 1))
      }, compiled())
      expect(code).toBe(3)
      expect(receipt.notVerified).toEqual([having({ class: 'changed' })])
    })

    test('finds byte code that Python never compares with its source', async () => {
      const { code, receipt } = await attack(async () => {
        const [name = ''] = await readdir(compiled())
        const bytes = await readFile(join(compiled(), name))
        bytes.writeUInt32LE(1, 4)
        await writeFile(join(compiled(), name), bytes)
      }, compiled())
      expect(code).toBe(3)
      expect(receipt.notVerified).toEqual([
        having({ reason: expect.stringContaining('without a look at its source') as unknown }),
      ])
    })

    test('with a header that was forged byte code is found by --bytecode refuse alone, and the text says so', async () => {
      const forge = async (): Promise<void> => {
        const [name = ''] = await readdir(compiled())
        const bytes = await readFile(join(compiled(), name))
        await writeFile(
          join(compiled(), name),
          Buffer.concat([bytes.subarray(0, 16), Buffer.from('evil')]),
        )
      }
      expect(await attack(forge, compiled())).toMatchObject({ code: 0 })
      const { code, receipt } = await attack(forge, compiled(), '--bytecode', 'refuse')
      expect(code).toBe(3)
      expect(receipt.notVerified.every(({ path }) => path.endsWith('.pyc'))).toBe(true)
    })

    test('does not believe a source whose time was set back behind changed byte code', async () => {
      const path = join(site, 'plain/__init__.py')
      const { receipt } = await attack(async () => {
        const { mtime } = await stat(path)
        await writeFile(path, 'plain = 3\n')
        await utimes(path, mtime, mtime)
      }, path)
      expect(receipt.notVerified.map((finding) => finding.class)).toContain('changed')
    })
  })

  describe('another environment', () => {
    test('in which another wheel of the same name and version was installed is not verified', async () => {
      const evil = buildWheel({ name: 'plain', version: '2.0', code: 'plain = "evil"\n' })
      const path = join(trial.folder, evil.filename)
      await writeFile(path, evil.bytes)
      const env = await makeVenv('replaced', 'whole')
      await pipInstall(env, '--no-index', path)
      const { code, receipt } = await examine(env)
      expect(code).toBe(3)
      expect(receipt.notVerified).toContainEqual(
        having({ class: 'changed', distribution: 'plain 2.0' }),
      )
    }, 60_000)

    test('names what is not signed: an unknown project, an editable one, one built from an sdist', async () => {
      const unknown = buildWheel({ name: 'stranger', version: '1.0' })
      const path = join(trial.folder, unknown.filename)
      await writeFile(path, unknown.bytes)
      const env = await makeVenv('mixed', 'plain')
      await pipInstall(env, '--no-index', path)
      const raw = join(env, site.slice(venv.length + 1), 'raw-1.0.dist-info')
      await mkdir(raw)
      await writeFile(join(raw, 'METADATA'), 'Name: raw\nVersion: 1.0\n')
      await writeFile(join(raw, 'WHEEL'), 'Tag: py3-none-any\n')
      const editable = join(env, site.slice(venv.length + 1), 'mine-1.0.dist-info')
      await mkdir(editable)
      await writeFile(join(editable, 'METADATA'), 'Name: mine\nVersion: 1.0\n')
      await writeFile(
        join(editable, 'direct_url.json'),
        '{"url":"file:///x","dir_info":{"editable":true}}',
      )
      const { code, receipt } = await examine(env)
      expect(code).toBe(3)
      expect(receipt.distributions).toEqual([
        having({
          name: 'mine',
          status: 'untraced',
          reason: expect.stringContaining('editable') as unknown,
        }),
        having({ name: 'plain', status: 'traced' }),
        having({
          name: 'raw',
          status: 'untraced',
          reason: expect.stringContaining('sdist') as unknown,
        }),
        having({
          name: 'stranger',
          status: 'untraced',
          reason: expect.stringContaining('not in the signed list') as unknown,
        }),
      ])
      expect(receipt.notVerified).toContainEqual(
        having({ class: 'untraced', distribution: 'stranger 1.0' }),
      )
    }, 60_000)

    test('that is one folder of --target is verified too', async () => {
      const target = join(trial.folder, 'target')
      await pipInstall(venv, '--index-url', `${proxy.origin}/simple/`, '--target', target, 'whole')
      const { code, receipt } = await examine(target)
      expect(receipt.notVerified).toEqual([])
      expect(code).toBe(0)
    }, 60_000)

    test('is verified under a path so long that scripts start by way of a shell', async () => {
      const env = await makeVenv(`long-${'x'.repeat(140)}`, 'whole')
      expect(await readFile(join(env, 'bin/whole-run'), 'utf8')).toMatch(/^#!\/bin\/sh/)
      expect((await examine(env)).receipt.notVerified).toEqual([])
    }, 60_000)

    test('with a file that cannot be read is not verified', async () => {
      const env = join(trial.folder, 'unreadable')
      await cp(venv, env, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true })
      const folder = join(env, site.slice(venv.length + 1), 'whole')
      await chmod(folder, 0o000)
      const { code, receipt } = await examine(env)
      await chmod(folder, 0o755)
      expect(code).toBe(3)
      if (process.geteuid?.() !== 0)
        expect(receipt.notVerified).toContainEqual(having({ class: 'unreadable' }))
    })

    test('that is none is a mistake of the command, not a verdict', async () => {
      const done = await verify('--env', dirname(config))
      expect(done).toMatchObject({ code: 2, stdout: '' })
      expect(done.stderr).toContain('is no environment')
    })
  })

  describe('a file', () => {
    const keep = async (filename: string, bytes: Uint8Array): Promise<string> => {
      const folder = join(trial.folder, 'files')
      await mkdir(folder, { recursive: true })
      await writeFile(join(folder, filename), bytes)
      return join(folder, filename)
    }

    test('that is in the record is verified, traced to the pinned root', async () => {
      const path = await keep(whole.filename, whole.bytes)
      const done = await verify(path)
      expect(done).toMatchObject({ code: 0, stderr: '' })
      expect(done.stdout).toContain(`${path}: verified`)
      expect(done.stdout).toMatch(
        /record sha256 [0-9a-f]{64}, role bins-\w+, root 1, timestamp \d+/,
      )
      expect(done.stdout).toMatch(/pinned root sha256 [0-9a-f]{64}/)
    })

    test('with other bytes is not, and both digests are shown', async () => {
      const path = await keep(plain.filename, whole.bytes)
      const done = await verify(path)
      expect(done).toMatchObject({ code: 3 })
      expect(done.stdout).toContain('its sha256 is not the signed one')
      expect(done.stdout).toContain(`expected: ${plain.sha256}`)
      expect(done.stdout).toContain(`found:    ${whole.sha256}`)
    })

    test('under another name is not in the record, and the name that it has there is said', async () => {
      const path = await keep('plain-3.0-py3-none-any.whl', plain.bytes)
      const done = await verify(path)
      expect(done).toMatchObject({ code: 3 })
      expect(done.stdout).toContain(`listed there as ${plain.filename}`)
    })

    test('of a project that is not signed is unknown', async () => {
      const done = await verify(await keep('stranger-1.0-py3-none-any.whl', plain.bytes), '--json')
      expect(done).toMatchObject({ code: 3 })
      expect(JSON.parse(done.stdout)).toMatchObject({ files: [{ status: 'unknown-project' }] })
    })

    test('that is none, or is not there, is a mistake of the command', async () => {
      for (const path of [trial.folder, join(trial.folder, 'nothing.whl')]) {
        expect(await verify(path)).toMatchObject({ code: 2, stdout: '' })
      }
      expect(await verify()).toMatchObject({ code: 2 })
    })

    test('could not be told where no mirror answers and nothing is known', async () => {
      const path = await keep(whole.filename, whole.bytes)
      const { config: other } = await trial.writeSettings({ mirror: 'http://127.0.0.1:1/' })
      const done = await runProgram('verify', '--config', other, path)
      expect(done).toMatchObject({ code: 1 })
      expect(done.stdout).toContain('COULD NOT BE TOLD')
    }, 60_000)

    test('without a mirror is as first seen, and never called verified', async () => {
      const path = await keep(whole.filename, whole.bytes)
      const state = join(trial.folder, 'first-use')
      const done = await runProgram('verify', '--index', trial.indexUrl, '--state-dir', state, path)
      expect(done).toMatchObject({ code: 0 })
      expect(done.stdout).toContain('as first seen')
      expect(done.stdout).toContain('for the first time just now')
      expect(done.stdout).not.toMatch(/verified|signed/)
    })
  })
})
