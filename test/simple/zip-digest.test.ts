import { deflateRawSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { digestZipEntry } from '../../src/simple/zip-digest.ts'
import { readZipEntries, type ArchiveReader } from '../../src/simple/zip-entries.ts'
import { sha256 } from '../support/build-wheel.ts'
import { buildOddZip, type OddEntry } from '../support/odd-zip.ts'

function readerOf(bytes: Uint8Array): ArchiveReader {
  const read = (position: number, length: number) =>
    Promise.resolve(bytes.subarray(position, position + length))
  return { size: bytes.length, read }
}

async function digest(entry: OddEntry): Promise<string> {
  const reader = readerOf(buildOddZip([entry]))
  const [found] = await readZipEntries(reader)
  return digestZipEntry(reader, found!)
}

const large = Buffer.alloc(3_000_000, 'all work and no play ')

describe('the digest of an entry', () => {
  test.each([false, true])(
    'is that of its content (deflated: %s), also in many pieces',
    async (isDeflated) => {
      for (const content of [Buffer.alloc(0), Buffer.from('x'), large]) {
        expect(await digest({ name: 'a', content, isDeflated })).toBe(sha256(content))
      }
    },
  )

  test('is refused where it is longer than the directory says: a bomb is not unpacked', async () => {
    const bomb = { name: 'a', content: Buffer.alloc(50_000_000), isDeflated: true, size: 10 }
    await expect(digest(bomb)).rejects.toThrow('"a" is longer than the directory says')
  })

  test.each([
    [
      'shorter than the directory says',
      { content: large, isDeflated: true, size: large.length + 1 },
      'is not what the directory says',
    ],
    [
      'of another checksum',
      { content: large, isDeflated: true, crc: 1 },
      'is not what the directory says',
    ],
    ['encrypted', { content: large, flags: 1 }, 'is encrypted'],
    ['packed in a way that is not known', { content: large, method: 12 }, 'is packed by method 12'],
    [
      'no deflated data at all',
      { content: Buffer.alloc(1000, 0xff), method: 8 },
      /cannot be unpacked|two names or methods/,
    ],
    [
      'cut off within its data',
      { content: deflateRawSync(large).subarray(0, 100), method: 8, size: large.length },
      /cannot be unpacked|two names or methods|is not what/,
    ],
    ['of two names', { content: large, localName: 'b' }, 'two names or methods'],
  ])('is refused where it is %s', async (_, entry, message) => {
    await expect(digest({ name: 'a', ...entry })).rejects.toThrow(message)
  })

  test('ends with the reader: what the disk says is what is thrown', async () => {
    const bytes = buildOddZip([{ name: 'a', content: Buffer.from(large), isDeflated: true }])
    const reader = readerOf(bytes)
    const [entry] = await readZipEntries(reader)
    let reads = 0
    const failing: ArchiveReader = {
      size: reader.size,
      read: (position, length) => {
        reads += 1
        return reads > 2
          ? Promise.reject(new Error('the disk is gone'))
          : reader.read(position, length)
      },
    }
    await expect(digestZipEntry(failing, entry!)).rejects.toThrow('the disk is gone')
  })
})
