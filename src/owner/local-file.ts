/**
 * A distribution on the maintainer's own machine against what the index shows of it: byte for byte by
 * its digest, and a wheel's metadata by what stands in the wheel.
 */

import { toPrintable } from '../base/bytes.ts'
import { VerifyError } from '../base/errors.ts'
import { findFileFault } from '../simple/file-url.ts'
import type { ProjectFile } from '../simple/model.ts'
import type { RecordFile } from '../simple/record.ts'

/** Texts of the index stand in them. */
const maxRemarkLength = 500

export interface LocalFile {
  readonly filename: string
  readonly size: number
  readonly sha256: string
  /** Of a wheel: what stands in its METADATA. */
  readonly metadata?: { readonly sha256: string; readonly requiresPython?: string }
}

export interface CheckedFile {
  readonly entry: RecordFile
  /** What the index says otherwise, and is not signed. */
  readonly remarks: readonly string[]
}

interface Shown {
  readonly listed: ProjectFile
  readonly before: RecordFile | undefined
  /** ms */
  readonly now: number
}

/** Throws VerifyError where the index shows another file, or the entry cannot be signed. */
export function checkLocalFile(
  project: string,
  local: LocalFile,
  { listed, before, now }: Shown,
): CheckedFile {
  const fault = findFileFault(listed, project)
  if (fault !== undefined)
    throw refuse(local, `the index lists it in a way that cannot be signed: ${fault}`)
  requireSame(local, 'sha256', local.sha256, listed.hashes.get('sha256')?.toLowerCase())
  requireSame(local, 'size', String(local.size), listed.size?.toString())
  // A name that was signed once never gets another digest.
  if (before !== undefined) requireSame(local, 'signed sha256', local.sha256, before.sha256)
  const shownMetadata = listed.coreMetadata?.get('sha256')?.toLowerCase()
  const isChecked = local.metadata !== undefined
  if (isChecked) requireSame(local, 'METADATA', local.metadata.sha256, shownMetadata)
  const remarks = listRemarks(local, listed, before)
  return {
    remarks,
    entry: buildEntry(local, { listed, before, now }, isChecked ? shownMetadata : undefined),
  }
}

/** What the index shows is compared only where it shows something. */
function requireSame(
  { filename }: LocalFile,
  what: string,
  own: string,
  shown: string | undefined,
): void {
  if (shown === undefined || shown === own) return
  throw new VerifyError(
    'DIGEST_MISMATCH',
    `${toPrintable(filename)} is not the file that the index shows: another ${what}`,
    {
      expected: `${own} (yours)`,
      found: `${shown} (the index)`,
      next: 'Find out who uploaded the other one before you sign anything.',
    },
  )
}

function refuse({ filename }: LocalFile, problem: string): VerifyError {
  return new VerifyError('RECORD_REFUSED', `${toPrintable(filename)} is not signed: ${problem}`, {
    next: 'Check its name, and the page of the index.',
  })
}

/** Only what this file itself says, and what a person said: extra members of the index are not signed. */
function buildEntry(
  local: LocalFile,
  { listed, before, now }: Shown,
  metadataSha256: string | undefined,
): RecordFile {
  const uploadTime = before?.uploadTime ?? listed.uploadTime
  const requiresPython = findRequiresPython(local, listed, before)
  const firstSeen = before === undefined ? now : before.firstSeen
  return {
    filename: local.filename,
    url: listed.url,
    sha256: local.sha256,
    hashes: new Map([['sha256', local.sha256]]),
    size: local.size,
    ...(uploadTime !== undefined && { uploadTime }),
    ...(requiresPython !== undefined && { requiresPython }),
    ...(before?.yanked !== undefined && { yanked: before.yanked }),
    ...(metadataSha256 !== undefined && { coreMetadata: new Map([['sha256', metadataSha256]]) }),
    ...(typeof listed.provenance === 'string' && { provenance: listed.provenance }),
    ...(firstSeen !== undefined && { firstSeen }),
    extra: new Map(),
  }
}

/** What the wheel says itself is what pip will find in it; of other files the index alone says it. */
function findRequiresPython(
  { metadata }: LocalFile,
  listed: ProjectFile,
  before: RecordFile | undefined,
): string | undefined {
  if (metadata !== undefined) return metadata.requiresPython
  return before === undefined ? listed.requiresPython : before.requiresPython
}

function listRemarks(
  local: LocalFile,
  listed: ProjectFile,
  before: RecordFile | undefined,
): string[] {
  const remarks: string[] = []
  const own = findRequiresPython(local, listed, before)
  if (listed.requiresPython !== own && listed.requiresPython !== undefined) {
    remarks.push(
      `the index says requires-python ${listed.requiresPython}, signed is ${own ?? 'none'}`,
    )
  }
  if ((listed.yanked === undefined) !== (before?.yanked === undefined)) {
    remarks.push(
      listed.yanked === undefined
        ? 'the index does not show it as yanked any more; it stays so (--unyank)'
        : 'the index shows it as yanked, which is not signed (--yank)',
    )
  }
  if (local.metadata === undefined && listed.coreMetadata !== undefined) {
    remarks.push('its .metadata file cannot be checked, and is not signed')
  }
  return remarks.map((remark) => toPrintable(remark, maxRemarkLength))
}
