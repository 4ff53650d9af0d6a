/**
 * Watches the published tree of a mirror from round to round, as clients see it: a new one, one that
 * remembers what it saw, and one that compares notes with all others.
 */

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { Floors } from '../../src/tuf/floors.ts'
import { findRecord, noFloors, trustFolder } from '../mirror/own-client.ts'
import { sha256 } from '../support/build-wheel.ts'

export class TreeWitness {
  readonly #folder: string
  /** By name and version, of all rounds: what that version has said. */
  readonly #published = new Map<string, string>()
  /** By project, the most files that a record had. */
  readonly #files = new Map<string, number>()
  #floors: Floors = noFloors

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Throws where a client would refuse, would go back, or would hear two truths. */
  async look(projects: readonly string[]): Promise<void> {
    const now = Date.now()
    await trustFolder(this.#folder, now, noFloors)
    const trusted = await trustFolder(this.#folder, now, this.#floors)
    this.#floors = trusted.floors
    for (const project of projects) {
      const record = await findRecord(this.#folder, project, trusted, now)
      const count = record?.files.length ?? 0
      const before = this.#files.get(project) ?? 0
      if (count < before) throw new Error(`${project} had ${before} files and has ${count}`)
      this.#files.set(project, count)
    }
    await this.#compareVersions()
  }

  async #compareVersions(): Promise<void> {
    const folder = join(this.#folder, 'metadata')
    const names = await readdir(folder)
    for (const name of names.filter((one) => one.endsWith('.json'))) {
      const bytes = await readFile(join(folder, name))
      this.#compare(name === 'timestamp.json' ? `${readVersion(bytes)}.${name}` : name, bytes)
    }
    for (const name of names.filter((one) => one.endsWith('.json.gz'))) {
      this.#compare(name.slice(0, -'.gz'.length), gunzipSync(await readFile(join(folder, name))))
    }
  }

  #compare(name: string, bytes: Uint8Array): void {
    const found = sha256(bytes)
    const before = this.#published.get(name) ?? found
    if (before !== found) throw new Error(`${name} was ${before} and is ${found}`)
    this.#published.set(name, found)
  }
}

function readVersion(bytes: Buffer): number {
  return (JSON.parse(String(bytes)) as { signed: { version: number } }).signed.version
}
