/**
 * A mirror that is a folder on this machine: the port of a mirror (client/repository-source.ts)
 * without a network. What it gives is as untrusted as what a server sends.
 */

import { constants, type BigIntStats } from 'node:fs'
import { open, realpath, type FileHandle } from 'node:fs/promises'
import { join, sep } from 'node:path'
import type { Bytes } from '../base/bytes.ts'
import { describeError, UpstreamError } from '../base/errors.ts'
import { findErrno } from './storage-error.ts'

export interface FolderSource {
  readonly name: string
  /** `path` is relative and percent-encoded: `metadata/3.root.json`. */
  fetchMetadata(
    path: string,
    maxBytes: number,
    etag?: string,
  ): Promise<{ bytes: Bytes; etag?: string } | 'absent' | 'unchanged'>
  fetchTarget(path: string, maxBytes: number): Promise<Bytes | undefined>
}

const flags = constants.O_RDONLY | constants.O_NONBLOCK

/** The folder need not be there yet: a disk may be mounted later. */
export function openFolderSource(folder: string): FolderSource {
  const readFile = (path: string, maxBytes: number, etag?: string): ReturnType<typeof readWithin> =>
    readWithin(folder, decodePath(folder, path), { maxBytes, etag })
  return {
    name: folder,
    fetchMetadata: readFile,
    fetchTarget: async (path, maxBytes) => {
      const answer = await readFile(path, maxBytes)
      return typeof answer === 'string' ? undefined : answer.bytes
    },
  }
}

/** Each segment is decoded once; one that leads elsewhere than to its own name is refused. */
function decodePath(folder: string, rawPath: string): string {
  const segments = rawPath.split('/').map((segment) => decodeSegment(folder, segment))
  return join(folder, ...segments)
}

function decodeSegment(folder: string, rawSegment: string): string {
  const segment = decodePercent(rawSegment)
  const isName =
    segment !== undefined && !['', '.', '..'].includes(segment) && !/[/\0]/.test(segment)
  if (isName) return segment
  throw new UpstreamError(
    'METADATA_UNAVAILABLE',
    `${folder} cannot hold a file that is called so`,
    {
      found: rawSegment.slice(0, 100),
      next: 'rename the role or target: a file of a folder needs a name without "/", that is not "." or ".."',
    },
  )
}

function decodePercent(rawSegment: string): string | undefined {
  try {
    return decodeURIComponent(rawSegment)
  } catch {
    // Not UTF-8, or a bare percent sign: no name.
    return undefined
  }
}

interface ReadOptions {
  readonly maxBytes: number
  readonly etag: string | undefined
}

async function readWithin(
  folder: string,
  path: string,
  options: ReadOptions,
): Promise<{ bytes: Bytes; etag: string } | 'absent' | 'unchanged'> {
  const handle = await openWithin(folder, path)
  if (handle === undefined) return 'absent'
  try {
    return await readHandle(handle, path, options)
  } catch (error) {
    throw buildSourceError(error, path)
  } finally {
    await handle.close()
  }
}

/** `undefined` where there is no such file; an error where the folder itself is gone. */
async function openWithin(folder: string, path: string): Promise<FileHandle | undefined> {
  try {
    const root = await realpath(folder)
    const real = await realpath(path).catch((error: unknown) => ignoreAbsence(error))
    if (real === undefined) return undefined
    if (!real.startsWith(root.endsWith(sep) ? root : `${root}${sep}`))
      throw buildOutsideError(path, real)
    return await open(real, flags)
  } catch (error) {
    throw buildSourceError(error, path)
  }
}

function ignoreAbsence(error: unknown): undefined {
  if (findErrno(error) === 'ENOENT' || findErrno(error) === 'ENOTDIR') return undefined
  throw error
}

async function readHandle(
  handle: FileHandle,
  path: string,
  { maxBytes, etag }: ReadOptions,
): Promise<{ bytes: Bytes; etag: string } | 'absent' | 'unchanged'> {
  const stats = await handle.stat({ bigint: true })
  if (!stats.isFile()) return 'absent'
  if (etagOf(stats) === etag) return 'unchanged'
  if (stats.size > BigInt(maxBytes)) throw buildTooLargeError(path, maxBytes, stats.size)
  const length = Number(stats.size)
  const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafeSlow(length), 0, length, 0)
  return { bytes: buffer.subarray(0, bytesRead), etag: etagOf(stats) }
}

function etagOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `"${[dev, ino, size, mtimeNs, ctimeNs].join('-')}"`
}

function buildTooLargeError(path: string, maxBytes: number, size: bigint): UpstreamError {
  return new UpstreamError('TOO_LARGE', `${path} is larger than it may be`, {
    expected: `at most ${maxBytes} bytes`,
    found: `${size} bytes`,
    next: 'look at the mirror, or raise the limit in the settings if this is its true size',
  })
}

function buildOutsideError(path: string, real: string): UpstreamError {
  return new UpstreamError('METADATA_UNAVAILABLE', `${path} leads out of the mirror's folder`, {
    found: real,
    next: 'copy the file into the folder, in place of the link',
  })
}

function buildSourceError(error: unknown, path: string): UpstreamError {
  if (error instanceof UpstreamError) return error
  return new UpstreamError('UNREACHABLE', `cannot read ${path}: ${describeError(error)}`, {
    found: findErrno(error) ?? 'no error number',
    next: 'check that the folder of the mirror is there and readable, and its disk mounted',
    cause: error,
  })
}
