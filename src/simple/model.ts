/**
 * One model for an index page, whichever format it came in and whichever it goes out in
 * (Simple repository API 1.4: PEP 503, 592, 629, 658, 691, 700, 714, 740, 792).
 *
 * It holds what a page says, not whether that is true: a page becomes a signed record in `record.ts`.
 */

import type { Json } from '../base/canonical-json.ts'

/** PEP 658 and 714: there is a `.metadata` file, with these digests (none known: empty). */
export type CoreMetadata = ReadonlyMap<string, string>

export interface ProjectFile {
  readonly filename: string
  /** As the page has it; absolute after `resolveUrls`. Without a fragment. */
  readonly url: string
  /** Digest in hexadecimal by algorithm name, in the order of the page. */
  readonly hashes: ReadonlyMap<string, string>
  /** Bytes. PEP 700. */
  readonly size?: number
  /** Bytes, as the file's server told; the page did not. A hint, never a reason to refuse a file. */
  readonly toldSize?: number
  /** PEP 700: `yyyy-mm-ddThh:mm:ss.ffffffZ`, kept as written. */
  readonly uploadTime?: string
  readonly requiresPython?: string
  /** PEP 592: present when yanked, with the reason, which may be empty. */
  readonly yanked?: string
  /** Absent: there is no `.metadata` file, or the page does not say. */
  readonly coreMetadata?: CoreMetadata
  /** PEP 740: URL of the provenance file; null where the page says that there is none. */
  readonly provenance?: string | null
  readonly gpgSig?: boolean
  /** Members that API 1.4 does not know, as they were; without those that begin with `_`. */
  readonly extra: ReadonlyMap<string, Json>
}

/** PEP 792. */
export interface ProjectStatus {
  readonly status: string
  readonly reason?: string
}

export interface ProjectPage {
  /** Normalized, PEP 503. */
  readonly name: string
  readonly files: readonly ProjectFile[]
  /** PEP 700; empty for an HTML page, which has none. */
  readonly versions: readonly string[]
  readonly status?: ProjectStatus
  /** As for a file; on a page as it was read from an index those that begin with `_` too. */
  readonly extra: ReadonlyMap<string, Json>
}
