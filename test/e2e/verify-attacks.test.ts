/** `tufgate verify --env` after each attack on an environment that a real pip filled. */

import {
  cp,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { containing, having } from '../support/expecting.ts'
import { hasPip, warnWithoutPip } from '../support/pip.ts'
import { startInstalledTrial, type InstalledTrial } from './installed-trial.ts'

warnWithoutPip()

let installed: InstalledTrial

describe.runIf(hasPip)('an environment', () => {
  beforeAll(async () => {
    installed = await startInstalledTrial()
  }, 120_000)

  afterAll(async () => {
    await installed.close()
  })

  const attacks: readonly (readonly [
    string,
    () => string,
    (path: string) => Promise<void>,
    Readonly<Record<string, unknown>>,
  ])[] = [
    [
      'a changed module',
      () => join(installed.site, 'plain/__init__.py'),
      (path) => writeFile(path, 'plain = 2\n'),
      { class: 'changed' },
    ],
    [
      'a changed library',
      () => join(installed.site, 'whole/_fast.so'),
      (path) => writeFile(path, Buffer.alloc(70_000, 'xx')),
      { class: 'changed' },
    ],
    [
      'a module behind a link',
      () => join(installed.site, 'plain/__init__.py'),
      async (path) => {
        const elsewhere = join(installed.trial.folder, 'elsewhere.py')
        await cp(path, elsewhere)
        await rm(path)
        await symlink(elsewhere, path)
      },
      { class: 'changed', reason: containing('link') },
    ],
    [
      'a deleted file',
      () => join(installed.site, 'plain/__init__.py'),
      (path) => rm(path),
      { class: 'missing' },
    ],
    [
      'a new .pth',
      () => join(installed.site, 'evil.pth'),
      (path) => writeFile(path, 'import os\n'),
      { class: 'unknown' },
    ],
    [
      'a sitecustomize',
      () => join(installed.site, 'sitecustomize.py'),
      (path) => writeFile(path, ''),
      { class: 'unknown' },
    ],
    [
      'one more module in a package',
      () => join(installed.site, 'plain/extra.py'),
      (path) => writeFile(path, ''),
      { class: 'unknown' },
    ],
    [
      'a module that differs in case only',
      () => join(installed.site, 'plain/__INIT__.py'),
      (path) => writeFile(path, ''),
      {
        class: 'unknown',
        reason: containing('in case or spelling only'),
      },
    ],
    [
      'a library where a module is looked for',
      () => join(installed.site, 'plain/__init__.cpython-311-x86_64-linux-gnu.so'),
      (path) => writeFile(path, ''),
      { class: 'unknown' },
    ],
    [
      'byte code without a source',
      () => join(installed.site, 'extra.pyc'),
      (path) => writeFile(path, Buffer.alloc(20)),
      { class: 'unknown', reason: 'byte code without a source' },
    ],
    [
      'a link to a folder elsewhere',
      () => join(installed.site, 'linked'),
      (path) => symlink('/usr', path),
      { class: 'unknown', reason: containing('elsewhere') },
    ],
    [
      'a changed script of an entry point',
      () => join(installed.venv, 'bin/whole-run'),
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
      () => join(installed.venv, 'bin/whole-run'),
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
      () => join(installed.venv, 'bin/whole-run'),
      (path) => rm(path),
      { class: 'missing' },
    ],
    [
      'a changed script of the wheel',
      () => join(installed.venv, 'bin/whole-script'),
      async (path) => {
        await writeFile(path, `${await readFile(path, 'utf8')}print("more")\n`)
      },
      { class: 'changed' },
    ],
    [
      'a changed script without Python',
      () => join(installed.venv, 'bin/whole-shell'),
      (path) => writeFile(path, '#!/bin/sh\nrm  hello\n'),
      { class: 'changed' },
    ],
    [
      'a new program',
      () => join(installed.venv, 'bin/git'),
      (path) => writeFile(path, '#!/bin/sh\n'),
      { class: 'unknown' },
    ],
    [
      'changed data',
      () => join(installed.venv, 'share/whole/data.txt'),
      (path) => writeFile(path, 'DATA\n'),
      { class: 'changed' },
    ],
    [
      'a RECORD that lists what is not its',
      () => join(installed.site, 'plain-2.0.dist-info/RECORD'),
      async (path) => {
        await writeFile(path, `${await readFile(path, 'utf8')}../../../../../etc/passwd,,\n`)
      },
      { class: 'changed', reason: containing('etc/passwd') },
    ],
    [
      'a missing RECORD',
      () => join(installed.site, 'plain-2.0.dist-info/RECORD'),
      (path) => rm(path),
      { class: 'missing' },
    ],
    [
      'a link to another Python',
      () => join(installed.venv, 'bin/python'),
      async (path) => {
        await rm(path)
        await symlink('/tmp/evil/python', path)
      },
      { class: 'unknown', reason: containing('not to the Python of pyvenv.cfg') },
    ],
    [
      'a program in place of Python',
      () => join(installed.venv, 'bin/python'),
      async (path) => {
        await rm(path)
        await writeFile(path, '#!/bin/sh\n', { mode: 0o755 })
      },
      { class: 'unknown', reason: containing('in place of a link') },
    ],
    [
      'an open environment',
      () => join(installed.venv, 'pyvenv.cfg'),
      async (path) => {
        await writeFile(
          path,
          (await readFile(path, 'utf8')).replace('packages = false', 'packages = true'),
        )
      },
      { class: 'unknown', reason: containing('packages of the system') },
    ],
    [
      'settings that lead elsewhere',
      () => join(installed.venv, 'pyvenv.cfg'),
      async (path) => {
        await writeFile(
          join(installed.venv, '.gitignore'),
          (await readFile(path, 'utf8')).replace('packages = false', 'packages = true'),
        )
        await rm(path)
        await symlink('.gitignore', path)
      },
      { class: 'unknown', reason: 'it is no file' },
    ],
    [
      'settings with two homes',
      () => join(installed.venv, 'pyvenv.cfg'),
      async (path) => writeFile(path, `home = /tmp/evil\n${await readFile(path, 'utf8')}`),
      { class: 'unknown', reason: containing('home twice') },
    ],
    [
      'an activate that is a link',
      () => join(installed.venv, 'bin/activate'),
      async (path) => {
        await rm(path)
        await symlink('../share/whole/data.txt', path)
      },
      { class: 'unknown', reason: containing('link to') },
    ],
    [
      'a lib64 that leads to something else within it',
      () => join(installed.venv, 'lib64'),
      async (path) => {
        await rm(path, { force: true })
        await symlink('share', path)
      },
      { class: 'unknown', reason: 'link to share' },
    ],
  ]

  test.each(attacks)(
    'is not verified with %s, which is named',
    async (_, place, change, finding) => {
      const path = place()
      const { code, receipt } = await installed.attack(() => change(path), path)
      expect(code).toBe(3)
      expect(receipt.result).toBe('not-verified')
      expect(receipt.notVerified).toContainEqual(
        having({ path: path.slice(installed.venv.length + 1), ...finding }),
      )
    },
  )

  test('names what runs by itself first', async () => {
    const folder = join(installed.site, 'aaa')
    const { receipt } = await installed.attack(async () => {
      await mkdir(folder)
      await writeFile(join(folder, 'a.py'), '')
      await writeFile(join(folder, 'b.so'), '')
      await writeFile(join(folder, 'z.pth'), '')
    }, folder)
    expect(receipt.notVerified.map(({ path }) => path.slice(-4))).toEqual(['.pth', 'b.so', 'a.py'])
  })

  test('finds byte code of another source, by its header', async () => {
    const { code, receipt } = await installed.attack(async () => {
      const [name = ''] = await readdir(compiled())
      await writeFile(join(compiled(), name), Buffer.alloc(100, 1))
    }, compiled())
    expect(code).toBe(3)
    expect(receipt.notVerified).toEqual([having({ class: 'changed' })])
  })

  test('finds byte code that Python never compares with its source', async () => {
    const { code, receipt } = await installed.attack(async () => {
      const [name = ''] = await readdir(compiled())
      const bytes = await readFile(join(compiled(), name))
      bytes.writeUInt32LE(1, 4)
      await writeFile(join(compiled(), name), bytes)
    }, compiled())
    expect(code).toBe(3)
    expect(receipt.notVerified).toEqual([
      having({ reason: containing('without a look at its source') }),
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
    const trusting = await installed.attack(forge, compiled())
    expect(trusting).toMatchObject({ code: 0, receipt: { result: 'byte-code-not-checked' } })
    const { code, receipt } = await installed.attack(forge, compiled(), '--bytecode', 'refuse')
    expect(code).toBe(3)
    expect(receipt.notVerified.every(({ path }) => path.endsWith('.pyc'))).toBe(true)
  })

  test('does not believe a source whose time was set back behind changed byte code', async () => {
    const path = join(installed.site, 'plain/__init__.py')
    const { receipt } = await installed.attack(async () => {
      const { mtime } = await stat(path)
      await writeFile(path, 'plain = 3\n')
      await utimes(path, mtime, mtime)
    }, path)
    expect(receipt.notVerified.map((finding) => finding.class)).toContain('changed')
  })
})

function compiled(): string {
  return join(installed.site, 'plain/__pycache__')
}
