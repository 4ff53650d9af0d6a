/**
 * What the verified `.metadata` files of a release declare, as far as all wheels that may be served say the
 * same. Where that is not known for sure it is not told: the client reads the files, which are verified too.
 */

import type { Bytes } from '../base/bytes.ts'
import { DecodeError } from '../base/decode.ts'
import { describeError, isTufgateError, StorageError } from '../base/errors.ts'
import {
  isSameDemand,
  maxDeclaredBytes,
  parseDeclaredMetadata,
  type DeclaredMetadata,
} from '../simple/declared-metadata.ts'
import { isMetadataOffered } from '../policy/decide.ts'
import { parseFilename } from '../simple/filename.ts'
import { parseFileUrl, pathKey } from '../simple/file-url.ts'
import type { ProjectRecord, RecordFile, ServedPath } from '../simple/record.ts'
import type { ReleaseFiles } from '../simple/release-json.ts'
import type { CoreMetadataCheck } from './core-metadata.ts'
import { describeExchange, type Exchange } from './exchange.ts'
import type { GatewayOps, VerifiedFile } from './gateway.ts'
import type { DecidedProject } from './page.ts'
import type { RequestLog } from './request-log.ts'

/** Different ones of one release: wheels that are built apart have some. */
const maxDistinct = 16

interface DeclaredParts {
  readonly ops: GatewayOps
  readonly log: RequestLog
  readonly coreMetadata: CoreMetadataCheck
}

export class DeclaredReader {
  readonly #ops: GatewayOps
  readonly #log: RequestLog
  readonly #coreMetadata: CoreMetadataCheck
  /** By sha256 of the `.metadata` file; null: it cannot be read for sure. */
  readonly #known = new WeakMap<ProjectRecord, Map<string, DeclaredMetadata | null>>()

  constructor({ ops, log, coreMetadata }: DeclaredParts) {
    this.#ops = ops
    this.#log = log
    this.#coreMetadata = coreMetadata
  }

  async read(
    exchange: Exchange,
    decided: DecidedProject,
    release: ReleaseFiles<RecordFile>,
  ): Promise<DeclaredMetadata | undefined> {
    const paths = findMetadataPaths(decided, release)
    if (paths === undefined) return undefined
    const { record } = decided.found
    const known = this.#known.get(record) ?? new Map<string, DeclaredMetadata | null>()
    this.#known.set(record, known)
    try {
      const all = await Promise.all(
        paths.map(async (path) => {
          // Also where it was read before: the wheel may have come since.
          await this.#coreMetadata.requireSidecar(exchange, path.file)
          return this.#readOnce(known, path, release, record)
        }),
      )
      const [first, ...others] = all
      if (first === undefined || first === null) return undefined
      const isAgreed = others.every((one) => one !== null && isSameDemand(first, one))
      return isAgreed ? first : undefined
    } catch (error) {
      return this.#noteUnread(exchange, error)
    }
  }

  async #readOnce(
    known: Map<string, DeclaredMetadata | null>,
    path: ServedPath,
    { version }: ReleaseFiles,
    { name }: ProjectRecord,
  ): Promise<DeclaredMetadata | null> {
    // Not of the record alone: an owner may have signed something else since, or nothing.
    const served = await this.#ops.requireFile(name, path)
    const key = `${served.sha256} ${version}`
    const earlier = known.get(key)
    if (earlier !== undefined) return earlier
    const bytes = await this.#readVerified(name, served)
    const declared = bytes === undefined ? null : parseOrNull(bytes, name, version)
    known.set(key, declared)
    return declared
  }

  async #readVerified(project: string, served: ServedPath): Promise<Bytes | undefined> {
    let file = await this.#ops.openVerified(served.sha256)
    if (file === undefined) {
      await this.#ops.download(project, served).done
      file = await this.#ops.openVerified(served.sha256)
    }
    return file && readWhole(file)
  }

  /** What is wrong with a `.metadata` file is no reason to refuse the release. */
  async #noteUnread(exchange: Exchange, error: unknown): Promise<undefined> {
    if (!isTufgateError(error) || error instanceof StorageError) throw error
    const { code } = error
    const message = `told without requirements: ${describeError(error)}`
    await this.#log.note(describeExchange(exchange, 'warning', this.#ops.now(), { code, message }))
  }
}

/** One for each content; `undefined`: not every wheel that may be served has one, or there are too many. */
function findMetadataPaths(
  { found: { record }, policy, decision }: DecidedProject,
  { files }: ReleaseFiles<RecordFile>,
): readonly ServedPath[] | undefined {
  if (!isMetadataOffered(policy)) return undefined
  const paths = new Map<string, ServedPath>()
  for (const file of files) {
    const isWheel = parseFilename(file.filename, record.name).kind === 'wheel'
    if (!isWheel || decision.rulings.has(file)) continue
    const path = record.byPath.get(`${pathKey(parseFileUrl(file.url))}.metadata`)
    if (path?.kind !== 'metadata') return undefined
    paths.set(path.sha256, path)
  }
  return paths.size === 0 || paths.size > maxDistinct ? undefined : [...paths.values()]
}

async function readWhole(file: VerifiedFile): Promise<Bytes | undefined> {
  try {
    if (file.size > maxDeclaredBytes) return undefined
    const bytes = new Uint8Array(file.size)
    let read = 0
    while (read < bytes.length) {
      // oxlint-disable-next-line no-await-in-loop -- one piece after the other
      const count = await file.read(bytes.subarray(read), read, bytes.length - read)
      if (count === 0) return undefined
      read += count
    }
    return bytes
  } finally {
    await file.close()
  }
}

function parseOrNull(bytes: Bytes, project: string, version: string): DeclaredMetadata | null {
  try {
    return parseDeclaredMetadata(bytes, project, version)
  } catch (error) {
    if (error instanceof DecodeError) return null
    throw error
  }
}
