/** A mirror that is a folder. */

import type { Bytes } from '../base/bytes.ts'

export interface FolderSource {
  readonly name: string
  fetchMetadata(
    path: string,
    maxBytes: number,
    etag?: string,
  ): Promise<{ bytes: Bytes; etag?: string } | 'absent' | 'unchanged'>
  fetchTarget(path: string, maxBytes: number): Promise<Bytes | undefined>
}

export function openFolderSource(_folder: string): FolderSource {
  throw new Error('to come')
}
