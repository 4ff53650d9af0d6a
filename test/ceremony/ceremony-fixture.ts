/** A mirror with people who hold keys, each as he would be: the files of a change go through bytes. */

import { cp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Bytes } from '../../src/base/bytes.ts'
import { parseChange, renderChange } from '../../src/ceremony/change-file.ts'
import { checkChange, type CheckedChange } from '../../src/ceremony/check-change.ts'
import { describeChange } from '../../src/ceremony/describe-change.ts'
import { prepareChange, type PrepareOptions } from '../../src/ceremony/prepare-change.ts'
import { publishChange, type PublishedChange } from '../../src/ceremony/publish-change.ts'
import { listSignedRoles, signChange } from '../../src/ceremony/sign-change.ts'
import type { InitOptions } from '../../src/mirror/init.ts'
import { buildPrivateKey, type KeyKind } from '../../src/signing/key-file.ts'
import { buildSigner, openFileSigner, type Signer } from '../../src/signing/signer.ts'
import { checkPublication } from '../../src/watch/publication-check.ts'
import { MirrorFixture } from '../mirror/mirror-fixture.ts'
import { ReturningClient } from './returning-client.ts'

export async function newPerson(kind: KeyKind = 'ed25519'): Promise<Signer> {
  return buildSigner(await buildPrivateKey(kind), 'a test')
}

export class Ceremony {
  readonly mirror: MirrorFixture
  readonly projects = ['foo', 'bar', 'baz-2', 'zope-interface']

  constructor(mirror: MirrorFixture) {
    this.mirror = mirror
  }

  /** With projects that have been signed once. */
  static async create(options: Partial<InitOptions> = {}, now?: number): Promise<Ceremony> {
    const mirror = await MirrorFixture.create()
    if (now !== undefined) mirror.now = now
    await mirror.init(options)
    const ceremony = new Ceremony(mirror)
    for (const name of ceremony.projects) await mirror.putPage(name, [`${name}-1.0.tar.gz`])
    await mirror.sync({ projects: ceremony.projects })
    return ceremony
  }

  get keys(): string {
    return join(this.mirror.directory, 'keys')
  }

  /** A key that `init` has made: `root-1`, `targets`, `claimed`, `bins`. */
  offline(name: string): Promise<Signer> {
    return openFileSigner(join(`${this.mirror.directory}-offline-keys`, `${name}.pem`))
  }

  /** A key of the mirror itself. */
  online(name: string): Promise<Signer> {
    return openFileSigner(join(this.keys, `${name}.pem`))
  }

  async prepare(options: Omit<PrepareOptions, 'directory' | 'clock' | 'report'>): Promise<Bytes> {
    return (await prepareChange({ ...this.mirror.context, ...options })).bytes
  }

  publish(...copies: readonly Bytes[]): Promise<PublishedChange> {
    return publishChange({
      ...this.mirror.context,
      check: checkPublication,
      copies: copies.map((bytes, at) => ({
        place: `copy-${at}.json`,
        checked: readChecked(bytes),
      })),
    })
  }

  /** Prepared, signed by these, published. */
  async change(
    options: Omit<PrepareOptions, 'directory' | 'clock' | 'report'>,
    ...signers: readonly Signer[]
  ): Promise<PublishedChange> {
    return this.publish(await signAll(await this.prepare(options), ...signers))
  }

  /** The whole mirror as it is, in another folder. */
  async copy(name: string): Promise<Ceremony> {
    const other = new MirrorFixture(join(this.mirror.root, name))
    await cp(this.mirror.directory, other.directory, { recursive: true })
    await cp(this.mirror.index, other.index, { recursive: true })
    await cp(`${this.mirror.directory}-offline-keys`, `${other.directory}-offline-keys`, {
      recursive: true,
    })
    other.now = this.mirror.now
    return new Ceremony(other)
  }

  /** Its state on disk survives from one use to the next. */
  client(name = 'client'): ReturningClient {
    return new ReturningClient(join(this.mirror.root, name), () =>
      readFile(join(this.mirror.public, 'metadata', '1.root.json')),
    )
  }

  remove(): Promise<void> {
    return this.mirror.remove()
  }
}

export function readChecked(bytes: Bytes): CheckedChange {
  return checkChange(parseChange(bytes, 'change.json'))
}

export function describe(bytes: Bytes): string {
  return describeChange(readChecked(bytes)).join('\n')
}

export async function sign(bytes: Bytes, signer: Signer): Promise<Bytes> {
  const checked = readChecked(bytes)
  const change = await signChange(checked, listSignedRoles(checked, signer), signer)
  return renderChange(change, [])
}

export async function signAll(bytes: Bytes, ...signers: readonly Signer[]): Promise<Bytes> {
  let signed = bytes
  for (const signer of signers) signed = await sign(signed, signer)
  return signed
}
