/** How large a document is: as it is written, and as it travels. */

import { gzipSync } from 'node:zlib'

export interface Size {
  readonly raw: number
  readonly gzip: number
}

export const nothing: Size = { raw: 0, gzip: 0 }

/** As the mirror writes its twins, and as `gzip -9` does. */
export function sizeOf(bytes: Uint8Array): Size {
  return { raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length }
}

export function sumSizes(sizes: readonly Size[]): Size {
  const add = (sum: Size, one: Size): Size => ({
    raw: sum.raw + one.raw,
    gzip: sum.gzip + one.gzip,
  })
  return sizes.reduce(add, nothing)
}

export function averageSize(sizes: readonly Size[]): Size {
  const { raw, gzip } = sumSizes(sizes)
  const count = Math.max(1, sizes.length)
  return { raw: Math.round(raw / count), gzip: Math.round(gzip / count) }
}
