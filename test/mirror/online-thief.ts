/**
 * A thief who has every online key of a mirror, and its folder: he signs what he likes with them and
 * publishes it. What he makes verifies as far as those keys go.
 */

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Bytes } from '../../src/base/bytes.ts'
import type { Json } from '../../src/base/canonical-json.ts'
import { sha256Hex } from '../../src/base/digest.ts'
import { onlineRoles, type OnlineRole } from '../../src/mirror/role-names.ts'
import { signEnvelope } from '../../src/signing/envelope.ts'
import { openFileSigner, type Signer } from '../../src/signing/signer.ts'
import { binName } from '../../src/tuf/delegation.ts'

interface Meta {
  version: number
  length?: number
  hashes?: object
}

interface Delegated {
  name: string
  keyids: string[]
  paths: string[]
  threshold: number
  terminating: boolean
}

export interface Signed {
  version: number
  targets: Record<string, unknown>
  delegations?: {
    keys: Record<string, unknown>
    roles: Delegated[]
  }
  meta: Record<string, Meta>
  [member: string]: unknown
}

export class OnlineThief {
  readonly #directory: string
  readonly #signers: ReadonlyMap<OnlineRole, Signer>
  readonly #others: readonly Signer[]

  private constructor(
    directory: string,
    signers: ReadonlyMap<OnlineRole, Signer>,
    others: readonly Signer[],
  ) {
    this.#directory = directory
    this.#signers = signers
    this.#others = others
  }

  /** `others`: private keys that he found elsewhere. */
  static async rob(directory: string, others: readonly string[] = []): Promise<OnlineThief> {
    const open = async (role: OnlineRole): Promise<[OnlineRole, Signer]> => [
      role,
      await openFileSigner(join(directory, 'keys', `${role}.pem`)),
    ]
    const signers = new Map(await Promise.all(onlineRoles.map(open)))
    const found = await Promise.all(others.map((path) => openFileSigner(path)))
    return new OnlineThief(directory, signers, found)
  }

  get signers(): Signer[] {
    return [...this.#signers.values(), ...this.#others]
  }

  signer(role: OnlineRole): Signer {
    return this.#signers.get(role)!
  }

  /** A role as it is published now. */
  async read(role: string): Promise<Signed> {
    if (role === 'timestamp' || role === 'snapshot') return this.#readFile(await this.#nameOf(role))
    const { meta } = await this.read('snapshot')
    return this.#readFile(`${meta[`${role}.json`]!.version}.${role}`)
  }

  async #nameOf(role: string): Promise<string> {
    if (role === 'timestamp') return role
    const { meta } = await this.#readFile('timestamp')
    return `${meta['snapshot.json']!.version}.snapshot`
  }

  async #readFile(name: string): Promise<Signed> {
    const text = await readFile(this.#pathOf(`metadata/${name}.json`), 'utf8')
    return (JSON.parse(text) as { signed: Signed }).signed
  }

  /** The bin in which a target is listed, or would be. */
  async findBin(path: string): Promise<string> {
    const { meta } = await this.read('snapshot')
    const bins = Object.keys(meta).filter((name) => name.startsWith('bins-'))
    return binName('bins', Math.log2(bins.length), path)
  }

  /** What a record says in place of the genuine one; the path where it would be fetched. */
  async putTarget(path: string, bytes: Bytes): Promise<unknown> {
    const sha256 = sha256Hex(bytes)
    const at = path.lastIndexOf('/') + 1
    await this.#write(`targets/${path.slice(0, at)}${sha256}.${path.slice(at)}`, bytes)
    return { length: bytes.length, hashes: { sha256 } }
  }

  /** Publishes changed roles, signed by everybody that he can, under newer versions. */
  async publish(
    changes: Readonly<Record<string, (signed: Signed) => void>>,
    bend: (snapshot: Signed) => void = () => {},
    bendTimestamp: (timestamp: Signed) => void = () => {},
  ): Promise<void> {
    const snapshot = await this.read('snapshot')
    for (const [role, change] of Object.entries(changes)) {
      const signed = await this.read(role)
      change(signed)
      signed.version += 1
      const version = await this.#put(role, signed, this.signers)
      snapshot.meta[`${role}.json`] = { version }
    }
    bend(snapshot)
    snapshot.version += 1
    const version = await this.#put('snapshot', snapshot, [this.signer('snapshot')])
    const timestamp = await this.read('timestamp')
    timestamp.version += 1
    timestamp.meta['snapshot.json'] = { version }
    bendTimestamp(timestamp)
    await this.#put('timestamp', timestamp, [this.signer('timestamp')])
  }

  /** The one after `version`; it needs the keys of root. */
  async publishRoot(version: number, change: (root: Signed) => void): Promise<void> {
    const root = await this.#readFile(`${version}.root`)
    change(root)
    root.version += 1
    await this.#put('root', root, this.signers)
  }

  /** Another document under the version that is published; where it goes is left to him. */
  async forge(
    role: string,
    change: (signed: Signed) => void,
    signers: readonly Signer[] = this.signers,
  ): Promise<Bytes> {
    const signed = await this.read(role)
    change(signed)
    return sign(signed, signers)
  }

  async #put(role: string, signed: Signed, signers: readonly Signer[]): Promise<number> {
    const bytes = await sign(signed, signers)
    const name = role === 'timestamp' ? role : `${signed.version}.${role}`
    await this.#write(`metadata/${name}.json`, bytes)
    return signed.version
  }

  #pathOf(path: string): string {
    return join(this.#directory, 'public', path)
  }

  async #write(path: string, bytes: Bytes): Promise<void> {
    await mkdir(dirname(this.#pathOf(path)), { recursive: true })
    await writeFile(this.#pathOf(path), bytes)
  }
}

function sign(signed: Signed, signers: readonly Signer[]): Promise<Bytes> {
  return signEnvelope(JSON.parse(JSON.stringify(signed)) as Json, signers)
}
