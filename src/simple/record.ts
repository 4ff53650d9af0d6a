/**
 * A project record: what the mirror signs and the proxy serves from. PEP 691 JSON, a sha256 for every
 * file, and what tufgate adds in keys that begin with `_`.
 */

import type { Bytes } from '../base/bytes.ts'
import type { Json } from '../base/canonical-json.ts'
import type { ProjectFile, ProjectStatus } from './model.ts'

export interface RecordFile extends ProjectFile {
  readonly sha256: string
  /** `_removed`: when the index stopped to list it, `YYYY-MM-DDTHH:MM:SSZ`. */
  readonly removed?: string
  /** `_conflict`: the sha256 that the index showed later. */
  readonly conflict?: string
  /** `_first-seen`, ms. */
  readonly firstSeen?: number
}

export interface ServedPath {
  readonly file: RecordFile
  readonly kind: 'file' | 'metadata'
  /** Where it is fetched from. */
  readonly url: string
  readonly sha256: string
  readonly size?: number
}

/** What `renderRecord` needs. */
export interface RecordContent {
  readonly name: string
  readonly files: readonly RecordFile[]
  readonly versions: readonly string[]
  readonly status?: ProjectStatus
  readonly extra: ReadonlyMap<string, Json>
}

export interface ProjectRecord extends RecordContent {
  /** By `${host[:port]}/${path, each segment decoded once}`. */
  readonly byPath: ReadonlyMap<string, ServedPath>
}

/** Throws VerifyError MALFORMED, UNSUPPORTED or RECORD_REFUSED. */
export function parseRecord(bytes: Bytes, project: string): ProjectRecord {
  throw new Error(`not built: ${bytes.length} ${project}`)
}

/** Canonical JSON; the same record gives the same bytes. */
export function renderRecord(record: RecordContent): Bytes {
  throw new Error(`not built: ${record.name}`)
}
