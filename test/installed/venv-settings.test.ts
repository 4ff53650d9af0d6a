import { describe, expect, test } from 'vitest'
import { parseVenvSettings, readVenvSettings } from '../../src/installed/venv-settings.ts'
import { containing } from '../support/expecting.ts'
import { makeDisk } from './memory-disk.ts'

describe('pyvenv.cfg', () => {
  test('reads a home of very many slashes in linear time', () => {
    const slashes = '/'.repeat(4_000_000)
    expect(parseVenvSettings(`home = ${slashes}a`).home).toHaveLength(4_000_001)
    expect(parseVenvSettings(`home = ${slashes}`).home).toBe('/')
    expect(parseVenvSettings(`home = /a${slashes}`).home).toBe('/a')
  })

  test('says whose Python it is, and whether the packages of the system count', () => {
    expect(parseVenvSettings('home = /usr/bin/\r\ninclude-system-site-packages = false\n')).toEqual(
      { home: '/usr/bin' },
    )
    expect(parseVenvSettings('HOME=/usr/bin\nInclude-System-Site-Packages=TRUE\n')).toEqual({
      home: '/usr/bin',
      fault: { class: 'unknown', reason: containing('packages of the system') },
    })
  })

  test.each([
    [
      'a line that ends where only Python ends it',
      'home = /usr/bin\rinclude-system-site-packages = true',
      'packages of the system',
    ],
    [
      'a space that only Python takes for one',
      'home = /usr/bin\n\u001cinclude-system-site-packages = true',
      'control characters',
    ],
    ['a byte order mark before its home', '\uFEFFhome = /usr/bin', 'control characters'],
    [
      'two homes, of which its library takes the first',
      'home = /tmp/evil\nhome = /usr/bin',
      'twice',
    ],
    ['no home, so that it is no environment', 'include-system-site-packages = false', 'no home'],
    ['a home that hangs on the current folder', 'home = evil', 'no home'],
    ['nothing in it', '', 'no home'],
  ])('is found out with %s', (_, text, reason) => {
    expect(parseVenvSettings(text).fault).toEqual({ class: 'unknown', reason: containing(reason) })
  })

  test('that is a link to a harmless file of the environment is not taken for a harmless one', async () => {
    const disk = makeDisk({
      'pyvenv.cfg': { kind: 'link', target: '.gitignore', staysInside: true },
      '.gitignore': 'home = /usr/bin\ninclude-system-site-packages = true',
    })
    expect(await readVenvSettings(disk)).toEqual({
      fault: { class: 'unknown', reason: 'it is no file' },
    })
  })

  test('that cannot be read, or is longer than what is read, is not in order', async () => {
    const closed = makeDisk({ 'pyvenv.cfg': { size: 20 } })
    expect(await readVenvSettings(closed)).toEqual({ fault: { class: 'unreadable' } })
    const text = `home = /usr/bin\n${'#'.repeat(70_000)}\ninclude-system-site-packages = true`
    expect((await readVenvSettings(makeDisk({ 'pyvenv.cfg': text }))).fault).toMatchObject({
      class: 'unknown',
    })
  })
})
