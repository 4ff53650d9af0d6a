/** Cached metadata bytes by role. */

import type { Bytes } from '../base/bytes.ts'
import type { StagedFile } from './atomic-file.ts'

export type TopRole = 'timestamp' | 'snapshot' | 'targets'

export interface MetadataDirectoryOptions {
  readonly maxDelegatedRoles?: number
  readonly onWarning?: (message: string) => void
}

export class MetadataDirectory {
  static async open(
    _directory: string,
    _options?: MetadataDirectoryOptions,
  ): Promise<MetadataDirectory> {
    return new MetadataDirectory()
  }

  async readRoot(_version: number, _maxBytes: number): Promise<Bytes | undefined> {
    throw new Error('to come')
  }

  async saveRoot(_version: number, _bytes: Bytes): Promise<void> {}

  async readTop(_role: TopRole, _maxBytes: number): Promise<Bytes | undefined> {
    throw new Error('to come')
  }

  /** For `FloorStore.raise`: publish the stages of snapshot, targets and, last, timestamp in its `write`. */
  async stageTop(_role: TopRole, _bytes: Bytes): Promise<StagedFile> {
    throw new Error('to come')
  }

  async readDelegated(_role: string, _maxBytes: number): Promise<Bytes | undefined> {
    throw new Error('to come')
  }

  async writeDelegated(_role: string, _bytes: Bytes): Promise<void> {}

  /** For bytes that turned out not to verify: kept beside for a look, never read again. */
  async setAsideRoot(_version: number, _reason: string): Promise<void> {}
  async setAsideTop(_role: TopRole, _reason: string): Promise<void> {}
  async setAsideDelegated(_role: string, _reason: string): Promise<void> {}
}
