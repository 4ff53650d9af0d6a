/**
 * A published tree as its clients find it: through a static server that prefers the `.gz` beside a
 * file, and, before a publication, with the timestamp that is about to appear.
 */

import { gunzipSync } from 'node:zlib'
import { equalBytes, type Bytes } from '../base/bytes.ts'
import { describeError, VerifyError } from '../base/errors.ts'
import type { RepositorySource } from '../client/repository-source.ts'
import type { StagedPublication } from '../mirror/open-mirror.ts'

/** Each file that is read is compared with its twin, where it has one. Throws DIGEST_MISMATCH. */
export function compareTwins(source: RepositorySource): RepositorySource {
  const requireTwin = async (path: string, bytes: Bytes, maxBytes: number): Promise<void> => {
    // Compressed it may be a little longer than what does not compress.
    const twin = await source.fetchTarget(`${path}.gz`, maxBytes + 4096)
    if (twin === undefined || equalBytes(unpack(path, twin, bytes.length), bytes)) return
    throw refuseTwin(path, 'it holds other bytes')
  }
  return {
    name: source.name,
    fetchMetadata: async (path, maxBytes, etag) => {
      const fetched = await source.fetchMetadata(path, maxBytes, etag)
      if (typeof fetched === 'object') await requireTwin(path, fetched.bytes, maxBytes)
      return fetched
    },
    fetchTarget: async (path, maxBytes) => {
      const bytes = await source.fetchTarget(path, maxBytes)
      if (bytes !== undefined) await requireTwin(path, bytes, maxBytes)
      return bytes
    },
  }
}

function unpack(path: string, twin: Bytes, length: number): Bytes {
  try {
    return gunzipSync(twin, { maxOutputLength: length + 1 })
  } catch (error) {
    throw refuseTwin(path, describeError(error))
  }
}

function refuseTwin(path: string, problem: string): VerifyError {
  return new VerifyError(
    'DIGEST_MISMATCH',
    `${path}.gz is not the compressed form of ${path}: ${problem}`,
    {
      found: problem,
      url: `${path}.gz`,
      next: `Remove ${path}.gz; servers then send the file itself.`,
    },
  )
}

/** Each role is read and compared once, however many clients of one check ask for it. */
export function readOnce(source: RepositorySource): RepositorySource {
  const read = new Map<string, ReturnType<RepositorySource['fetchMetadata']>>()
  return {
    ...source,
    fetchMetadata: (path, maxBytes, etag) => {
      const known = read.get(path) ?? source.fetchMetadata(path, maxBytes, etag)
      read.set(path, known)
      return known
    },
  }
}

/** The tree with what is about to appear in it, in place of what is on disk. */
export function overlayStaged(
  source: RepositorySource,
  { timestamp, root }: StagedPublication,
): RepositorySource {
  const staged = new Map([['metadata/timestamp.json', timestamp]])
  if (root !== undefined) staged.set(root.path, root.bytes)
  return {
    ...source,
    fetchMetadata: (path, maxBytes, etag) => {
      const bytes = staged.get(path)
      return bytes === undefined
        ? source.fetchMetadata(path, maxBytes, etag)
        : Promise.resolve({ bytes: requireShort(path, bytes, maxBytes) })
    },
  }
}

function requireShort(path: string, bytes: Bytes, maxBytes: number): Bytes {
  if (bytes.length <= maxBytes) return bytes
  throw new VerifyError('LENGTH_MISMATCH', `${path} is longer than clients read`, {
    expected: `at most ${maxBytes} bytes`,
    found: `${bytes.length} bytes`,
  })
}
