/** The index as the mirror sees it: an HTTP server or a folder, which the other side hides. */

import type { ParsedPage } from '../simple/parse-json.ts'

export interface FetchedPage {
  /** With absolute URLs. */
  readonly page: ParsedPage
  readonly etag?: string
}

export interface IndexPort {
  /** For messages: the URL without credentials, or the folder. */
  readonly name: string
  /** Hosts on which its own files may be, `host[:port]`. */
  readonly fileHosts: readonly string[]
  /** `absent`: there is no such project. Throws UpstreamError and VerifyError. */
  fetchPage(project: string, etag?: string): Promise<FetchedPage | 'absent' | 'unchanged'>
  /** Names as the index writes them. */
  fetchProjectNames(): Promise<readonly string[]>
  /** Downloads a file to hash it, for links that say no sha256. */
  hashFile(url: string, hosts: readonly string[]): Promise<{ sha256: string; size: number }>
  close(): Promise<void>
}
