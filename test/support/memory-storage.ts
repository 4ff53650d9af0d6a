/** What a disk keeps of a client, in memory: the production ports, for faults and restarts. */

import type { Bytes } from '../../src/base/bytes.ts'
import { sha256Hex } from '../../src/base/digest.ts'
import { VerifyError } from '../../src/base/errors.ts'
import type { ContentStore } from '../../src/client/record-loader.ts'
import type { TrustStorage } from '../../src/client/trusted-state.ts'
import { noFloors, type Floors } from '../../src/tuf/floors.ts'

export class MemoryStorage implements TrustStorage, ContentStore {
  floors: Floors = noFloors
  readonly files = new Map<string, Bytes>()
  readonly content = new Map<string, Bytes>()
  readonly setAsides: string[] = []

  readFloors(): Floors {
    return this.floors
  }
  async readRoot(version: number): Promise<Bytes | undefined> {
    return this.files.get(`${version}.root`)
  }
  async saveRoot(version: number, bytes: Bytes): Promise<void> {
    this.files.set(`${version}.root`, bytes)
  }
  async save(role: string, bytes: Bytes): Promise<void> {
    this.files.set(role, bytes)
  }
  async commit(floors: Floors, accepted: ReadonlyMap<string, Bytes>): Promise<void> {
    for (const [role, version] of this.floors.versions) {
      if (floors.epoch === this.floors.epoch && (floors.versions.get(role) ?? 0) < version) {
        throw new VerifyError('VERSION_ROLLBACK', `${role} went back`)
      }
    }
    this.floors = floors
    for (const [role, bytes] of accepted) this.files.set(role, bytes)
  }
  async setAside(role: string): Promise<void> {
    this.setAsides.push(role)
    this.files.delete(role)
  }
  async read(name: string): Promise<Bytes | undefined> {
    return this.files.get(name) ?? this.content.get(name)
  }
  put(bytes: Bytes): void {
    this.content.set(sha256Hex(bytes), bytes)
  }
}
