/**
 * Fills in the sha256 of links that have none: from what is signed, else from the file itself.
 * What cannot be hashed stays without, and is left out by the merge: never signed blind.
 */

import { describeError, isTufgateError } from '../base/errors.ts'
import type { ProjectFile } from '../simple/model.ts'
import type { ParsedPage } from '../simple/parse-json.ts'
import type { IndexPort } from './index-port.ts'
import { findSha256 } from './merge.ts'

export interface HashOptions {
  readonly index: IndexPort
  readonly fileHosts: readonly string[]
  readonly isAllowedUrl: (url: string) => boolean
}

export interface CompletedPage {
  readonly page: ParsedPage
  /** `false`: some file may be hashed another time. */
  readonly isComplete: boolean
}

/** `pins`: sha256 by file name, of what is signed; a file is fetched once in its life. */
export async function completeHashes(
  page: ParsedPage,
  pins: ReadonlyMap<string, string>,
  options: HashOptions,
): Promise<CompletedPage> {
  if (hasAllDigests(page)) return { page, isComplete: true }
  const files: ProjectFile[] = []
  const skipped = [...page.skipped]
  for (const file of page.files) {
    const completed = await completeFile(file, pins, options)
    if (typeof completed === 'string') skipped.push({ link: file.filename, problem: completed })
    else files.push(completed)
  }
  return { page: { ...page, files, skipped }, isComplete: skipped.length === page.skipped.length }
}

export function hasAllDigests({ files }: ParsedPage): boolean {
  return files.every((file) => findSha256(file) !== undefined)
}

/** A text says why there is no digest. */
async function completeFile(
  file: ProjectFile,
  pins: ReadonlyMap<string, string>,
  { index, fileHosts, isAllowedUrl }: HashOptions,
): Promise<ProjectFile | string> {
  if (findSha256(file) !== undefined) return file
  const pinned = pins.get(file.filename)
  if (pinned !== undefined) return withSha256(file, pinned)
  // The merge says why it is left out.
  if (!isAllowedUrl(file.url)) return file
  try {
    const { sha256, size } = await index.hashFile(file.url, fileHosts)
    return withSha256({ ...file, size }, sha256)
  } catch (error) {
    // The rest of the project goes on; the file is reported, and tried again next time.
    if (isTufgateError(error))
      return `it has no sha256 and cannot be hashed: ${describeError(error)}`
    throw error
  }
}

function withSha256(file: ProjectFile, sha256: string): ProjectFile {
  return { ...file, hashes: new Map([['sha256', sha256]]) }
}
