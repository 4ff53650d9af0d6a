/** Files that are replaced whole: a reader sees the old content or the new one. */

import type { Bytes } from '../base/bytes.ts'

export interface StagedFile {
  /** Synchronous: renames and makes the name durable. */
  publish(): void
  discard(): void
}

/** Writes `path`'s next content beside it, durably; nothing is visible before `publish`. */
export async function stageFile(
  _path: string,
  _bytes: Bytes,
  _options?: { mode?: number },
): Promise<StagedFile> {
  throw new Error('to come')
}

export async function writeFileAtomic(
  path: string,
  bytes: Bytes,
  options?: { mode?: number },
): Promise<void> {
  const staged = await stageFile(path, bytes, options)
  staged.publish()
}
