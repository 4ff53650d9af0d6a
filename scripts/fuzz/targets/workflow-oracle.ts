/**
 * What a client may accept, decided a second time by other means: signatures are made again rather than
 * verified, and versions are compared with all that was accepted before.
 */

import type { Bytes } from '../../../src/base/bytes.ts'
import { encodeUtf8 } from '../../../src/base/bytes.ts'
import { encodeCanonical } from '../../../src/base/canonical-json.ts'
import type { Floors } from '../../../src/tuf/floors.ts'
import { MemoryStorage } from '../../../test/support/memory-storage.ts'
import type { KeyDocument } from '../../../test/support/tuf-signers.ts'
import { requireRule } from '../target.ts'
import type { Publisher } from './workflow-publisher.ts'

interface RoleKeys {
  readonly keyids: readonly string[]
  readonly threshold: number
}

interface Signed {
  readonly meta?: Readonly<Record<string, { readonly version: number }>>
  readonly version: number
  readonly expires: string
  readonly keys?: Readonly<Record<string, KeyDocument>>
  readonly roles?: Readonly<Record<string, RoleKeys>>
  readonly delegations?: {
    readonly keys: Readonly<Record<string, KeyDocument>>
    readonly roles?: readonly (RoleKeys & { readonly name: string })[]
  }
}

interface File {
  readonly signed: Signed
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[]
}

/** The disk of the client, which looks at all that is put there. */
export class WatchedStorage extends MemoryStorage {
  readonly #publisher: Publisher
  #root: Signed
  #targets: Signed | undefined
  /** What was accepted last, by role: when it expires. */
  readonly expiries = new Map<string, number>()

  constructor(publisher: Publisher, pinned: Bytes) {
    super()
    this.#publisher = publisher
    this.#root = parseFile(pinned).signed
  }

  override async saveRoot(version: number, bytes: Bytes): Promise<void> {
    const file = parseFile(bytes)
    if (version > this.#root.version) {
      requireRule(file.signed.version === version, 'a root of another version')
      requireRule(version === this.#root.version + 1, 'a root was left out')
      this.#requireSigned('root', file, this.#root)
      this.#requireSigned('root', file, file.signed)
      this.#root = file.signed
      this.expiries.set('root', Date.parse(file.signed.expires))
    }
    await super.saveRoot(version, bytes)
  }

  override async commit(floors: Floors, accepted: ReadonlyMap<string, Bytes>): Promise<void> {
    this.#requireNoWayBack(floors)
    for (const [role, bytes] of accepted) {
      const file = parseFile(bytes)
      this.#requireSigned(role, file, this.#root)
      const isNewEpoch = floors.epoch > this.floors.epoch
      const floor = isNewEpoch ? 0 : (this.floors.versions.get(role) ?? 0)
      requireRule(file.signed.version >= floor, `an older ${role} was accepted`)
      if (role === 'snapshot' && !isNewEpoch) this.#requireListed(file.signed)
      if (role === 'targets') this.#targets = file.signed
      this.expiries.set(role, Date.parse(file.signed.expires))
    }
    await super.commit(floors, accepted)
  }

  override async save(role: string, bytes: Bytes): Promise<void> {
    const file = parseFile(bytes)
    const entry = this.#targets?.delegations?.roles?.find(({ name }) => name === role)
    requireRule(entry !== undefined, 'a role that nobody has delegated to')
    const { keys } = this.#targets?.delegations ?? { keys: {} }
    this.#requireSigned(role, file, { ...file.signed, keys, roles: { [role]: entry } })
    this.expiries.set(role, Date.parse(file.signed.expires))
    await super.save(role, bytes)
  }

  #requireSigned(role: string, { signed, signatures }: File, { keys, roles }: Signed): void {
    const message = encodeUtf8(encodeCanonical(signed))
    const { keyids, threshold } = roles?.[role] ?? { keyids: [], threshold: 1 }
    const good = signatures.filter(({ keyid, sig }) => {
      const value = keys?.[keyid]?.keyval.public ?? ''
      // Hexadecimal is the same in either case: a flipped bit makes `A` of `a`.
      const wanted = this.#publisher.signers.get(value)?.sign(message)
      return keyids.includes(keyid) && wanted === sig.toLowerCase()
    })
    const count = new Set(good.map(({ keyid }) => keyid)).size
    requireRule(count >= threshold, `${role} was accepted with too few signatures`)
  }

  #requireListed({ meta }: Signed): void {
    for (const [role, floor] of this.floors.versions) {
      if (role === 'root' || role === 'timestamp' || role === 'snapshot') continue
      const listed = meta?.[`${role}.json`]?.version ?? 0
      requireRule(listed >= floor, `a snapshot with an older ${role}, or without it`)
    }
  }

  #requireNoWayBack({ versions, epoch }: Floors): void {
    const before = this.floors
    requireRule(epoch >= before.epoch, 'an older epoch')
    requireRule(epoch === 0 || this.#publisher.rotations.has(epoch), 'an epoch without a rotation')
    for (const [role, version] of before.versions) {
      if (epoch > before.epoch && role !== 'root') continue
      requireRule((versions.get(role) ?? 0) >= version, `the trusted ${role} went back`)
    }
  }
}

function parseFile(bytes: Bytes): File {
  return JSON.parse(Buffer.from(bytes).toString()) as File
}
