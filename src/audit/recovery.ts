/**
 * What a new chain finds: torn last lines of processes that were killed, and the newest line of the
 * newest other chain, which it names in its first line.
 */

import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  fsyncSync,
  openSync,
  readdirSync,
  readSync,
} from 'node:fs'
import { join } from 'node:path'
import { decodeUtf8, type Bytes } from '../base/bytes.ts'
import { readInteger, readMember, readObject } from '../base/decode.ts'
import { sha256Hex } from '../base/digest.ts'
import { findErrno } from './audit-error.ts'
import type { AuditEvent } from './event.ts'
import type { AuditHead } from './head.ts'
import { maxLineBytes } from './line.ts'
import { sortParts, type PartName } from './part-name.ts'

const lineFeed = 0x0a
const tailBytes = 2 * maxLineBytes

/** Cuts torn last lines, and tells of each. The chains of living processes are not touched. */
export function mendTornLines(
  directory: string,
  isAlive: (owner: string) => boolean,
): AuditEvent[] {
  const last = new Map(sortParts(readdirSync(directory)).map((part) => [part.chain, part]))
  const dead = [...last.values()].filter(({ owner }) => !isAlive(owner))
  return dead.flatMap((part) => mendPart(directory, part) ?? [])
}

function mendPart(directory: string, { file }: PartName): AuditEvent | undefined {
  return withFile(join(directory, file), 'r+', (descriptor) => {
    const tail = readTail(descriptor)
    const torn = tail.bytes.subarray(tail.bytes.lastIndexOf(lineFeed) + 1)
    // Longer than any line: not a torn one. The verifier tells of it.
    if (torn.length === 0 || torn.length > maxLineBytes) return undefined
    ftruncateSync(descriptor, tail.end - torn.length)
    fsyncSync(descriptor)
    return {
      kind: 'warning',
      message: `the last line of ${file} was torn by a crash and was cut: ${torn.length} bytes`,
      found: `sha256 of what was cut: ${sha256Hex(torn)}`,
    }
  })
}

/** The last whole line of the part that was written last. */
export function findNewestHead(directory: string): AuditHead | undefined {
  const parts = sortParts(readdirSync(directory)).flatMap((part) => {
    const path = join(directory, part.file)
    const stats = withFile(path, 'r', (descriptor) => fstatSync(descriptor))
    return stats === undefined || stats.size === 0
      ? []
      : [{ ...part, path, written: stats.mtimeMs }]
  })
  // Later in the list wins among equals.
  const newest = parts.reduce<(typeof parts)[number] | undefined>(
    (best, part) => (best === undefined || part.written >= best.written ? part : best),
    undefined,
  )
  if (newest === undefined) return undefined
  const line = withFile(newest.path, 'r', findLastLine)
  const seq = line === undefined ? undefined : findSeq(line)
  if (line === undefined || seq === undefined) return undefined
  return { chain: newest.chain, seq, digest: sha256Hex(line) }
}

function findLastLine(descriptor: number): Bytes | undefined {
  const { bytes } = readTail(descriptor)
  const end = bytes.lastIndexOf(lineFeed)
  if (end < 0) return undefined
  return bytes.subarray(end === 0 ? 0 : bytes.lastIndexOf(lineFeed, end - 1) + 1, end)
}

function findSeq(line: Bytes): number | undefined {
  try {
    const value: unknown = JSON.parse(decodeUtf8(line))
    return readMember(readObject(value), 'seq', (seq) => readInteger(seq, 1))
  } catch {
    // Damaged: the verifier tells of it, and there is no head to name.
    return undefined
  }
}

function readTail(descriptor: number): { readonly bytes: Buffer; readonly end: number } {
  const end = fstatSync(descriptor).size
  const bytes = Buffer.alloc(Math.min(end, tailBytes))
  const length = readSync(descriptor, bytes, 0, bytes.length, end - bytes.length)
  return { bytes: bytes.subarray(0, length), end }
}

// A FIFO in the place of a part would hold the start up for ever, and a link lead to another's file.
const safeFlags = constants.O_NONBLOCK | constants.O_NOFOLLOW

/** `undefined` where the file has gone meanwhile. */
function withFile<T>(
  path: string,
  mode: 'r' | 'r+',
  use: (descriptor: number) => T,
): T | undefined {
  let descriptor
  try {
    const access = mode === 'r' ? constants.O_RDONLY : constants.O_RDWR
    descriptor = openSync(path, access | safeFlags)
  } catch (error) {
    if (findErrno(error) === 'ENOENT') return undefined
    throw error
  }
  try {
    if (!fstatSync(descriptor).isFile()) throw new Error(`${path} is not a file`)
    return use(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
