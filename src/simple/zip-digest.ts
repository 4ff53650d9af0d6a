/**
 * The digest of one entry of a zip archive, unpacked piece by piece: the whole of it is never in memory,
 * and no more of it is unpacked than the directory says that there is.
 */

import { crc32, createInflateRaw, type InflateRaw } from 'node:zlib'
import type { Bytes } from '../base/bytes.ts'
import { DecodeError } from '../base/decode.ts'
import { createHasher, type Hasher } from '../base/digest.ts'
import { findContent, type ArchiveReader, type ZipEntry } from './zip-entries.ts'

const pieceBytes = 1 << 18

/** sha256 in hexadecimal. Throws DecodeError where the entry is not what the directory says. */
export async function digestZipEntry(archive: ArchiveReader, entry: ZipEntry): Promise<string> {
  const { name, method, size, crc, flags } = entry
  const what = JSON.stringify(name.slice(0, 100))
  if ((flags & 1) !== 0) throw new DecodeError(`${what} is encrypted`)
  if (method !== 0 && method !== 8) throw new DecodeError(`${what} is packed by method ${method}`)
  const content = new Content(size, what)
  const pieces = readPieces(archive, entry, await findContent(archive, entry))
  if (method === 0) for await (const piece of pieces) content.add(piece)
  else await inflate(pieces, content, what)
  const found = content.end()
  if (found.size !== size || found.crc !== crc)
    throw new DecodeError(`${what} is not what the directory says`)
  return found.sha256
}

class Content {
  readonly #maxBytes: number
  readonly #what: string
  readonly #hasher: Hasher = createHasher('sha256')
  #size = 0
  #crc = 0

  constructor(maxBytes: number, what: string) {
    this.#maxBytes = maxBytes
    this.#what = what
  }

  add(piece: Bytes): void {
    this.#size += piece.length
    if (this.#size > this.#maxBytes)
      throw new DecodeError(`${this.#what} is longer than the directory says`)
    this.#crc = crc32(piece, this.#crc)
    this.#hasher.update(piece)
  }

  end(): { size: number; crc: number; sha256: string } {
    return { size: this.#size, crc: this.#crc, sha256: this.#hasher.digestHex() }
  }
}

async function* readPieces(
  archive: ArchiveReader,
  { packedSize, name }: ZipEntry,
  start: number,
): AsyncGenerator<Bytes> {
  for (let at = 0; at < packedSize;) {
    const piece = await archive.read(start + at, Math.min(pieceBytes, packedSize - at))
    if (piece.length === 0)
      throw new DecodeError(`${JSON.stringify(name.slice(0, 100))} is cut off`)
    at += piece.length
    yield piece
  }
}

async function inflate(
  pieces: AsyncIterable<Bytes>,
  content: Content,
  what: string,
): Promise<void> {
  const stream = createInflateRaw()
  const feeding = feed(stream, pieces)
  try {
    for await (const piece of stream) content.add(piece as Bytes)
  } catch (error) {
    if (!isZlibError(error)) throw error
    throw new DecodeError(`${what} cannot be unpacked: broken data`)
  } finally {
    stream.destroy()
    await feeding
  }
}

function isZlibError(error: unknown): boolean {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' && code.startsWith('Z_')
}

/** What goes wrong here is thrown where the stream is read. */
async function feed(stream: InflateRaw, pieces: AsyncIterable<Bytes>): Promise<void> {
  try {
    for await (const piece of pieces) {
      if (stream.destroyed) return
      if (!stream.write(piece)) await drained(stream)
    }
    stream.end()
  } catch (error) {
    stream.destroy(error instanceof Error ? error : new Error(String(error)))
  }
}

function drained(stream: InflateRaw): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      stream.off('drain', settle)
      stream.off('close', settle)
      resolve()
    }
    stream.on('drain', settle)
    stream.on('close', settle)
  })
}
