import { describe, expect, test } from 'vitest'
import { readSignedWheel } from '../../src/cli/verify/read-signed-wheel.ts'
import type { SignedWheel } from '../../src/installed/compare-wheel.ts'
import { buildWheel, buildZip, sha256 } from '../support/build-wheel.ts'
import { buildOddZip } from '../support/odd-zip.ts'
import { buildSchemeWheel } from '../support/scheme-wheel.ts'

/** As the vault opens it. */
function read(bytes: Uint8Array): Promise<SignedWheel> {
  return readSignedWheel('foo-1.0-py3-none-any.whl', {
    size: bytes.length,
    sha256: sha256(bytes),
    read: (buffer, position, length) => {
      const part = bytes.subarray(position, position + length)
      buffer.set(part)
      return Promise.resolve(part.length)
    },
    readAll: () => Promise.resolve(bytes),
    close: () => Promise.resolve(),
  })
}

const info = ['foo-1.0.dist-info/METADATA', ''] as const
const zipOf = (...names: readonly string[]): Uint8Array =>
  buildZip(
    new Map(
      [info, ...names.map((name) => [name, ''] as const)].map(([name, text]) => [
        name,
        Buffer.from(text),
      ]),
    ),
  )

describe('the content of a wheel', () => {
  test('is the digest of each entry, and of a script what follows its first line', async () => {
    const { files, entryPoints } = await read(buildSchemeWheel('whole', '1.0').bytes)
    expect(files.get('whole/_fast.so')).toEqual({
      size: 70_000,
      sha256: sha256(Buffer.alloc(70_000, 'so')),
    })
    expect(files.get('whole-1.0.data/scripts/whole-script')?.bodySha256).toBe(
      sha256(Buffer.from('print("from a script")\n')),
    )
    expect(files.get('whole-1.0.data/scripts/whole-shell')).not.toHaveProperty('bodySha256')
    expect(entryPoints).toContain('whole-run = whole:main')
  })

  test('is read in pieces where it is large', async () => {
    const data = Buffer.alloc(5_000_000, 'large')
    const wheel = buildWheel({
      name: 'foo',
      version: '1.0',
      data: new Map([
        ['a.bin', data],
        ['b.txt', Buffer.from('b')],
      ]),
    })
    const { files } = await read(wheel.bytes)
    expect(files.get('foo/a.bin')?.sha256).toBe(sha256(data))
    expect(files.get('foo/b.txt')?.sha256).toBe(sha256(Buffer.from('b')))
  })

  test.each([
    ['an entry that leads out', zipOf('../evil.py'), 'no path within a folder'],
    [
      'two entries for one file',
      zipOf('a.py', 'foo-1.0.data/purelib/a.py'),
      'two entries become "site/a.py"',
    ],
    ['two .dist-info folders', zipOf('bar-1.0.dist-info/METADATA'), 'it has 2 .dist-info folders'],
    [
      'no .dist-info folder',
      buildZip(new Map([['a.py', Buffer.from('')]])),
      'it has 0 .dist-info folders',
    ],
    [
      'two entries of one name',
      buildOddZip([
        { name: 'a', content: Buffer.from('1') },
        { name: 'a', content: Buffer.from('2') },
      ]),
      'two entries are called "a"',
    ],
    [
      'a bomb',
      buildOddZip([{ name: 'a', content: Buffer.alloc(9_000_000), isDeflated: true, size: 100 }]),
      'longer than the directory says',
    ],
    ['no zip at all', Buffer.from('no zip'), 'no zip archive'],
  ])('of a wheel with %s is refused whole', async (_, bytes, message) => {
    await expect(read(bytes)).rejects.toThrow(message)
  })
})
