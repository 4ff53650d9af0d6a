/** The digests of all that is in a wheel whose own sha256 was verified, in the order in which it lies. */

import type { Bytes } from '../../base/bytes.ts'
import { DecodeError } from '../../base/decode.ts'
import { sha256Hex } from '../../base/digest.ts'
import type { SignedFile, SignedWheel } from '../../installed/compare-wheel.ts'
import { placeEntry, readEntryName } from '../../installed/wheel-place.ts'
import { digestZipEntry } from '../../simple/zip-digest.ts'
import {
  readZipEntries,
  readZipEntry,
  type ArchiveReader,
  type ZipEntry,
} from '../../simple/zip-entries.ts'
import type { VerifiedFile } from '../../store/verified-file.ts'

/** Unpacked; the largest wheels have some GB. */
const maxUnpackedBytes = 64 * 1024 ** 3
/** Larger entries are unpacked piece by piece. */
const maxHeldBytes = 1 << 20
const maxScriptBytes = 16 * 1024 ** 2
const windowBytes = 1 << 20

/** Throws DecodeError with what is wrong with it. */
export async function readSignedWheel(filename: string, file: VerifiedFile): Promise<SignedWheel> {
  const archive = createWindowReader(file)
  const entries = await readZipEntries(archive)
  const total = entries.reduce((sum, { size }) => sum + size, 0)
  if (total > maxUnpackedBytes) throw new DecodeError(`it has ${total} bytes when unpacked`)
  const files = new Map<string, SignedFile>()
  const places = new Set<string>()
  let entryPoints = ''
  for (const entry of entries.toSorted((left, right) => left.offset - right.offset)) {
    const name = readEntryName(entry.name, entry.flags)
    const place = placeEntry(name)
    if (place === undefined) continue
    const key = `${place.scheme}/${place.path}`
    if (places.has(key)) throw new DecodeError(`two entries become ${JSON.stringify(key)}`)
    places.add(key)
    const isScript = place.scheme === 'scripts'
    files.set(name, await readFile(archive, entry, isScript))
    if (/^[^/]+\.dist-info\/entry_points\.txt$/.test(name))
      entryPoints = await readText(archive, entry)
  }
  requireOneInfoFolder(files)
  return { filename, sha256: file.sha256, files, entryPoints }
}

async function readFile(
  archive: ArchiveReader,
  entry: ZipEntry,
  isScript: boolean,
): Promise<SignedFile> {
  const { size } = entry
  if (size > (isScript ? maxScriptBytes : maxHeldBytes))
    return { size, sha256: await digestZipEntry(archive, entry) }
  const content = await readZipEntry(archive, entry, maxScriptBytes)
  const bodySha256 = isScript ? digestBody(content) : undefined
  return { size, sha256: sha256Hex(content), ...(bodySha256 !== undefined && { bodySha256 }) }
}

/** PEP 427: `#!python` is replaced by the installer. */
function digestBody(content: Bytes): string | undefined {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength)
  const end = bytes.indexOf('\n')
  return bytes.subarray(0, 8).toString('latin1') === '#!python' && end >= 0
    ? sha256Hex(bytes.subarray(end + 1))
    : undefined
}

async function readText(archive: ArchiveReader, entry: ZipEntry): Promise<string> {
  return Buffer.from(await readZipEntry(archive, entry, maxHeldBytes)).toString('utf8')
}

function requireOneInfoFolder(files: ReadonlyMap<string, SignedFile>): void {
  const folders = new Set<string>()
  for (const name of files.keys()) {
    const [, folder] = /^([^/]+\.dist-info)\//.exec(name) ?? []
    if (folder !== undefined) folders.add(folder)
  }
  if (folders.size !== 1) throw new DecodeError(`it has ${folders.size} .dist-info folders`)
}

/** Entries lie one behind the other: one read of the disk serves many of them. */
function createWindowReader(file: VerifiedFile): ArchiveReader {
  const buffer = Buffer.allocUnsafeSlow(windowBytes)
  let start = 0
  let length = 0
  return {
    size: file.size,
    read: async (position, wanted) => {
      const isHeld = position >= start && position + wanted <= start + length
      if (!isHeld && wanted > windowBytes / 2) return readExactly(file, position, wanted)
      if (!isHeld) {
        length = 0
        length = await file.read(buffer, position, windowBytes)
        start = position
      }
      // A copy: the window moves on while whoever asked still works with it.
      return Buffer.from(
        buffer.subarray(position - start, Math.min(position - start + wanted, length)),
      )
    },
  }
}

async function readExactly(file: VerifiedFile, position: number, wanted: number): Promise<Bytes> {
  const bytes = Buffer.allocUnsafeSlow(Math.max(0, Math.min(wanted, file.size - position)))
  let length = 0
  while (length < bytes.length) {
    const count = await file.read(bytes.subarray(length), position + length, bytes.length - length)
    if (count === 0) break
    length += count
  }
  return bytes.subarray(0, length)
}
