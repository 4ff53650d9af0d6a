/** The index as the mirror sees it: an HTTP server or a folder, which the other side hides. */

import type { ParsedPage } from '../simple/parse-json.ts'
import type { FileSink } from '../upstream/index-client.ts'
import type { IndexList } from '../simple/project-list.ts'

export interface FetchedPage {
  /** With absolute URLs. */
  readonly page: ParsedPage
  /** What to ask with next time: the page's ETag, or else when it was changed. */
  readonly etag?: string
  /** The index's serial of the project's last change, where it has serials. */
  readonly serial?: number
}

export interface FetchedList extends IndexList {
  readonly etag?: string
}

/** It lies between the two. */
export interface IndexTime {
  readonly earliest: number
  readonly latest: number
}

export interface IndexPort {
  /** For messages: the URL without credentials, or the folder. */
  readonly name: string
  /** Hosts on which its own files may be, `host[:port]`. */
  readonly fileHosts: readonly string[]
  /**
   * `absent`: there is no such project. `isFresh`: past the caches on the way.
   * Throws UpstreamError and VerifyError.
   */
  fetchPage(
    project: string,
    etag?: string,
    isFresh?: boolean,
  ): Promise<FetchedPage | 'absent' | 'unchanged'>
  fetchProjectList(etag?: string): Promise<FetchedList | 'unchanged'>
  /** What `findSize` says is measured on the file itself, not told by a server. */
  readonly hasExactSizes?: boolean
  /** Bytes of a file, where that is known without reading all of it. */
  findSize(url: string): Promise<number | undefined>
  /** Downloads a file to hash it, for links that say no sha256. */
  hashFile(url: string, hosts: readonly string[]): Promise<{ sha256: string; size: number }>
  /** What time it is there (ms), of an index that has a clock. Throws UpstreamError. */
  findTime?(): Promise<IndexTime | undefined>
  fetchFile(url: string, sink: FileSink): Promise<void>
  close(): Promise<void>
}
