/**
 * METADATA in a wheel (PEP 427): what a `.metadata` file beside it must be, byte for byte (PEP 658).
 * A wheel in which two readers could find two of them is refused.
 */

import type { Bytes } from '../base/bytes.ts'
import { DecodeError } from '../base/decode.ts'
import { readZipEntries, readZipEntry, type ArchiveReader } from './zip-entries.ts'

/** That of a large project has some hundred kB. */
const maxMetadataBytes = 16 * 1024 ** 2

/** Throws DecodeError with the problem. */
export async function readWheelMetadata(archive: ArchiveReader): Promise<Bytes> {
  const entries = await readZipEntries(archive)
  // In any spelling: which folder is meant, some readers decide by the name alone.
  const found = entries.filter(({ name }) => /^[^/\\]+\.dist-info[/\\]METADATA$/i.test(name))
  const [entry] = found
  if (entry === undefined) throw new DecodeError('it has no METADATA')
  if (found.length > 1) throw new DecodeError('it has two METADATA')
  return readZipEntry(archive, entry, maxMetadataBytes)
}
