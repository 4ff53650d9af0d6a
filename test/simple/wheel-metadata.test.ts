import { describe, expect, test } from 'vitest'
import { readWheelMetadata } from '../../src/simple/wheel-metadata.ts'
import { buildWheel } from '../support/build-wheel.ts'
import { buildOddZip, type OddArchive, type OddEntry } from '../support/odd-zip.ts'

const metadata = Buffer.from('Metadata-Version: 2.1\nName: foo\nVersion: 1.0\n')
const path = 'foo-1.0.dist-info/METADATA'
const good: OddEntry = { name: path, content: metadata, isDeflated: true }

function read(bytes: Uint8Array): Promise<Uint8Array> {
  return readWheelMetadata({
    size: bytes.length,
    read: (position, length) => Promise.resolve(bytes.subarray(position, position + length)),
  })
}

describe('METADATA of a wheel', () => {
  test('is read, stored or deflated', async () => {
    const wheel = buildWheel({ name: 'foo', version: '1.0' })
    expect(await read(wheel.bytes)).toEqual(wheel.metadata)
    expect(await read(buildOddZip([good]))).toEqual(metadata)
  })

  test('is read in an archive with a comment', async () => {
    expect(await read(buildOddZip([good], { comment: Buffer.from('hello') }))).toEqual(metadata)
  })

  test('in a folder of its own packages is not meant', async () => {
    const vendored = { ...good, name: `foo/_vendor/${path}`, content: Buffer.from('other') }
    expect(await read(buildOddZip([vendored, good]))).toEqual(metadata)
  })
})

const bomb = Buffer.alloc(40 * 1024 ** 2)

describe('a wheel is refused', () => {
  const twice = [good, { ...good, content: Buffer.from('Name: evil') }]
  const spelled = { ...good, name: 'Foo-1.0.dist-info/metadata' }
  const cases: readonly [string, readonly OddEntry[], OddArchive, RegExp][] = [
    ['with two entries of one name', twice, {}, /^two entries are called "foo-1\.0\.dist-info/],
    ['with METADATA in two spellings', [good, spelled], {}, /^it has two METADATA$/],
    ['with a second dist-info', [good, { ...good, name: 'bar-1.dist-info/METADATA' }], {}, /two/],
    ['without METADATA', [{ ...good, name: 'foo/METADATA' }], {}, /^it has no METADATA$/],
    ['that is a bomb and says so', [{ ...good, content: bomb }], {}, /has 41943040 bytes$/],
    [
      'that is a bomb and says that it is small',
      [{ ...good, content: bomb, size: 100 }],
      {},
      /cannot be unpacked: it is longer than the directory says$/,
    ],
    ['whose METADATA is shorter than told', [{ ...good, size: 1000 }], {}, /not what the dir/],
    ['whose METADATA has another checksum', [{ ...good, crc: 1 }], {}, /not what the directory/],
    ['whose METADATA is encrypted', [{ ...good, flags: 1 }], {}, /is encrypted$/],
    ['whose METADATA is packed unheard of', [{ ...good, method: 93 }], {}, /packed by method 93$/],
    ['whose entry has two names', [{ ...good, localName: 'x' }], {}, /has two names or methods$/],
    ['with bytes behind its end', [good], { after: Buffer.from('x') }, /no zip archive/],
    ['with bytes before its start', [good], { before: Buffer.from('x') }, /does not end where/],
    ['that tells fewer entries', [good, { ...good, name: 'a' }], { count: 1 }, /more bytes than/],
    ['that tells more entries', [good], { count: 2 }, /its directory is broken$/],
    ['of zip64', [good], { count: 0xffff }, /zip64/],
  ]
  test.each(cases)('%s', async (_, entries, archive, problem) => {
    await expect(read(buildOddZip(entries, archive))).rejects.toThrow(problem)
  })

  test('that has two ends: an archive in the comment of another', async () => {
    const inner = buildOddZip([{ ...good, content: Buffer.from('Name: evil') }])
    const outer = buildOddZip([good], { comment: inner })
    await expect(read(outer)).rejects.toThrow('it has two ends')
  })

  test.each([0, 1, 21, 22, 100])('that is cut off after %i bytes', async (length) => {
    await expect(read(buildOddZip([good]).subarray(0, length))).rejects.toThrow(/archive/)
  })

  test('that is no archive at all', async () => {
    await expect(read(Buffer.alloc(100_000, 0x50))).rejects.toThrow('it is no zip archive')
  })
})
