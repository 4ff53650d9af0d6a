/**
 * A folder as it is on disk, for the comparison with signed wheels: every name in it once, links not
 * followed, files opened only where they are files. The names are held in memory, contents never.
 */

import { lstatSync, readdirSync, readlinkSync, realpathSync, type Stats } from 'node:fs'
import { dirname, join, resolve, sep } from 'node:path'
import { createHasher } from '../../base/digest.ts'
import { ConfigError } from '../../base/errors.ts'
import type { Disk, DiskFile } from '../../installed/disk.ts'
import { describeErrno, findErrno } from '../../store/storage-error.ts'
import { withFile, type OpenFile } from '../with-file.ts'

/** Files and folders. */
const maxEntries = 2_000_000
const maxDepth = 200
const chunkBytes = 1 << 20

/** `root` is a real path. Throws CONFIG_INVALID where there is more than can be looked at. */
export function openDisk(root: string): Disk {
  const files = new Map<string, DiskFile>()
  const folders: { path: string; depth: number }[] = [{ path: '', depth: 0 }]
  let count = 0
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const name of listNames(root, folder.path, files)) {
      const path = folder.path === '' ? name : `${folder.path}/${name}`
      const stats = lookAt(join(root, path))
      const isFolder = typeof stats !== 'string' && stats.isDirectory()
      if (isFolder && folder.depth < maxDepth) folders.push({ path, depth: folder.depth + 1 })
      else files.set(path, describeEntry(root, path, stats))
      count += 1
      if (count > maxEntries) throw refuseSize(root)
    }
  }
  const buffer = Buffer.allocUnsafeSlow(chunkBytes)
  return {
    files,
    digest: (path) => Promise.resolve(digestFile(join(root, path), buffer)),
    read: (path, maxBytes) =>
      Promise.resolve(lookInto(join(root, path), (file) => file.read(maxBytes))),
  }
}

function listNames(root: string, folder: string, files: Map<string, DiskFile>): string[] {
  try {
    return readdirSync(join(root, folder))
  } catch (error) {
    if (findErrno(error) === undefined || folder === '') throw error
    files.set(folder, describeUnreadable(describeErrno(error)))
    return []
  }
}

function describeUnreadable(problem: string): DiskFile {
  return { kind: 'unreadable', size: 0, mtimeSeconds: 0, problem }
}

/** Or why it cannot be looked at. */
function lookAt(path: string): Stats | string {
  try {
    const stats = lstatSync(path, { throwIfNoEntry: false })
    if (stats !== undefined) return stats
    // What is no UTF-8 was read as another name.
    return path.includes('\uFFFD') ? 'its name is not UTF-8' : 'it was there a moment ago'
  } catch (error) {
    if (findErrno(error) === undefined) throw error
    return describeErrno(error)
  }
}

function describeEntry(root: string, path: string, stats: Stats | string): DiskFile {
  if (typeof stats === 'string') return describeUnreadable(stats)
  const { size } = stats
  const mtimeSeconds = Math.floor(stats.mtimeMs / 1000)
  if (stats.isFile()) return { kind: 'file', size, mtimeSeconds }
  if (!stats.isSymbolicLink()) return { kind: 'other', size, mtimeSeconds }
  return { kind: 'link', size, mtimeSeconds, ...describeLink(root, join(root, path)) }
}

function describeLink(root: string, path: string): { target: string; staysInside: boolean } {
  try {
    const target = readlinkSync(path)
    const end = realpathSync(resolve(dirname(path), target))
    return { target, staysInside: end.startsWith(root + sep) }
  } catch {
    // It leads nowhere, or in circles.
    return { target: '(nowhere)', staysInside: false }
  }
}

function refuseSize(root: string): ConfigError {
  return new ConfigError(
    'CONFIG_INVALID',
    `${root} has more than ${maxEntries} files and folders.`,
    {
      next: 'Name the folder of one environment.',
    },
  )
}

/** Whoever swaps a file for a link or a FIFO between the listing and now gains nothing. */
function lookInto<T>(path: string, look: (file: OpenFile) => T): T | undefined {
  try {
    return withFile(path, 'refuse', (file) => (file.stats.isFile() ? look(file) : undefined))
  } catch (error) {
    if (findErrno(error) === undefined) throw error
    return undefined
  }
}

function digestFile(path: string, buffer: Buffer): string | undefined {
  return lookInto(path, ({ readNext }) => {
    const hasher = createHasher('sha256')
    for (;;) {
      const count = readNext(buffer)
      if (count === 0) return hasher.digestHex()
      hasher.update(buffer.subarray(0, count))
    }
  })
}
