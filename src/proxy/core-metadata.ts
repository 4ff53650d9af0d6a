/**
 * What stands in a wheel as METADATA must be what its record signs as the `.metadata` beside it, byte for
 * byte (PEP 658): installers plan by the one and install the other, and an index may lie about it from the
 * first look on. Each wheel is looked into once, before anything of it leaves; it is its content that says
 * what is found, so that this holds for whichever record lists it, and however often it comes back.
 */

import type { Bytes } from '../base/bytes.ts'
import { DecodeError } from '../base/decode.ts'
import { sha256Hex } from '../base/digest.ts'
import { VerifyError } from '../base/errors.ts'
import { findTrustWords, trustKindOf } from '../base/trust-words.ts'
import { isMetadataOffered } from '../policy/decide.ts'
import type { RecordFile, ServedPath } from '../simple/record.ts'
import { readWheelMetadata } from '../simple/wheel-metadata.ts'
import type { ArchiveReader } from '../simple/zip-entries.ts'
import { describeExchange, type Exchange } from './exchange.ts'
import type { GatewayOps, VerifiedFile } from './gateway.ts'
import type { RequestLog } from './request-log.ts'
import { readWhole } from './send-verified.ts'

/** sha256 of the METADATA in the wheel, or why it cannot be told. */
type Reading = { readonly sha256: string } | { readonly problem: string }

const maxReadings = 20_000
/**
 * For a `.metadata` file no larger wheel is opened: its first opening in a process hashes all of it, and
 * the client waits. Whoever wants the wheel itself waits for that anyway, and is refused then.
 */
const maxOpenedBytes = 100 * 1024 ** 2

type CheckOps = Pick<GatewayOps, 'openVerified' | 'policyOf' | 'now'>

export class CoreMetadataCheck {
  readonly #ops: CheckOps
  readonly #log: Pick<RequestLog, 'note'>
  /** By sha256 of the wheel, the oldest first. */
  readonly #readings = new Map<string, Promise<Reading>>()
  /** One wheel after the other: the directory of one may have 64 MB. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(ops: CheckOps, log: Pick<RequestLog, 'note'>) {
    this.#ops = ops
    this.#log = log
  }

  /** `file`: the open file of `served`. Throws VerifyError CORE_METADATA_MISMATCH, and StorageError. */
  async requireAgreement(
    exchange: Exchange,
    served: ServedPath,
    file: VerifiedFile,
  ): Promise<void> {
    if (served.kind === 'metadata') return this.requireSidecar(exchange, served.file)
    // Nobody has planned by what was never offered: then the wheel speaks for itself.
    const isOffered = isMetadataOffered(this.#ops.policyOf(exchange.subject.project ?? ''))
    if (isOffered && isBound(served.file))
      requireSame(exchange, served.file, await this.#readOnce(exchange, file))
  }

  /** Of a `.metadata` file, as far as the wheel is here already. Throws what `requireAgreement` does. */
  async requireSidecar(exchange: Exchange, wheel: RecordFile): Promise<void> {
    if (!isBound(wheel)) return
    const known = this.#readings.get(wheel.sha256)
    if (known !== undefined) return requireSame(exchange, wheel, await known)
    if ((wheel.size ?? wheel.toldSize ?? 0) > maxOpenedBytes) return
    const file = await this.#ops.openVerified(wheel.sha256)
    if (file === undefined) return
    try {
      requireSame(exchange, wheel, await this.#readOnce(exchange, file))
    } finally {
      await file.close()
    }
  }

  async #readOnce(exchange: Exchange, file: VerifiedFile): Promise<Reading> {
    const known = this.#readings.get(file.sha256)
    if (known !== undefined) return known
    const reading = this.#last.then(() => readDigest(file))
    this.#last = reading.catch(() => undefined)
    this.#remember(file.sha256, reading)
    try {
      const found = await reading
      if ('problem' in found) await this.#noteUnread(exchange, found.problem)
      return found
    } catch (error) {
      // It is the disk that failed: the next one tries again.
      this.#readings.delete(file.sha256)
      throw error
    }
  }

  #remember(sha256: string, reading: Promise<Reading>): void {
    const [oldest] = this.#readings.size >= maxReadings ? this.#readings.keys() : []
    if (oldest !== undefined) this.#readings.delete(oldest)
    this.#readings.set(sha256, reading)
  }

  /**
   * No refusal: the reader is stricter than installers, and knows no zip64, so that what it cannot read may
   * well be honest. Nor can a lying index bring this about: the bytes of the wheel are the signed ones, and
   * whoever made them could have written into their METADATA whatever he likes.
   */
  async #noteUnread(exchange: Exchange, problem: string): Promise<void> {
    const message = `its METADATA was not compared with its .metadata file: ${problem}`
    await this.#log.note(describeExchange(exchange, 'warning', this.#ops.now(), { message }))
  }
}

/** Whether something is signed of what is in it. */
function isBound({ filename, coreMetadata }: RecordFile): boolean {
  return filename.endsWith('.whl') && coreMetadata?.has('sha256') === true
}

// PEP 658: the two must be identical.
function requireSame(exchange: Exchange, wheel: RecordFile, reading: Reading): void {
  const expected = wheel.coreMetadata?.get('sha256')
  if ('problem' in reading || expected === undefined || reading.sha256 === expected) return
  const { filename } = wheel
  throw new VerifyError(
    'CORE_METADATA_MISMATCH',
    `METADATA in ${filename} differs from ${filename}.metadata, by which installers plan`,
    {
      expected,
      found: reading.sha256,
      next: findTrustWords(trustKindOf(exchange.subject.trust ?? {})).adviceOnMetadata,
    },
  )
}

async function readDigest(file: VerifiedFile): Promise<Reading> {
  try {
    return { sha256: sha256Hex(await readWheelMetadata(toArchive(file))) }
  } catch (error) {
    if (error instanceof DecodeError) return { problem: error.message }
    throw error
  }
}

function toArchive(file: VerifiedFile): ArchiveReader {
  return {
    size: file.size,
    read: async (position, length): Promise<Bytes> => {
      const bytes = new Uint8Array(Math.max(0, Math.min(length, file.size - position)))
      await readWhole(file, bytes, position)
      return bytes
    },
  }
}
