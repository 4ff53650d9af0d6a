/**
 * A zip archive as far as a wheel uses it (PEP 427, APPNOTE 4.3), read strictly: one directory, at
 * the end, of entries with different names that agree with their local headers. What two readers
 * could take for two archives is refused. Nothing is unpacked but what is asked for, within a limit.
 */

import { crc32, inflateRawSync } from 'node:zlib'
import type { Bytes } from '../base/bytes.ts'
import { DecodeError } from '../base/decode.ts'

/** Of the archive: fewer bytes than asked for only at its end. */
export interface ArchiveReader {
  readonly size: number
  read(position: number, length: number): Promise<Bytes>
}

export interface ZipEntry {
  readonly name: string
  readonly method: number
  readonly flags: number
  readonly crc: number
  readonly packedSize: number
  readonly size: number
  readonly offset: number
}

const endBytes = 22
const maxCommentBytes = 0xffff
const directoryEntryBytes = 46
const localHeaderBytes = 30
const maxDirectoryBytes = 64 * 1024 ** 2
const maxEntries = 0xffff
const sizeOfZip64 = 0xffffffff
const isEncrypted = 1

/** Throws DecodeError with the problem. */
export async function readZipEntries(archive: ArchiveReader): Promise<readonly ZipEntry[]> {
  const { count, length, offset } = await readEnd(archive)
  const bytes = Buffer.from(await archive.read(offset, length))
  const entries: ZipEntry[] = []
  const names = new Set<string>()
  let at = 0
  for (let number = 0; number < count; number += 1) {
    const { entry, next } = readDirectoryEntry(bytes, at)
    if (names.has(entry.name)) throw new DecodeError(`two entries are called ${quote(entry.name)}`)
    names.add(entry.name)
    entries.push(entry)
    at = next
  }
  if (at !== bytes.length) throw new DecodeError('its directory has more bytes than entries')
  return entries
}

interface End {
  readonly count: number
  readonly length: number
  readonly offset: number
}

/** APPNOTE 4.3.16. The last one that reaches to the end of the file, and the only one that does. */
async function readEnd(archive: ArchiveReader): Promise<End> {
  const { size } = archive
  const start = Math.max(0, size - endBytes - maxCommentBytes)
  const tail = Buffer.from(await archive.read(start, size - start))
  const places: number[] = []
  for (let at = tail.length - endBytes; at >= 0; at -= 1) {
    if (tail.readUInt32LE(at) !== 0x06054b50) continue
    if (at + endBytes + tail.readUInt16LE(at + 20) === tail.length) places.push(at)
  }
  const [place] = places
  if (place === undefined) throw new DecodeError('it is no zip archive, or not whole')
  if (places.length > 1) throw new DecodeError('it has two ends')
  const count = tail.readUInt16LE(place + 10)
  const length = tail.readUInt32LE(place + 12)
  const offset = tail.readUInt32LE(place + 16)
  const isSplit = tail.readUInt32LE(place + 4) !== 0 || tail.readUInt16LE(place + 8) !== count
  if (isSplit) throw new DecodeError('it has several parts')
  if (count === maxEntries || length === sizeOfZip64 || offset === sizeOfZip64)
    throw new DecodeError('it is a zip64 archive, which is not read here')
  if (length > maxDirectoryBytes) throw new DecodeError(`its directory has ${length} bytes`)
  if (offset + length !== start + place)
    throw new DecodeError('its directory does not end where the archive does')
  return { count, length, offset }
}

/** APPNOTE 4.3.12. */
function readDirectoryEntry(bytes: Buffer, at: number): { entry: ZipEntry; next: number } {
  if (at + directoryEntryBytes > bytes.length || bytes.readUInt32LE(at) !== 0x02014b50)
    throw new DecodeError('its directory is broken')
  const nameLength = bytes.readUInt16LE(at + 28)
  const next =
    at +
    directoryEntryBytes +
    nameLength +
    bytes.readUInt16LE(at + 30) +
    bytes.readUInt16LE(at + 32)
  if (next > bytes.length) throw new DecodeError('its directory is broken')
  const nameAt = at + directoryEntryBytes
  const entry = {
    // Byte by byte: whichever character set is meant, the same bytes are the same name.
    name: bytes.toString('latin1', nameAt, nameAt + nameLength),
    flags: bytes.readUInt16LE(at + 8),
    method: bytes.readUInt16LE(at + 10),
    crc: bytes.readUInt32LE(at + 16),
    packedSize: bytes.readUInt32LE(at + 20),
    size: bytes.readUInt32LE(at + 24),
    offset: bytes.readUInt32LE(at + 42),
  }
  return { entry, next }
}

/** The content of one entry. Throws DecodeError, also where it is longer than `maxBytes`. */
export async function readZipEntry(
  archive: ArchiveReader,
  entry: ZipEntry,
  maxBytes: number,
): Promise<Bytes> {
  const what = quote(entry.name)
  if ((entry.flags & isEncrypted) !== 0) throw new DecodeError(`${what} is encrypted`)
  if (entry.size > maxBytes || entry.packedSize > maxBytes)
    throw new DecodeError(`${what} has ${Math.max(entry.size, entry.packedSize)} bytes`)
  const start = await findContent(archive, entry)
  const packed = await archive.read(start, entry.packedSize)
  if (packed.length !== entry.packedSize) throw new DecodeError(`${what} is cut off`)
  const content = unpack(entry, packed)
  if (content.length !== entry.size || crc32(content) !== entry.crc)
    throw new DecodeError(`${what} is not what the directory says`)
  return content
}

/** Where it begins. APPNOTE 4.3.7: what stands before the content must be about the same entry. */
export async function findContent(archive: ArchiveReader, entry: ZipEntry): Promise<number> {
  const head = Buffer.from(await archive.read(entry.offset, localHeaderBytes))
  if (head.length < localHeaderBytes || head.readUInt32LE(0) !== 0x04034b50)
    throw new DecodeError(`${quote(entry.name)} is not where the directory says`)
  const nameLength = head.readUInt16LE(26)
  const name = Buffer.from(await archive.read(entry.offset + localHeaderBytes, nameLength))
  const isSame = name.toString('latin1') === entry.name && head.readUInt16LE(8) === entry.method
  if (!isSame) throw new DecodeError(`${quote(entry.name)} has two names or methods`)
  return entry.offset + localHeaderBytes + nameLength + head.readUInt16LE(28)
}

function unpack({ name, method, size }: ZipEntry, packed: Bytes): Bytes {
  if (method === 0) return packed
  if (method !== 8) throw new DecodeError(`${quote(name)} is packed by method ${method}`)
  try {
    // zlib itself stops at the limit: a bomb is never unpacked. At least 1, which it demands.
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, size) })
  } catch (error) {
    throw new DecodeError(`${quote(name)} cannot be unpacked: ${describe(error)}`)
  }
}

function describe(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'ERR_BUFFER_TOO_LARGE' ? 'it is longer than the directory says' : 'broken data'
}

function quote(name: string): string {
  return JSON.stringify(name.slice(0, 100))
}
