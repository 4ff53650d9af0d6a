import { describe, expect, test } from 'vitest'
import { listRecordPaths, resolvePath } from '../../src/installed/installer-files.ts'
import { placeEntry, readEntryName } from '../../src/installed/wheel-place.ts'

describe('an entry of a wheel', () => {
  test.each([
    ['foo/a.py', { scheme: 'site', path: 'foo/a.py' }],
    ['foo-1.0.data/scripts/run', { scheme: 'scripts', path: 'run' }],
    ['foo-1.0.data/data/etc/foo.conf', { scheme: 'data', path: 'etc/foo.conf' }],
    ['foo/', undefined],
  ])('%s has its place', (name, place) => {
    expect(placeEntry(name)).toEqual(place)
  })

  test.each([
    '../evil.py',
    'foo/../../evil.py',
    '/etc/passwd',
    'foo//a.py',
    './a.py',
    'foo\\..\\evil.py',
    'a\u0000.py',
    'a\nb.py',
    'foo-1.0.data/elsewhere/a.py',
    'foo-1.0.data/scripts',
    'foo-1.0.data/scripts/../../evil',
  ])('%j has none: the wheel is refused', (name) => {
    expect(() => placeEntry(name)).toThrow(/no path within a folder|of no known scheme/)
  })

  test('has a name in UTF-8, or in ASCII, or none', () => {
    const bytes = Buffer.from('caf\u00e9.py').toString('latin1')
    expect(readEntryName(bytes, 0x0800)).toBe('caf\u00e9.py')
    expect(readEntryName('cafe.py', 0)).toBe('cafe.py')
    expect(() => readEntryName(bytes, 0)).toThrow('unknown character set')
    expect(() => readEntryName('caf\u00e9.py', 0x0800)).toThrow('not UTF-8')
  })
})

describe('a line of RECORD', () => {
  test('names a file, quoted where a comma is in its name', () => {
    expect(listRecordPaths('a.py,sha256=x,1\r\n"b,""c"".py",,\n../../bin/d,,\n')).toEqual([
      'a.py',
      'b,"c".py',
      '../../bin/d',
    ])
  })

  test.each([
    ['a.py', 'lib/a.py'],
    ['../bin/x', 'bin/x'],
    ['./a//b', 'lib/a/b'],
    ['../../x', undefined],
    ['/etc/passwd', undefined],
  ])('%s is resolved within the folder', (raw, expected) => {
    expect(resolvePath('lib', raw)).toBe(expected)
  })
})
