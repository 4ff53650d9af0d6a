/**
 * Files from their hosts into the vault: one fetch for a file however many ask for it, which goes
 * on when the one who asked leaves, so that the next one finds the file. Bounded in number and in
 * bytes on disk.
 */

import { setTimeout as sleepFor } from 'node:timers/promises'
import type { Clock } from '../base/clock.ts'
import { isTufgateError, UpstreamError, type VerifyError } from '../base/errors.ts'
import { Admission } from './admission.ts'
import {
  FileTransfer,
  findCap,
  refuseLength,
  requireFetchable,
  type DownloadFile,
  type DownloadSpool,
  type TransferLimits,
  type TransferPorts,
  type TransferProgress,
} from './file-transfer.ts'
import { VerdictMemory } from './verdict-memory.ts'

export interface FileFetch {
  /** Resolves once the file is verified and in the vault; rejects with a coded error. */
  readonly done: Promise<void>
  /** Of the attempt under way. */
  progress(): TransferProgress
}

/** What is needed of the vault. */
export interface DownloadVault {
  open(sha256: string): Promise<{ readonly size: number; close(): Promise<void> } | undefined>
  createSpool(): Promise<DownloadSpool>
}

export interface DownloadPorts {
  readonly vault: DownloadVault
  /** `HttpClient.download`. */
  readonly download: TransferPorts['download']
  readonly clock: Clock
  readonly sleep?: (milliseconds: number) => Promise<void>
}

export interface DownloadLimits extends TransferLimits {
  readonly maxConcurrent: number
  /** Of all spools together. */
  readonly maxSpoolBytes: number
  readonly maxWaiting: number
  readonly verdictMs: number
  readonly maxVerdicts: number
}

const defaultDownloadLimits: DownloadLimits = {
  maxFileBytes: 5 * 1024 ** 3,
  maxUnsizedFileBytes: 1024 ** 3,
  maxMetadataBytes: 16 * 1024 ** 2,
  retries: 2,
  retryDelayMs: 250,
  maxRetryDelayMs: 5000,
  maxConcurrent: 16,
  maxSpoolBytes: 16 * 1024 ** 3,
  maxWaiting: 1024,
  verdictMs: 60_000,
  maxVerdicts: 4096,
}

export class Downloads {
  readonly #ports: DownloadPorts
  readonly #limits: DownloadLimits
  readonly #transferPorts: TransferPorts
  readonly #admission: Admission
  readonly #verdicts: VerdictMemory
  readonly #running = new Map<string, FileFetch>()
  readonly #stop = new AbortController()

  constructor(ports: DownloadPorts, limits: Partial<DownloadLimits> = {}) {
    this.#ports = ports
    this.#limits = { ...defaultDownloadLimits, ...limits }
    const { maxConcurrent, maxSpoolBytes, maxWaiting, verdictMs, maxVerdicts } = this.#limits
    this.#admission = new Admission({ maxConcurrent, maxBytes: maxSpoolBytes, maxWaiting })
    this.#verdicts = new VerdictMemory(ports.clock, verdictMs, maxVerdicts)
    this.#transferPorts = {
      createSpool: () => ports.vault.createSpool(),
      download: ports.download,
      sleep: ports.sleep ?? ((milliseconds) => sleepFor(milliseconds)),
    }
  }

  /** The fetch that is under way for this file, or a new one. Never throws; `done` does. */
  fetch(file: DownloadFile): FileFetch {
    const key = `${file.sha256} ${file.size ?? '?'} ${file.url}`
    const running = this.#running.get(key)
    if (running !== undefined) return running
    const transfer = new FileTransfer(file, this.#transferPorts, this.#limits)
    const verdict = this.#verdicts.find(key)
    const done = verdict === undefined ? this.#run(key, file, transfer) : Promise.reject(verdict)
    // Nobody may be listening any more when it fails.
    done.catch(() => {})
    const fetch: FileFetch = { done, progress: () => transfer.progress() }
    if (verdict === undefined) this.#running.set(key, fetch)
    return fetch
  }

  /** Ends what is under way; resolves when nothing is written any more. */
  async close(): Promise<void> {
    this.#stop.abort(
      new UpstreamError('UNREACHABLE', 'the download was ended because tufgate stops', {
        next: 'Try again when it runs again.',
      }),
    )
    await Promise.allSettled(Array.from(this.#running.values(), ({ done }) => done))
  }

  async #run(key: string, file: DownloadFile, transfer: FileTransfer): Promise<void> {
    try {
      await this.#bringIntoVault(file, transfer)
    } catch (error) {
      if (isMismatch(error)) this.#verdicts.put(key, error)
      throw error
    } finally {
      this.#running.delete(key)
    }
  }

  async #bringIntoVault(file: DownloadFile, transfer: FileTransfer): Promise<void> {
    // Another fetch may have ended between the caller's look into the vault and now.
    if (await this.#hasVerified(file)) return
    // Before it waits: alone it would be let in, and hold up all who come behind it until then.
    requireFetchable(file, this.#limits)
    const leave = await this.#admission.enter(findCap(file, this.#limits))
    try {
      this.#stop.signal.throwIfAborted()
      await transfer.run(this.#stop.signal)
    } finally {
      leave()
    }
  }

  async #hasVerified(file: DownloadFile): Promise<boolean> {
    const found = await this.#ports.vault.open(file.sha256)
    if (found === undefined) return false
    await found.close()
    // The digest is right, so it is the signed length that is wrong.
    if (file.size !== undefined && found.size !== file.size) {
      throw refuseLength(file, `${found.size} bytes`)
    }
    return true
  }
}

function isMismatch(error: unknown): error is VerifyError {
  if (!isTufgateError(error)) return false
  return error.code === 'DIGEST_MISMATCH' || error.code === 'LENGTH_MISMATCH'
}
