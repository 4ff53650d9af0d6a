/**
 * A verified file on its way to a client: whole or one range, conditional, with an ETag. The next read
 * from disk overlaps the write to the socket, in two buffers that are used again.
 */

import { RequestError, StorageError, VerifyError } from '../base/errors.ts'
import { isBlindResume, requireNoSplice } from './blind-resume.ts'
import { isNotModified, isRangeWanted } from './conditional.ts'
import { describeExchange, isHead, type Exchange } from './exchange.ts'
import type { VerifiedFile } from './gateway.ts'
import { parseRange } from './range.ts'
import type { RequestLog } from './request-log.ts'
import { beginFile, chunkBytes, endEmpty, respondNotModified, sendChunk } from './respond.ts'

type BufferPair = readonly [Uint8Array, Uint8Array]

/** Buffers between transfers. A pair whose transfer broke off is not given back: a write may hold it. */
export class BufferPool {
  readonly #free: BufferPair[] = []

  take(): BufferPair {
    return (
      this.#free.pop() ?? [Buffer.allocUnsafeSlow(chunkBytes), Buffer.allocUnsafeSlow(chunkBytes)]
    )
  }

  give(pair: BufferPair): void {
    if (this.#free.length < 16) this.#free.push(pair)
  }
}

export interface SendDependencies {
  readonly log: RequestLog
  readonly pool: BufferPool
  readonly now: () => number
}

function etagOf(sha256: string): string {
  return `"sha256-${sha256}"`
}

/** For an answer that has not begun. Throws RANGE_NOT_SATISFIABLE and StorageError. */
export async function sendVerified(
  exchange: Exchange,
  file: VerifiedFile,
  dependencies: SendDependencies,
): Promise<void> {
  const { headers } = exchange.request
  const etag = etagOf(file.sha256)
  const fileHeaders = ['ETag', etag, 'Accept-Ranges', 'bytes']
  if (isNotModified(headers['if-none-match'], etag)) {
    await logRelease(exchange, 0, dependencies)
    respondNotModified(exchange, [...fileHeaders, 'Cache-Control', 'no-cache'])
    return
  }
  if (isHead(exchange)) {
    await logRelease(exchange, 0, dependencies)
    beginFile(exchange, 200, fileHeaders, file.size)
    endEmpty(exchange)
    return
  }
  const range = requireRange(exchange, file, etag)
  const begin = (): void => {
    const { start, end } = range
    if (!range.isPartial) return beginFile(exchange, 200, fileHeaders, file.size)
    const contentRange = `bytes ${start}-${end}/${file.size}`
    beginFile(exchange, 206, [...fileHeaders, 'Content-Range', contentRange], end - start + 1)
  }
  await sendBytes(exchange, { file, start: range.start, end: range.end, begin }, dependencies)
}

interface WantedRange {
  readonly start: number
  readonly end: number
  readonly isPartial: boolean
}

function requireRange(exchange: Exchange, file: VerifiedFile, etag: string): WantedRange {
  const { headers } = exchange.request
  const whole = { start: 0, end: file.size - 1, isPartial: false }
  const rawIfRange = headers['if-range']
  if (!isRangeWanted(typeof rawIfRange === 'string' ? rawIfRange : undefined, etag)) return whole
  const range = parseRange(headers.range, file.size)
  if (range === 'whole') return whole
  if (range === 'unsatisfiable') {
    exchange.subject.refusalHeaders = ['Content-Range', `bytes */${file.size}`]
    throw new RequestError('RANGE_NOT_SATISFIABLE', `the file has ${file.size} bytes`, {
      expected: `a range within ${file.size} bytes`,
      found: headers.range ?? '',
    })
  }
  if (!isBlindResume(exchange.request)) return { ...range, isPartial: true }
  requireNoSplice(exchange.request)
  return whole
}

export interface Stretch {
  readonly file: VerifiedFile
  readonly start: number
  /** The last byte. */
  readonly end: number
  /** Writes status and headers, once the first bytes are there. */
  readonly begin: () => void
}

/** The last bytes leave only after the release is in the audit log. */
export async function sendBytes(
  exchange: Exchange,
  { file, start, end, begin }: Stretch,
  dependencies: SendDependencies,
): Promise<void> {
  const logged = logRelease(exchange, end + 1 - start, dependencies)
  // Awaited before the last bytes; until then a failure must not count as unhandled.
  logged.catch(() => undefined)
  if (start > end) {
    await logged
    begin()
    return endEmpty(exchange)
  }
  const pair = dependencies.pool.take()
  let sending: Promise<boolean> = Promise.resolve(true)
  for (let position = start, turn = 0; position <= end; turn ^= 1) {
    const chunk = pair[turn === 0 ? 0 : 1].subarray(0, Math.min(chunkBytes, end + 1 - position))
    // oxlint-disable-next-line no-await-in-loop -- this read overlaps the write of the other buffer
    await readWhole(file, chunk, position)
    const isFirst = position === start
    position += chunk.length
    const isLast = position > end
    // oxlint-disable-next-line no-await-in-loop -- the order of the bytes
    if (isLast) await logged
    // oxlint-disable-next-line no-await-in-loop -- the order of the bytes
    if (!(await sending)) return
    if (isFirst) begin()
    sending = sendChunk(exchange, chunk, isLast)
  }
  if (await sending) dependencies.pool.give(pair)
}

/** Fills the buffer; a file that ends early has been damaged on disk. */
export async function readWhole(
  file: VerifiedFile,
  buffer: Uint8Array,
  position: number,
): Promise<void> {
  for (let filled = 0; filled < buffer.length;) {
    // oxlint-disable-next-line no-await-in-loop -- each read begins where the last one ended
    const count = await file.read(
      buffer.subarray(filled),
      position + filled,
      buffer.length - filled,
    )
    if (count === 0) {
      throw new StorageError('STORAGE_FAILED', `the stored file ${file.sha256} is cut short`, {
        expected: `${file.size} bytes`,
        found: `${position + filled} bytes`,
        next: 'check the disk; the file is fetched again once it is removed from the vault',
      })
    }
    filled += count
  }
}

/** A digest may agree where the record signs another length: the record is what counts. */
export function requireSignedSize(file: VerifiedFile, signedSize: number | undefined): void {
  if (signedSize === undefined || signedSize === file.size) return
  throw new VerifyError('LENGTH_MISMATCH', 'the length of the file is not the one in its record', {
    expected: `${signedSize} bytes`,
    found: `${file.size} bytes`,
  })
}

async function logRelease(
  exchange: Exchange,
  bytes: number,
  { log, now }: SendDependencies,
): Promise<void> {
  const { expected } = exchange.subject
  await log.requireWritten(
    describeExchange(exchange, 'released', now(), {
      bytes,
      // What was found is what was expected, or nothing is released.
      ...(expected === undefined ? {} : { expected, found: expected }),
    }),
  )
}
