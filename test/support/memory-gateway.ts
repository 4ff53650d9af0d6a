/** The proxy's port in memory: records, a vault, fetches that a test steers by hand, faults on demand. */

import type { AuditEvent } from '../../src/audit/event.ts'
import { encodeUtf8, type Bytes } from '../../src/base/bytes.ts'
import { sha256Hex } from '../../src/base/digest.ts'
import { StorageError, type UpstreamError } from '../../src/base/errors.ts'
import type { TrustKind } from '../../src/base/trust-words.ts'
import type { Policy } from '../../src/policy/decide.ts'
import type {
  FetchProgress,
  FileFetch,
  GatewayOps,
  ProjectListLookup,
  Readiness,
  RecordLookup,
  TrustSummary,
  VerifiedFile,
} from '../../src/proxy/gateway.ts'
import { Durations } from '../../src/proxy/durations.ts'
import type { EntryLookup, ProxyState } from '../../src/proxy/proxy-state.ts'
import { parseRecord, type ServedPath } from '../../src/simple/record.ts'

export const openPolicy: Policy = { deny: [], minAgeMs: 0, minAgeExcept: [], showHidden: false }
export const trust: TrustSummary = { root: 3, timestamp: 41, snapshot: 40, role: 'bins-0a' }

export interface FileInput {
  readonly filename: string
  readonly content: Bytes
  /** What the record signs, where that is not the size of the content; null: nothing. */
  readonly size?: number | null
  readonly uploadTime?: string
  readonly removed?: string
  readonly metadata?: Bytes
  readonly url?: string
}

/** A fetch that does what the test tells it. */
export class ManualFetch implements FileFetch {
  readonly done: Promise<void>
  attempt = 1
  head: Uint8Array = new Uint8Array()
  length: number | undefined
  failure: UpstreamError | undefined
  readonly #gateway: MemoryGateway
  readonly #settle: { resolve: () => void; reject: (error: unknown) => void }

  constructor(gateway: MemoryGateway) {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#gateway = gateway
    this.done = promise
    this.#settle = { resolve, reject }
    // As in production, where the spool listens too.
    promise.catch(() => undefined)
  }

  progress(): FetchProgress {
    const { attempt, head, length, failure } = this
    const why = failure === undefined ? {} : { failure }
    return { attempt, head, length, receivedBytes: head.length, ...why }
  }

  /** What the fetched file begins with; nobody has verified that. */
  receive(bytes: Bytes): void {
    this.head = bytes.slice(0, 64)
  }

  finish(content: Bytes): void {
    this.#gateway.store(content)
    this.#settle.resolve()
  }

  fail(error: unknown): void {
    this.#settle.reject(error)
  }
}

export class MemoryGateway implements GatewayOps {
  readonly lookups = new Map<string, RecordLookup>()
  readonly vault = new Map<string, Bytes>()
  readonly events: AuditEvent[] = []
  readonly whollyHidden: string[] = []
  readonly downloads: ServedPath[] = []
  readonly fetches: ManualFetch[] = []
  policy: Policy = openPolicy
  time = Date.parse('2026-11-20T12:00:00Z')
  list: ProjectListLookup | undefined
  /** Thrown by `findRecord`. */
  lookupFault: Error | undefined
  /** Awaited, and perhaps thrown, by `append`. */
  appendGate: ((event: AuditEvent) => Promise<void>) | undefined
  /** What `download` gives; a verdict that is remembered, for example. */
  nextFetch: (() => FileFetch) | undefined
  openFiles = 0
  trusted: TrustSummary = trust
  state: ProxyState = {
    version: '1.2.3',
    startedAt: Date.parse('2026-11-20T11:00:00Z'),
    indexes: [],
    vault: { bytes: 1_500_000, maxBytes: 20_000_000_000 },
    audit: { folder: '/var/lib/tufgate/audit', head: 'chain:7:abc' },
    fetches: new Durations().read(),
  }
  /** What the log on disk has. */
  readonly entries = new Map<string, EntryLookup>()
  readonly searches: string[] = []
  ready = true

  addProject(name: string, files: readonly FileInput[], members: object = {}): void {
    const page = {
      meta: { 'api-version': '1.4' },
      name,
      versions: ['1.0'],
      files: files.map((file) => toEntry(file)),
      ...members,
    }
    const bytes = encodeUtf8(JSON.stringify(page))
    const record = parseRecord(bytes, name)
    this.lookups.set(name, { kind: 'found', record, digest: sha256Hex(bytes), trust })
  }

  store(content: Bytes): void {
    this.vault.set(sha256Hex(content), content)
  }

  async findRecord(project: string): Promise<RecordLookup> {
    if (this.lookupFault !== undefined) throw this.lookupFault
    return this.lookups.get(project) ?? { kind: 'absent', trust, claimed: false }
  }

  async findProjectList(): Promise<ProjectListLookup | TrustKind> {
    return this.list ?? 'signed'
  }

  requireFile(_project: string, path: ServedPath): Promise<ServedPath> {
    return Promise.resolve(path)
  }

  async openVerified(sha256: string): Promise<VerifiedFile | undefined> {
    const content = this.vault.get(sha256)
    if (content === undefined) return undefined
    this.openFiles += 1
    return {
      size: content.length,
      sha256,
      read: async (buffer, position, length) => {
        const piece = content.subarray(position, position + length)
        buffer.set(piece)
        return piece.length
      },
      close: async () => {
        this.openFiles -= 1
      },
    }
  }

  download(_project: string, path: ServedPath): FileFetch {
    this.downloads.push(path)
    if (this.nextFetch !== undefined) return this.nextFetch()
    const fetching = new ManualFetch(this)
    this.fetches.push(fetching)
    return fetching
  }

  policyOf(): Policy {
    return this.policy
  }

  now(): number {
    return this.time
  }

  async append(event: AuditEvent): Promise<void> {
    await this.appendGate?.(event)
    this.events.push(event)
  }

  noteWhollyHidden(project: string): void {
    this.whollyHidden.push(project)
  }

  trustOf(): TrustSummary {
    return this.trusted
  }

  status(): ProxyState {
    return this.state
  }

  async findEntries(id: string): Promise<EntryLookup> {
    this.searches.push(id)
    return this.entries.get(id) ?? { entries: [], searched: 'whole' }
  }

  async readiness(): Promise<Readiness> {
    return {
      ready: this.ready,
      checks: [{ name: 'mirror', ok: this.ready, detail: 'seen 3 s ago' }],
    }
  }
}

export function failToAppend(): Promise<void> {
  return Promise.reject(
    new StorageError('AUDIT_FAILED', 'the audit log cannot be written', {
      next: 'see to the disk',
    }),
  )
}

/** Path of the file on the proxy. */
export function filePath(project: string, filename: string): string {
  return `/files/${project}/files.test/packages/${encodeURIComponent(filename)}`
}

function toEntry(file: FileInput): object {
  const { filename, content, size = content.length, uploadTime, removed, metadata, url } = file
  return {
    filename,
    url: url ?? `https://files.test/packages/${encodeURIComponent(filename)}`,
    hashes: { sha256: sha256Hex(content) },
    ...(size === null ? {} : { size }),
    ...(uploadTime === undefined ? {} : { 'upload-time': uploadTime }),
    ...(removed === undefined ? {} : { _removed: removed }),
    ...(metadata === undefined ? {} : { 'core-metadata': { sha256: sha256Hex(metadata) } }),
  }
}
