/** The file that is being appended to, as a port: tests put a failing disk in its place. */

import { constants, fdatasync, fstatSync, mkdirSync, writeSync } from 'node:fs'
import { open, truncate, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Bytes } from '../base/bytes.ts'
import { findErrno } from './audit-error.ts'

export interface PartFile {
  /** At the end; all of it or an error. */
  append(bytes: Bytes): Promise<void>
  /** Resolves once all that was appended is on disk. */
  sync(): Promise<void>
  /** `false` once somebody has deleted the file: what is appended then is lost. */
  isLinked(): Promise<boolean>
  close(): Promise<void>
}

export interface PartDisk {
  /** A new file; rejects with EEXIST where there is one. */
  create(path: string): Promise<PartFile>
  /**
   * Cuts what came after the last line that is known to be on disk. A file without any is removed: as
   * often as the disk fails there would be one more, and the budget of files takes the oldest first.
   */
  cut(path: string, length: number): Promise<void>
}

const flags = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_APPEND

export const realDisk: PartDisk = {
  create: async (path) => {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    const handle = await open(path, flags, 0o600)
    try {
      await syncFolder(dirname(path))
    } catch (error) {
      await handle.close()
      await unlink(path)
      throw error
    }
    return {
      append: async (bytes) => writeWhole(handle.fd, bytes),
      sync: () => syncData(handle.fd),
      isLinked: async () => fstatSync(handle.fd).nlink > 0,
      close: () => handle.close(),
    }
  },
  cut: async (path, length) => {
    try {
      await (length === 0 ? unlink(path) : truncate(path, length))
    } catch (error) {
      // Nothing to cut where somebody deleted it.
      if (findErrno(error) !== 'ENOENT') throw error
    }
  },
}

/** Synchronous: a few kilobytes go to memory in less time than another thread takes to wake. */
function writeWhole(descriptor: number, bytes: Bytes): void {
  for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at)
}

/** The one step that waits for the disk. */
function syncData(descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fdatasync(descriptor, (error) => {
      if (error === null) resolve()
      else reject(error)
    })
  })
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
