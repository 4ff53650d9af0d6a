/**
 * The fetch of one file, with its attempts: into a new spool each time, length and sha256 checked,
 * then into the vault. Nothing is handed out from here but the first 48 bytes, as progress.
 *
 * What does not match is never tried again here; faults that may pass are, within bounds.
 */

import type { Bytes } from '../base/bytes.ts'
import { isTufgateError, UpstreamError, VerifyError } from '../base/errors.ts'
import { findTrustWords, type TrustKind, type TrustWords } from '../base/trust-words.ts'
import { showUrl, type HostRules } from '../upstream/host-rules.ts'
import type { DownloadSink, RequestOptions } from '../upstream/http-client.ts'
import { findRetryDelay, isPassingFault } from '../upstream/retry.ts'

export interface DownloadFile {
  readonly url: string
  /** Signed, lower-case hexadecimal. */
  readonly sha256: string
  /** Signed length in bytes, where the record has one. */
  readonly size?: number
  /** What its server told the mirror, where nothing is signed. */
  readonly toldSize?: number
  readonly kind: 'file' | 'metadata'
  /** Where it may be fetched from, redirects included. */
  readonly hosts: HostRules
  /** Of the record that lists it: how a mismatch is spoken of. Default: signed. */
  readonly trust?: TrustKind
}

export interface TransferProgress {
  /** From 1; counts up when a fetch begins again. */
  readonly attempt: number
  /** Up to 48 bytes of the beginning of this attempt. Not verified. */
  readonly head: Uint8Array
  /** Signed, or else what this attempt's answer announced. */
  readonly length: number | undefined
  readonly receivedBytes: number
  /** Why the attempt before this one ended. */
  readonly failure?: UpstreamError
}

/** A file that is being written; what was not committed never has a name in the vault. */
export interface DownloadSpool {
  write(chunk: Bytes): Promise<void>
  /** sha256 of all that was written. */
  digestHex(): string
  commit(sha256: string): Promise<void>
  discard(): Promise<void>
}

export interface TransferPorts {
  readonly createSpool: () => Promise<DownloadSpool>
  readonly download: (url: string, sink: DownloadSink, options: RequestOptions) => Promise<unknown>
  readonly sleep: (milliseconds: number) => Promise<void>
}

export interface TransferLimits {
  readonly maxFileBytes: number
  /** For a record without a size. */
  readonly maxUnsizedFileBytes: number
  readonly maxMetadataBytes: number
  readonly retries: number
  readonly retryDelayMs: number
  readonly maxRetryDelayMs: number
}

const maxHeadBytes = 48

interface Attempt {
  readonly head: Uint8Array
  headBytes: number
  receivedBytes: number
  announced: number | undefined
}

/** The most that is read of the file. */
export function findCap(file: DownloadFile, limits: TransferLimits): number {
  if (file.size !== undefined) return file.size
  if (file.kind === 'metadata') return limits.maxMetadataBytes
  // A told length may lie: it allows more than usual, up to the limit of any file, and refuses nothing.
  const told = Math.min(file.toldSize ?? 0, limits.maxFileBytes)
  return Math.max(limits.maxUnsizedFileBytes, told)
}

export class FileTransfer {
  readonly #file: DownloadFile
  readonly #ports: TransferPorts
  readonly #limits: TransferLimits
  #number = 1
  #attempt: Attempt = createAttempt()
  #failure: UpstreamError | undefined

  constructor(file: DownloadFile, ports: TransferPorts, limits: TransferLimits) {
    this.#file = file
    this.#ports = ports
    this.#limits = limits
  }

  progress(): TransferProgress {
    const { head, headBytes, announced, receivedBytes } = this.#attempt
    return {
      attempt: this.#number,
      head: head.subarray(0, headBytes),
      length: this.#file.size ?? announced,
      receivedBytes,
      ...(this.#failure !== undefined && { failure: this.#failure }),
    }
  }

  /** Resolves once the file is verified and in the vault. */
  async run(signal: AbortSignal): Promise<void> {
    for (let tries = 0; ; tries += 1) {
      try {
        return await this.#tryOnce(signal)
      } catch (error) {
        const delayMs = this.#findRetryDelay(error, tries, signal)
        if (delayMs === undefined) throw error
        // From here on nobody may begin an answer with the bytes of the attempt that failed.
        this.#number += 1
        this.#attempt = createAttempt()
        this.#failure = error instanceof UpstreamError ? error : undefined
        await this.#ports.sleep(delayMs)
      }
    }
  }

  #findRetryDelay(error: unknown, tries: number, signal: AbortSignal): number | undefined {
    if (signal.aborted) return undefined
    const { retries, retryDelayMs, maxRetryDelayMs } = this.#limits
    const rules = { retries, baseDelayMs: retryDelayMs, maxDelayMs: maxRetryDelayMs }
    return findRetryDelay(error, tries, { ...rules, isPassing: isWorthAnotherTry })
  }

  async #tryOnce(signal: AbortSignal): Promise<void> {
    const spool = await this.#ports.createSpool()
    let isCommitted = false
    try {
      await this.#receive(spool, signal)
      requireLength(this.#file, this.#attempt.receivedBytes)
      requireDigest(this.#file, spool.digestHex())
      await spool.commit(this.#file.sha256)
      isCommitted = true
    } finally {
      if (!isCommitted) await discardQuietly(spool)
    }
  }

  async #receive(spool: DownloadSpool, signal: AbortSignal): Promise<void> {
    const { url, hosts } = this.#file
    const maxBytes = findCap(this.#file, this.#limits)
    try {
      await this.#ports.download(url, this.#openSink(spool, maxBytes), { hosts, maxBytes, signal })
    } catch (error) {
      throw this.#file.size === undefined ? error : renameTooLarge(this.#file, error)
    }
  }

  #openSink(spool: DownloadSpool, maxBytes: number): DownloadSink {
    const attempt = this.#attempt
    return {
      start: (announced) => {
        attempt.announced = announced
        requireAnnounced(this.#file, announced, maxBytes)
      },
      write: (chunk) => {
        addHead(attempt, chunk)
        attempt.receivedBytes += chunk.byteLength
        return spool.write(chunk)
      },
    }
  }
}

function createAttempt(): Attempt {
  const head = new Uint8Array(maxHeadBytes)
  return { head, headBytes: 0, receivedBytes: 0, announced: undefined }
}

function addHead(attempt: Attempt, chunk: Bytes): void {
  const room = maxHeadBytes - attempt.headBytes
  if (room === 0) return
  const part = chunk.subarray(0, room)
  attempt.head.set(part, attempt.headBytes)
  attempt.headBytes += part.byteLength
}

/** TOO_SLOW and TIMED_OUT have cost the client much of its patience: once more, not twice. */
function isWorthAnotherTry(error: unknown, tries: number): boolean {
  if (isPassingFault(error)) return true
  const isSlow = isTufgateError(error) && (error.code === 'TOO_SLOW' || error.code === 'TIMED_OUT')
  return isSlow && tries === 0
}

/** Throws TOO_LARGE for what is signed longer than any file may be. */
export function requireFetchable(file: DownloadFile, limits: TransferLimits): void {
  if (file.size === undefined || file.size <= limits.maxFileBytes) return
  throw refuseTooLarge(file, `${file.size} bytes`, limits.maxFileBytes)
}

/** Before the body is read: a wrong length is known from the first packet. */
function requireAnnounced(file: DownloadFile, found: number | undefined, maxBytes: number): void {
  if (found === undefined) return
  if (file.size !== undefined) requireLength(file, found)
  else if (found > maxBytes) throw refuseTooLarge(file, `${found} bytes`, maxBytes)
}

function refuseTooLarge(file: DownloadFile, found: string, maxBytes: number): UpstreamError {
  return new UpstreamError('TOO_LARGE', `${showUrl(file.url)} is too long: ${found}`, {
    expected: `at most ${maxBytes} bytes`,
    found,
    url: showUrl(file.url),
    next: 'If the file is wanted, raise the limit in the settings.',
  })
}

function requireLength(file: DownloadFile, found: number): void {
  if (file.size !== undefined && found !== file.size) throw refuseLength(file, `${found} bytes`)
}

/** Longer than signed is a verdict on the file, not a fault of the connection. */
function renameTooLarge(file: DownloadFile, error: unknown): unknown {
  const isTooLarge = isTufgateError(error) && error.code === 'TOO_LARGE'
  return isTooLarge ? refuseLength(file, `more than ${file.size} bytes`, error) : error
}

export function refuseLength(file: DownloadFile, found: string, cause?: unknown): VerifyError {
  const name = fileName(file.url)
  return new VerifyError(
    'LENGTH_MISMATCH',
    `the length of ${name} is not ${wordsFor(file).expectedFile}`,
    {
      expected: `${file.size} bytes`,
      found,
      url: showUrl(file.url),
      next: adviceOnMismatch,
      cause,
    },
  )
}

function wordsFor({ trust = 'signed' }: DownloadFile): TrustWords {
  return findTrustWords(trust)
}

function requireDigest(file: DownloadFile, found: string): void {
  if (found === file.sha256) return
  throw new VerifyError(
    'DIGEST_MISMATCH',
    `sha256 of ${fileName(file.url)} is not ${wordsFor(file).expectedFile}`,
    {
      expected: file.sha256,
      found,
      url: showUrl(file.url),
      next: adviceOnMismatch,
    },
  )
}

const adviceOnMismatch =
  'Do not install it. Try again in a minute; if it stays so, the file was changed on its host or on the way.'

function fileName(url: string): string {
  const path = showUrl(url)
  return path.slice(path.lastIndexOf('/') + 1)
}

async function discardQuietly(spool: DownloadSpool): Promise<void> {
  try {
    await spool.discard()
  } catch {
    // What made the attempt fail is what the caller must hear; the vault sweeps old spools anyway.
  }
}
