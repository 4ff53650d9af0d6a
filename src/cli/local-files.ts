/** Distributions on this machine: hashed without being held in memory, a wheel's METADATA read. */

import { open, type FileHandle } from 'node:fs/promises'
import { basename } from 'node:path'
import { decodeUtf8 } from '../base/bytes.ts'
import { DecodeError } from '../base/decode.ts'
import { sha256Hex } from '../base/digest.ts'
import { ConfigError } from '../base/errors.ts'
import type { LocalFile } from '../owner/local-file.ts'
import { parseFilename } from '../simple/filename.ts'
import { readWheelMetadata } from '../simple/wheel-metadata.ts'
import { hashFile } from './hash-file.ts'

/** Throws CONFIG_INVALID for what is no file, or is no wheel though it is called one. */
export async function readLocalFile(path: string, project: string): Promise<LocalFile> {
  const file = await open(path, 'r')
  try {
    const { size } = await requireFile(path, file)
    const filename = basename(path)
    const sha256 = await hashFile(file)
    if (parseFilename(filename, project).kind !== 'wheel') return { filename, size, sha256 }
    return { filename, size, sha256, metadata: await readMetadata(path, file, size) }
  } finally {
    await file.close()
  }
}

async function requireFile(path: string, file: FileHandle): Promise<{ size: number }> {
  const found = await file.stat()
  if (found.isFile()) return found
  throw new ConfigError('CONFIG_INVALID', `${path} is not a file`, {
    next: 'Name the wheels and sdists themselves, such as dist/*.whl',
  })
}

async function readMetadata(
  path: string,
  file: FileHandle,
  size: number,
): Promise<NonNullable<LocalFile['metadata']>> {
  const read = async (offset: number, length: number): Promise<Uint8Array> => {
    const buffer = new Uint8Array(Math.max(0, Math.min(length, size - offset)))
    const { bytesRead } = await file.read(buffer, 0, buffer.length, offset)
    return buffer.subarray(0, bytesRead)
  }
  try {
    const bytes = await readWheelMetadata({ size, read })
    const requiresPython = findRequiresPython(decodeUtf8(bytes))
    return { sha256: sha256Hex(bytes), ...(requiresPython !== undefined && { requiresPython }) }
  } catch (error) {
    if (!(error instanceof DecodeError || error instanceof TypeError)) throw error
    throw new ConfigError('CONFIG_INVALID', `${path} is no wheel: ${error.message}`, {
      next: 'Build it again.',
      cause: error,
    })
  }
}

/** Core metadata: headers as in a mail, up to the first empty line. */
function findRequiresPython(metadata: string): string | undefined {
  const [head = ''] = metadata.split(/\r?\n\r?\n/, 1)
  const [, value] = /^requires-python:[ \t]*(.+?)[ \t]*$/im.exec(head) ?? []
  return value
}
