/**
 * A TUF repository in memory that signs real metadata, of any shape and with any keys.
 *
 * Documents are signed when they are asked for, as they are then; roots by `publishRoot`.
 */

import { encodeUtf8, type Bytes } from '../../src/base/bytes.ts'
import { encodeCanonical, encodeCanonicalDocument } from '../../src/base/canonical-json.ts'
import { formatUtcSeconds } from '../../src/base/clock.ts'
import { sha256Hex } from '../../src/base/digest.ts'
import { renderBinName } from '../../src/tuf/delegation.ts'
import type {
  DelegatedEntry,
  DelegationsDocument,
  Document,
  RootDocument,
  SnapshotDocument,
  TargetsDocument,
  TimestampDocument,
} from './tuf-documents.ts'
import { createSigner, type SignerKind, type TestSigner } from './tuf-signers.ts'

export interface SimulatorOptions {
  /** Everything expires 30 days after it. */
  readonly now?: number
  readonly consistentSnapshot?: boolean
  /** Whether `publish` puts lengths and hashes into timestamp and snapshot. */
  readonly hashes?: boolean
  readonly kind?: SignerKind
}

export interface DelegateOptions {
  readonly from?: string
  readonly paths?: string[]
  readonly pathHashPrefixes?: string[]
  readonly terminating?: boolean
  readonly signers?: TestSigner[]
  readonly threshold?: number
}

export interface DelegateBinsOptions {
  readonly from?: string
  readonly namePrefix?: string
  readonly bitLength: number
}

const dayMs = 86_400_000
const topRoles = ['root', 'timestamp', 'snapshot', 'targets'] as const
type TopRole = (typeof topRoles)[number]

export class TufRepository {
  readonly now: number
  readonly hashes: boolean
  root: RootDocument
  timestamp: TimestampDocument
  snapshot: SnapshotDocument
  /** Delegated roles by name. */
  readonly delegated = new Map<string, TargetsDocument>()
  /** Who signs a role now, whatever root or the delegation says. */
  readonly signers = new Map<string, TestSigner[]>()
  readonly publishedRoots = new Map<number, Bytes>()
  /** Bytes of targets by path. */
  readonly content = new Map<string, Bytes>()
  readonly #rendered = new Map<string, { readonly form: string; readonly bytes: Bytes }>()
  #targets: TargetsDocument

  constructor(options: SimulatorOptions = {}) {
    this.now = options.now ?? Date.parse('2026-06-01T12:00:00Z')
    this.hashes = options.hashes ?? false
    for (const role of topRoles) this.signers.set(role, [createSigner(options.kind)])
    this.root = {
      _type: 'root',
      ...this.#header(),
      consistent_snapshot: options.consistentSnapshot ?? true,
      keys: withoutPrototype(Object.fromEntries(topRoles.map((role) => this.#keyEntry(role)))),
      roles: {
        root: this.#role('root'),
        timestamp: this.#role('timestamp'),
        snapshot: this.#role('snapshot'),
        targets: this.#role('targets'),
      },
    }
    this.#targets = this.#emptyTargets()
    this.snapshot = {
      _type: 'snapshot',
      ...this.#header(),
      meta: withoutPrototype({ 'targets.json': { version: 1 } }),
    }
    this.timestamp = {
      _type: 'timestamp',
      ...this.#header(),
      meta: { 'snapshot.json': { version: 1 } },
    }
    this.publishRoot()
    if (this.hashes) this.#listFiles()
  }

  get targets(): TargetsDocument {
    return this.#targets
  }

  /** Signs root as it is now and puts it on the mirror as its version. */
  publishRoot(): Bytes {
    const bytes = this.render('root')
    this.publishedRoots.set(this.root.version, bytes)
    return bytes
  }

  /** The next root, signed by the signers before and after `change`. */
  renewRoot(change: () => void = () => undefined): Bytes {
    const before = this.signersOf('root')
    this.root.version += 1
    change()
    const after = this.signersOf('root')
    this.signers.set('root', [...new Set([...before, ...after])])
    const bytes = this.publishRoot()
    this.signers.set('root', after)
    return bytes
  }

  /** A new version of timestamp and snapshot that lists all roles as they are. */
  publish(): void {
    this.snapshot.version += 1
    this.timestamp.version += 1
    this.#listFiles()
  }

  /** Gives a top-level role new keys; root names them when it is published next. */
  setKeys(role: TopRole, signers: TestSigner[], threshold = 1): void {
    this.signers.set(role, signers)
    for (const { keyid, key } of signers) this.root.keys[keyid] = key
    this.root.roles[role] = { keyids: signers.map(({ keyid }) => keyid), threshold }
  }

  /** Bumps the version of the role; `publish` makes it seen. */
  addTarget(path: string, content: string | Bytes, role = 'targets'): void {
    const bytes = typeof content === 'string' ? encodeUtf8(content) : content
    const document = this.role(role)
    document.targets[path] = { length: bytes.length, hashes: { sha256: sha256Hex(bytes) } }
    document.version += 1
    this.content.set(path, bytes)
  }

  /** Adds a delegation, and the role where it is new. */
  delegate(name: string, options: DelegateOptions = {}): TargetsDocument {
    const {
      from = 'targets',
      signers = this.signers.get(name) ?? [createSigner()],
      threshold = 1,
    } = options
    const { paths, pathHashPrefixes, terminating = false } = options
    const document = this.delegated.get(name) ?? this.#addDelegated(name, signers)
    const delegations = this.#delegationsOf(from)
    for (const { keyid, key } of signers) delegations.keys[keyid] = key
    const entry: DelegatedEntry = {
      name,
      keyids: signers.map(({ keyid }) => keyid),
      threshold,
      terminating,
    }
    if (pathHashPrefixes !== undefined) entry.path_hash_prefixes = pathHashPrefixes
    else entry.paths = paths ?? ['*']
    delegations.roles ??= []
    delegations.roles.push(entry)
    this.role(from).version += 1
    return document
  }

  /** Adds TAP 15 bins, all signed by one key. */
  delegateBins({ from = 'targets', namePrefix = 'bins', bitLength }: DelegateBinsOptions): void {
    const signer = createSigner()
    const { keyid, key } = signer
    this.role(from).delegations = {
      keys: { [keyid]: key },
      succinct_roles: {
        keyids: [keyid],
        threshold: 1,
        name_prefix: namePrefix,
        bit_length: bitLength,
      },
    }
    this.role(from).version += 1
    for (let bin = 0; bin < 2 ** bitLength; bin += 1) {
      this.#addDelegated(renderBinName(namePrefix, bitLength, bin), [signer])
    }
  }

  role(name: string): TargetsDocument {
    const document = name === 'targets' ? this.#targets : this.delegated.get(name)
    if (document === undefined) throw new Error(`the simulator has no role ${name}`)
    return document
  }

  hasRole(role: string): boolean {
    return topRoles.some((name) => name === role) || this.delegated.has(role)
  }

  /** The signed bytes of a role as it is now; the same bytes while nothing changes. */
  render(role: string): Bytes {
    const document = this.#document(role)
    const signed = encodeCanonical(document)
    const signers = this.signersOf(role)
    const form = `${signers.map(({ keyid }) => keyid).join()} ${signed}`
    const rendered = this.#rendered.get(role)
    if (rendered?.form === form) return rendered.bytes
    const bytes = signDocument(document, signers)
    this.#rendered.set(role, { form, bytes })
    return bytes
  }

  signersOf(role: string): TestSigner[] {
    return this.signers.get(role) ?? []
  }

  #document(role: string): Document {
    if (role === 'root') return this.root
    if (role === 'timestamp') return this.timestamp
    return role === 'snapshot' ? this.snapshot : this.role(role)
  }

  #listFiles(): void {
    for (const role of ['targets', ...this.delegated.keys()]) {
      this.snapshot.meta[`${role}.json`] = {
        version: this.role(role).version,
        ...this.#describe(role),
      }
    }
    this.timestamp.meta['snapshot.json'] = {
      version: this.snapshot.version,
      ...this.#describe('snapshot'),
    }
  }

  #describe(role: string): { length: number; hashes: { sha256: string } } | undefined {
    if (!this.hashes) return undefined
    const bytes = this.render(role)
    return { length: bytes.length, hashes: { sha256: sha256Hex(bytes) } }
  }

  #addDelegated(name: string, signers: TestSigner[]): TargetsDocument {
    const document = this.#emptyTargets()
    this.delegated.set(name, document)
    this.signers.set(name, signers)
    return document
  }

  #delegationsOf(role: string): DelegationsDocument {
    const document = this.role(role)
    document.delegations ??= { keys: withoutPrototype({}), roles: [] }
    return document.delegations
  }

  #emptyTargets(): TargetsDocument {
    return { _type: 'targets', ...this.#header(), targets: withoutPrototype({}) }
  }

  #header(): { spec_version: string; version: number; expires: string } {
    return { spec_version: '1.0.34', version: 1, expires: formatUtcSeconds(this.now + 30 * dayMs) }
  }

  #keyEntry(role: TopRole): [string, TestSigner['key']] {
    const [signer = createSigner()] = this.signersOf(role)
    return [signer.keyid, signer.key]
  }

  #role(role: TopRole): { keyids: string[]; threshold: number } {
    return { keyids: this.signersOf(role).map(({ keyid }) => keyid), threshold: 1 }
  }
}

/** Any document, signed by anybody, in canonical form. */
export function signDocument(document: unknown, signers: readonly TestSigner[]): Bytes {
  const message = encodeUtf8(encodeCanonical(document))
  const signatures = signers.map((signer) => ({ keyid: signer.keyid, sig: signer.sign(message) }))
  return encodeUtf8(encodeCanonicalDocument({ signed: document, signatures }))
}

/** So that `__proto__` is a name like any other here too. */
function withoutPrototype<T>(record: Record<string, T>): Record<string, T> {
  return Object.assign(Object.create(null) as Record<string, T>, record)
}
