/** Files of one folder that are for their owner alone: 0600, each written once and whole, in a folder of 0700. */

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Bytes } from '../base/bytes.ts'
import { removeIfThere, writeFileAtomic } from './atomic-file.ts'
import { makeFolderPath } from './make-folder.ts'
import { readRegular } from './regular-file.ts'
import { buildStorageError, findErrno } from './storage-error.ts'

export class PrivateFiles {
  readonly folder: string

  /** Nothing is made before the first file is. */
  constructor(folder: string) {
    this.folder = folder
  }

  /** On disk for good when it is done. `name` is one of our own making. */
  async put(name: string, bytes: Bytes): Promise<void> {
    try {
      makeFolderPath(this.folder, 0o700)
    } catch (error) {
      throw buildStorageError(error, 'make', this.folder)
    }
    await writeFileAtomic(join(this.folder, name), bytes)
  }

  /** `undefined` where it is not there. */
  read(name: string): Bytes | undefined {
    const path = join(this.folder, name)
    try {
      return readRegular(path)
    } catch (error) {
      if (findErrno(error) === 'ENOENT') return undefined
      throw buildStorageError(error, 'read', path)
    }
  }

  /** That it is missing is no error. */
  remove(name: string): void {
    removeIfThere(join(this.folder, name))
  }

  /** With what a crash has left behind. */
  list(): string[] {
    try {
      return readdirSync(this.folder)
    } catch (error) {
      if (findErrno(error) === 'ENOENT') return []
      throw buildStorageError(error, 'read', this.folder)
    }
  }
}
