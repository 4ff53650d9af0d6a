/**
 * A published tree as its clients find it: through a static server that prefers the `.gz` beside a
 * file, and, before a publication, with the timestamp that is about to appear.
 */

import { gunzipSync } from 'node:zlib'
import { equalBytes, type Bytes } from '../base/bytes.ts'
import { describeError, VerifyError } from '../base/errors.ts'
import type { RepositorySource } from '../client/repository-source.ts'

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

/** The tree with this timestamp in place of the one that is on disk. */
export function stageTimestamp(source: RepositorySource, timestamp: Bytes): RepositorySource {
  return {
    ...source,
    fetchMetadata: (path, maxBytes, etag) =>
      path === 'metadata/timestamp.json'
        ? Promise.resolve({ bytes: requireShort(timestamp, maxBytes) })
        : source.fetchMetadata(path, maxBytes, etag),
  }
}

function requireShort(timestamp: Bytes, maxBytes: number): Bytes {
  if (timestamp.length <= maxBytes) return timestamp
  throw new VerifyError('LENGTH_MISMATCH', 'The timestamp is longer than clients read', {
    role: 'timestamp',
    expected: `at most ${maxBytes} bytes`,
    found: `${timestamp.length} bytes`,
  })
}
