/**
 * One listed file, downloaded and compared with what is signed of it: its sha256, its length, and the
 * METADATA in a wheel with the `.metadata` file that stands for it (PEP 658).
 */

import { sha256Hex } from '../base/digest.ts'
import { DecodeError } from '../base/decode.ts'
import type { RecordFile } from '../simple/record.ts'
import { readWheelMetadata } from '../simple/wheel-metadata.ts'
import type { ArchiveReader } from '../simple/zip-entries.ts'

/** What differs, in the words of the journal. */
export interface FileDifference {
  readonly aspect: 'sha256' | 'size' | 'metadata' | 'archive'
  readonly expected: string
  readonly found: string
}

export interface FetchedFile extends ArchiveReader {
  digestHex(): string
}

/** Empty: it is the signed one in every respect. */
export async function compareFile(
  signed: RecordFile,
  fetched: FetchedFile,
): Promise<FileDifference[]> {
  const digest = fetched.digestHex()
  // Of another file the rest would say nothing.
  if (digest !== signed.sha256)
    return [{ aspect: 'sha256', expected: signed.sha256, found: digest }]
  const isSized = signed.size === undefined || signed.size === fetched.size
  return [
    ...(isSized ? [] : [describeSize(signed.size, fetched.size)]),
    ...(signed.filename.endsWith('.whl') ? await compareMetadata(signed, fetched) : []),
  ]
}

function describeSize(expected: number | undefined, found: number): FileDifference {
  return { aspect: 'size', expected: `${expected} bytes`, found: `${found} bytes` }
}

async function compareMetadata(
  signed: RecordFile,
  fetched: FetchedFile,
): Promise<FileDifference[]> {
  const expected = signed.coreMetadata?.get('sha256')
  try {
    const found = sha256Hex(await readWheelMetadata(fetched))
    return expected === undefined || found === expected
      ? []
      : [{ aspect: 'metadata', expected, found }]
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    // A wheel that two readers could read differently, or not at all.
    return [{ aspect: 'archive', expected: 'a wheel with one METADATA', found: error.message }]
  }
}
