/**
 * Somebody who has stolen keys and stands between the mirror and its clients: a tree of his own, in
 * which he drives versions as far up as they go.
 */

import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Json } from '../../src/base/canonical-json.ts'
import { sha256Hex } from '../../src/base/digest.ts'
import { signEnvelope } from '../../src/signing/envelope.ts'
import type { Signer } from '../../src/signing/signer.ts'

/** Nothing honest ever comes near it. */
export const farVersion = 2 ** 31

interface Entry {
  version: number
  length?: number
  hashes?: { sha256: string }
}

interface Signed {
  _type: string
  version: number
  expires: string
  meta: Record<string, Entry>
  targets: Record<string, { length: number; hashes: { sha256: string } }>
}

export class Thief {
  readonly folder: string

  private constructor(folder: string) {
    this.folder = folder
  }

  /** In a tree that he can write to. */
  static at(folder: string): Thief {
    return new Thief(folder)
  }

  static async copy(published: string, folder: string): Promise<Thief> {
    await cp(published, folder, { recursive: true })
    return new Thief(folder)
  }

  async read(name: string): Promise<Signed> {
    const text = await readFile(join(this.folder, 'metadata', `${name}.json`), 'utf8')
    return (JSON.parse(text) as { signed: Signed }).signed
  }

  /** The newest snapshot. */
  async readSnapshot(): Promise<Signed> {
    const { meta } = await this.read('timestamp')
    return this.read(`${meta['snapshot.json']!.version}.snapshot`)
  }

  async put(role: string, signed: Signed, signer: Signer): Promise<Entry> {
    const bytes = await signEnvelope(signed as unknown as Json, [signer])
    const name = role === 'timestamp' ? role : `${signed.version}.${role}`
    const path = join(this.folder, 'metadata', `${name}.json`)
    await writeFile(path, bytes)
    if (role !== 'timestamp') await writeFile(`${path}.gz`, gzipSync(bytes))
    return { version: signed.version, length: bytes.length, hashes: { sha256: sha256Hex(bytes) } }
  }

  /** A timestamp for the snapshot of now, or of his own. */
  async putTimestamp(signer: Signer, snapshot?: Entry): Promise<void> {
    const timestamp = await this.read('timestamp')
    const meta = snapshot === undefined ? timestamp.meta : { 'snapshot.json': snapshot }
    await this.put('timestamp', { ...timestamp, version: farVersion, meta }, signer)
  }

  /** With every bin far up, and what else he has put there. */
  async putSnapshot(signer: Signer, entries: Readonly<Record<string, Entry>> = {}): Promise<Entry> {
    const snapshot = await this.readSnapshot()
    const far = Object.keys(snapshot.meta)
      .filter((name) => name.startsWith('bins-'))
      .map((name) => [name, { version: farVersion }] as const)
    const meta = { ...snapshot.meta, ...Object.fromEntries(far), ...entries }
    return this.put('snapshot', { ...snapshot, version: farVersion, meta }, signer)
  }

  /** Every bin, far up, with another record for the project. */
  async putBins(signer: Signer, project: string, record: string): Promise<Record<string, Entry>> {
    const bytes = Buffer.from(record)
    const digest = sha256Hex(bytes)
    await writeFile(join(this.folder, 'targets/simple', project, `${digest}.index.json`), bytes)
    const path = `simple/${project}/index.json`
    const entries: Record<string, Entry> = {}
    const snapshot = await this.readSnapshot()
    for (const name of Object.keys(snapshot.meta).filter((file) => file.startsWith('bins-'))) {
      const role = name.replace('.json', '')
      const bin = await this.read(`${snapshot.meta[name]!.version}.${role}`)
      const targets = { ...bin.targets }
      if (path in targets) targets[path] = { length: bytes.length, hashes: { sha256: digest } }
      entries[name] = await this.put(role, { ...bin, version: farVersion, targets }, signer)
    }
    return entries
  }

  /** A role that people sign, as it is, far up. */
  async putFar(role: string, signer: Signer): Promise<Record<string, Entry>> {
    const { meta } = await this.readSnapshot()
    const name = `${role}.json`
    const signed = await this.read(`${meta[name]!.version}.${role}`)
    return { [name]: await this.put(role, { ...signed, version: farVersion }, signer) }
  }
}
