/**
 * Keeps a client waiting for a file that is still being verified: after `holdForMs` the headers, then
 * one byte each `dripEveryMs`, at most 48 and never the whole file (product: releasing a file).
 * It ends when the file is verified, or throws; whoever catches cuts the answer off.
 */

import { UpstreamError, VerifyError } from '../base/errors.ts'
import { maxUnverifiedBytes, requireNoSplice } from './blind-resume.ts'
import { isGone, type Exchange } from './exchange.ts'
import type { FetchProgress, FileFetch, VerifiedFile } from './gateway.ts'
import { beginFile, sendChunk } from './respond.ts'
import { readWhole } from './send-verified.ts'
import { waitFor } from './timer.ts'

export interface TrickleTimings {
  /** Nothing is sent before; installers wait 15 s for a first sign. */
  readonly holdForMs: number
  readonly dripEveryMs: number
}

/** How often to look for a length, or a first byte, that was not there when the headers were due. */
const pollMs = 1000
/**
 * So long after the headers were due for a first byte. Headers alone would not keep an installer waiting, and
 * once they are out no reason can be told; together with hold-for it is less than the 15 s that pip waits.
 */
const maxSilenceMs = 4000

export interface TrickleInput {
  readonly fetching: FileFetch
  readonly signedSize: number | undefined
  /** Resolves when the client is gone. */
  readonly closed: Promise<void>
  readonly timings: TrickleTimings
}

/** An answer that has begun: its length is promised, and its bytes come from one attempt. */
export interface Begun {
  readonly attempt: number
  readonly length: number
  /** Copies of what has left. */
  readonly sent: Uint8Array
}

/** `verified`: nothing has been sent yet. Throws what the fetch throws, and UpstreamError. */
export async function runTrickle(
  exchange: Exchange,
  input: TrickleInput,
): Promise<'closed' | 'verified' | Begun> {
  const promised = await waitForLength(exchange, input)
  if (typeof promised === 'string') return promised
  requireNoSplice(exchange.request)
  beginFile(exchange, 200, [], promised.length)
  // Without this the headers would wait for the first byte.
  exchange.response.flushHeaders()
  // Less than the whole: a small file is complete with less than 48 bytes.
  const sent = new Uint8Array(Math.min(maxUnverifiedBytes, promised.length - 1))
  let count = 0
  for (;;) {
    const { head } = requireSameAttempt(promised.attempt, input.fetching.progress())
    if (count < head.length && count < sent.length) {
      sent.set(head.subarray(count, count + 1), count)
      // oxlint-disable-next-line no-await-in-loop -- one byte at a time is the purpose
      if (!(await sendChunk(exchange, sent.slice(count, count + 1), false))) return 'closed'
      count += 1
    }
    // oxlint-disable-next-line no-await-in-loop -- the pause between two bytes
    const waited = await wait(exchange, input, input.timings.dripEveryMs)
    if (waited === 'closed' || isGone(exchange)) return 'closed'
    if (waited === 'done') {
      requireSameAttempt(promised.attempt, input.fetching.progress())
      return { ...promised, sent: sent.slice(0, count) }
    }
    requireNotSpent(count, sent.length)
  }
}

/** The rest follows only where what has left is the beginning of the verified file. */
export async function requireContinues(begun: Begun, file: VerifiedFile): Promise<void> {
  if (begun.length !== file.size) {
    throw new VerifyError('LENGTH_MISMATCH', 'the announced length is not that of the file', {
      expected: `${file.size} bytes`,
      found: `${begun.length} bytes`,
      next: 'ask again: the whole file is here now',
    })
  }
  const first = new Uint8Array(begun.sent.length)
  await readWhole(file, first, 0)
  if (Buffer.compare(first, begun.sent) !== 0) {
    throw new VerifyError('DIGEST_MISMATCH', 'the answer had begun with bytes of another file', {
      next: 'ask again: the whole file is here now',
    })
  }
}

/** Without a length no headers can go out: an answer of unknown length could end as if it were whole. */
async function waitForLength(
  exchange: Exchange,
  input: TrickleInput,
): Promise<'closed' | 'verified' | { attempt: number; length: number }> {
  const maxWaitMs = input.timings.dripEveryMs * (maxUnverifiedBytes + 1)
  for (let waitedMs = 0; waitedMs <= maxWaitMs; waitedMs += pollMs) {
    const progress = input.fetching.progress()
    const length = input.signedSize ?? progress.length ?? 0
    const hasBegun = progress.head.length > 0
    // Headers alone are the whole of an empty file: it has to be verified first.
    if (length > 0 && hasBegun) return { attempt: progress.attempt, length }
    if (!hasBegun && waitedMs >= maxSilenceMs) throw refuseSilence(input.timings, waitedMs)
    // oxlint-disable-next-line no-await-in-loop -- the pause between two looks
    const waited = await wait(exchange, input, pollMs)
    if (waited !== 'pending') return waited === 'done' ? 'verified' : 'closed'
  }
  throw new UpstreamError('TIMED_OUT', 'the file host has not even told the length of the file', {
    next: 'ask again later',
  })
}

function refuseSilence({ holdForMs }: TrickleTimings, waitedMs: number): UpstreamError {
  const seconds = Math.round((holdForMs + waitedMs) / 1000)
  return new UpstreamError('TIMED_OUT', `the file host has not sent a byte in ${seconds} s`, {
    next: 'ask again: the fetch goes on, and what has arrived by then is served at once',
  })
}

async function wait(
  { patience: { startTimer } }: Exchange,
  { fetching: { done }, closed }: TrickleInput,
  ms: number,
): ReturnType<typeof waitFor> {
  return waitFor({ done, closed, ms, startTimer })
}

function requireSameAttempt(expected: number, progress: FetchProgress): FetchProgress {
  const { attempt, failure } = progress
  if (attempt === expected) return progress
  const why = failure === undefined ? '' : `: ${failure.message}`
  throw new UpstreamError(
    failure?.code ?? 'BROKEN_OFF',
    `the fetch had to start again after the answer had begun${why}`,
    {
      expected: `attempt ${expected}`,
      found: `attempt ${attempt}`,
      next: 'ask again: the fetch goes on',
      cause: failure,
    },
  )
}

function requireNotSpent(count: number, limit: number): void {
  if (count < limit) return
  throw new UpstreamError('TOO_SLOW', 'the fetch takes longer than a client can be kept waiting', {
    next: 'ask again: the fetch goes on',
  })
}
