/** A TUF repository in a folder, as a mirror of a refresh: file names are encoded as in URLs. */

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Bytes } from '../../src/base/bytes.ts'
import { UpstreamError } from '../../src/base/errors.ts'
import type { LoadRole } from '../../src/tuf/search.ts'
import { acceptDelegated, noFloors, trustRoot, type TrustedSet } from '../../src/tuf/trusted-set.ts'
import { refresh, type Refreshed, type RefreshPort } from '../../src/tuf/update.ts'

export class FolderRepository implements RefreshPort {
  readonly folder: string
  readonly #fileNames: Readonly<Record<string, string>>

  /** `fileNames` says where roles lie whose files are not named as in URLs. */
  constructor(folder: string, fileNames: Readonly<Record<string, string>> = {}) {
    this.folder = folder
    this.#fileNames = fileNames
  }

  trust(): TrustedSet {
    const bytes = this.#read('1.root.json')
    if (bytes === undefined) throw new Error(`${this.folder} has no first root`)
    return trustRoot(bytes, noFloors)
  }

  refresh(now: number): Promise<Refreshed> {
    return refresh(this.trust(), this, now)
  }

  loadRole(trusted: TrustedSet): LoadRole {
    return async (delegator, role) => {
      const version = trusted.root.consistentSnapshot
        ? trusted.snapshot?.meta.get(`${role}.json`)?.version
        : undefined
      return acceptDelegated(trusted, delegator, role, await this.fetchRole(role, version))
    }
  }

  async fetchRoot(version: number): Promise<Bytes | undefined> {
    return this.#read(`${version}.root.json`)
  }

  async fetchTimestamp(): Promise<Bytes | undefined> {
    return this.fetchRole('timestamp', undefined)
  }

  async fetchRole(role: string, version: number | undefined): Promise<Bytes> {
    const encoded = encodeURIComponent(role).replaceAll('*', '%2A')
    const name =
      this.#fileNames[role] ?? `${version === undefined ? '' : `${version}.`}${encoded}.json`
    const bytes = this.#read(name)
    if (bytes === undefined) throw new UpstreamError('METADATA_UNAVAILABLE', `there is no ${name}`)
    return bytes
  }

  async readCached(): Promise<undefined> {}

  async saveRoot(): Promise<void> {}

  #read(name: string): Bytes | undefined {
    const path = join(this.folder, name)
    return existsSync(path) ? new Uint8Array(readFileSync(path)) : undefined
  }
}
