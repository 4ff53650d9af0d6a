/**
 * The METADATA file in a wheel (PEP 427), found through the directory at the end of the archive, so
 * that a wheel of any size is read with three small reads.
 */

import { inflateRawSync } from 'node:zlib'
import { decodeUtf8, type Bytes } from '../base/bytes.ts'
import { DecodeError } from '../base/decode.ts'

/** A file at random access; what it gives may be shorter only at the end of the file. */
export interface ArchiveReader {
  readonly size: number
  read(offset: number, length: number): Promise<Bytes>
}

const maxDirectoryBytes = 64_000_000
const maxMetadataBytes = 16_000_000
/** The end record and the longest comment behind it. */
const maxEndBytes = 22 + 0xffff
const entryBytes = 46

interface Entry {
  readonly name: string
  readonly method: number
  readonly compressed: number
  readonly size: number
  readonly offset: number
}

/** Throws a DecodeError where there is not exactly one such file, or it cannot be read. */
export async function readWheelMetadata(archive: ArchiveReader): Promise<Bytes> {
  const entries = await readDirectory(archive)
  const found = entries.filter(({ name }) => /^[^/]+\.dist-info\/METADATA$/.test(name))
  const [entry] = found
  // pip takes the first, others the last: with two of them it would mean two things.
  if (entry === undefined || found.length > 1) {
    throw new DecodeError(`expected one .dist-info/METADATA, found ${found.length}`)
  }
  if (entry.size > maxMetadataBytes || entry.compressed > maxMetadataBytes) {
    throw new DecodeError(`METADATA is longer than ${maxMetadataBytes} bytes`)
  }
  return readEntry(archive, entry)
}

async function readEntry(archive: ArchiveReader, entry: Entry): Promise<Bytes> {
  const header = viewOf(await archive.read(entry.offset, 30), 30)
  if (header.getUint32(0, true) !== 0x04034b50) throw new DecodeError('a damaged zip entry')
  const start = entry.offset + 30 + header.getUint16(26, true) + header.getUint16(28, true)
  const raw = await archive.read(start, entry.compressed)
  const bytes = inflate(raw, entry)
  if (bytes.length !== entry.size) throw new DecodeError('METADATA has not the length it says')
  return bytes
}

function inflate(raw: Bytes, { method, size }: Entry): Bytes {
  if (method === 0) return raw
  if (method !== 8) throw new DecodeError(`METADATA is compressed by the unknown method ${method}`)
  try {
    return inflateRawSync(raw, { maxOutputLength: Math.max(1, size) })
  } catch (cause) {
    throw new DecodeError(`METADATA cannot be unpacked: ${String(cause).slice(0, 100)}`)
  }
}

async function readDirectory(archive: ArchiveReader): Promise<Entry[]> {
  const { start, length, count } = await findDirectory(archive)
  if (length > maxDirectoryBytes) throw new DecodeError('the directory of the zip is too long')
  const bytes = await archive.read(start, length)
  const entries: Entry[] = []
  let at = 0
  for (let index = 0; index < count; index += 1) {
    const view = viewOf(bytes.subarray(at), entryBytes)
    if (view.getUint32(0, true) !== 0x02014b50) throw new DecodeError('a damaged zip directory')
    const nameLength = view.getUint16(28, true)
    const name = readName(bytes.subarray(at + entryBytes, at + entryBytes + nameLength))
    entries.push({
      name,
      method: view.getUint16(10, true),
      compressed: view.getUint32(20, true),
      size: view.getUint32(24, true),
      offset: view.getUint32(42, true),
    })
    at += entryBytes + nameLength + view.getUint16(30, true) + view.getUint16(32, true)
  }
  return entries
}

/** Names that are no UTF-8 are somebody else's files. */
function readName(bytes: Bytes): string {
  try {
    return decodeUtf8(bytes)
  } catch {
    return ''
  }
}

async function findDirectory(
  archive: ArchiveReader,
): Promise<{ start: number; length: number; count: number }> {
  const length = Math.min(archive.size, maxEndBytes)
  const tail = await archive.read(archive.size - length, length)
  for (let at = tail.length - 22; at >= 0; at -= 1) {
    const view = viewOf(tail.subarray(at), 22)
    if (view.getUint32(0, true) !== 0x06054b50) continue
    // The comment must reach exactly to the end: else the signature stands in a comment.
    if (at + 22 + view.getUint16(20, true) !== tail.length) continue
    return {
      count: view.getUint16(10, true),
      length: view.getUint32(12, true),
      start: view.getUint32(16, true),
    }
  }
  throw new DecodeError('not a zip archive')
}

function viewOf(bytes: Bytes, length: number): DataView {
  if (bytes.length < length) throw new DecodeError('the zip archive is cut off')
  return new DataView(bytes.buffer, bytes.byteOffset, length)
}
