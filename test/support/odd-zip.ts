/** Zip archives whose every field may lie: for readers that must not be taken in. */

import { crc32, deflateRawSync } from 'node:zlib'

export interface OddEntry {
  readonly name: string
  readonly content: Uint8Array
  readonly isDeflated?: boolean
  /** What stands in the directory in place of the truth. */
  readonly size?: number
  readonly crc?: number
  readonly method?: number
  readonly flags?: number
  /** What stands before the content in place of the name in the directory. */
  readonly localName?: string
}

export interface OddArchive {
  readonly before?: Uint8Array
  readonly after?: Uint8Array
  readonly comment?: Uint8Array
  /** Entries that the end of the archive tells. */
  readonly count?: number
}

export function buildOddZip(entries: readonly OddEntry[], archive: OddArchive = {}): Buffer {
  const parts: Uint8Array[] = archive.before === undefined ? [] : [archive.before]
  const directory: Uint8Array[] = []
  let offset = 0
  for (const entry of entries) {
    const packed = entry.isDeflated === true ? deflateRawSync(entry.content) : entry.content
    const local = renderHead(entry, packed.length, entry.localName ?? entry.name)
    const name = Buffer.from(entry.localName ?? entry.name, 'latin1')
    parts.push(tag(0x04034b50), local, name, packed)
    const place = Buffer.alloc(14)
    place.writeUInt32LE(offset, 10)
    directory.push(tag(0x02014b50), Buffer.from([20, 3]))
    directory.push(renderHead(entry, packed.length, entry.name), place)
    directory.push(Buffer.from(entry.name, 'latin1'))
    offset += 4 + local.length + name.length + packed.length
  }
  const central = Buffer.concat(directory)
  const end = Buffer.alloc(18)
  end.writeUInt16LE(archive.count ?? entries.length, 4)
  end.writeUInt16LE(archive.count ?? entries.length, 6)
  end.writeUInt32LE(central.length, 8)
  end.writeUInt32LE(offset, 12)
  const comment = archive.comment ?? new Uint8Array(0)
  end.writeUInt16LE(comment.length, 16)
  const after = archive.after ?? new Uint8Array(0)
  return Buffer.concat([...parts, central, tag(0x06054b50), end, comment, after])
}

function renderHead(entry: OddEntry, packedSize: number, name: string): Buffer {
  const { content, isDeflated = false } = entry
  const head = Buffer.alloc(26)
  head.writeUInt16LE(20, 0)
  head.writeUInt16LE(entry.flags ?? 0, 2)
  head.writeUInt16LE(entry.method ?? (isDeflated ? 8 : 0), 4)
  head.writeUInt32LE(entry.crc ?? crc32(content), 10)
  head.writeUInt32LE(packedSize, 14)
  head.writeUInt32LE(entry.size ?? content.length, 18)
  head.writeUInt16LE(Buffer.byteLength(name, 'latin1'), 22)
  return head
}

function tag(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
