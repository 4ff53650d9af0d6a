/**
 * What the proxy needs of the rest of the program, as one port: signed records, verified files,
 * downloads, policy, time and the audit log. The composition root supplies it; nothing in this
 * folder knows where records or files come from.
 */

import type { AuditEvent } from '../audit/event.ts'
import type { UpstreamError } from '../base/errors.ts'
import type { TrustKind } from '../base/trust-words.ts'
import type { PageDecision, Policy } from '../policy/decide.ts'
import type { ProjectRecord, ServedPath } from '../simple/record.ts'
import type { EntryLookup, ProxyState } from './proxy-state.ts'

/** Versions of the signed list that an answer rests on. */
export interface TrustSummary {
  readonly root: number
  readonly timestamp?: number
  readonly snapshot?: number
  readonly role?: string
  /** The record is the embedded notary's: trusted at first sight, not verified. */
  readonly firstUse?: boolean
}

export interface FoundRecord {
  readonly kind: 'found'
  readonly record: ProjectRecord
  /** sha256 of the record. */
  readonly digest: string
  readonly trust: TrustSummary
  /** A mirror offered bad or older metadata; ours is still valid, and that is logged already. */
  readonly stale?: string
}

export interface AbsentRecord {
  readonly kind: 'absent'
  readonly trust: TrustSummary
  /** The name matches an explicit `projects` pattern, so no other index may answer for it. */
  readonly claimed: boolean
}

export type RecordLookup = FoundRecord | AbsentRecord

export interface ProjectListLookup {
  readonly names: readonly string[]
  readonly digest: string
  readonly trust: TrustSummary
}

/** An open file of the vault: every byte of it has been verified. */
export interface VerifiedFile {
  readonly size: number
  readonly sha256: string
  /** Returns the number of bytes read, at most `length`; 0 only at the end. */
  read(buffer: Uint8Array, position: number, length: number): Promise<number>
  close(): Promise<void>
}

export interface FetchProgress {
  /** Counts up when the fetch starts again from the beginning. */
  readonly attempt: number
  /** The first bytes of this attempt, 48 or more once so many came. Not verified. */
  readonly head: Uint8Array
  /** Signed length, or else the one that this attempt's answer announced. */
  readonly length: number | undefined
  readonly receivedBytes: number
  /** Why the attempt before this one ended. */
  readonly failure?: UpstreamError
}

/** One fetch of one file, shared by all who wait for it. */
export interface FileFetch {
  /** Resolves once the file is verified and in the vault; rejects with a coded error. */
  readonly done: Promise<void>
  progress(): FetchProgress
}

export interface Readiness {
  readonly ready: boolean
  readonly checks: readonly {
    readonly name: string
    readonly ok: boolean
    readonly detail: string
  }[]
}

export interface GatewayOps {
  /**
   * For a page it is worth some waiting that the record is new; for a file that is listed it is not.
   * Throws VerifyError, UpstreamError METADATA_UNAVAILABLE or StorageError.
   */
  findRecord(project: string, purpose: 'page' | 'file'): Promise<RecordLookup>
  /** Where there is none: the kind of trust that there is in its place. */
  findProjectList(): Promise<ProjectListLookup | TrustKind>
  /** The file as it may be delivered. Throws VerifyError where settings demand more than a record. */
  requireFile(project: string, path: ServedPath): Promise<ServedPath>
  openVerified(sha256: string): Promise<VerifiedFile | undefined>
  /** `project`: which hosts may be asked is a matter of its index. */
  download(project: string, path: ServedPath): FileFetch
  /** The same object for as long as the policy is the same: pages are cached by it. */
  policyOf(project: string): Policy
  /** ms. */
  now(): number
  /** Resolves once the event is on disk. */
  append(event: AuditEvent): Promise<void>
  /** Policy leaves nothing of the project, which an installer does not say. It is in the log already. */
  noteWhollyHidden(project: string, decision: PageDecision): void
  readiness(): Promise<Readiness>
  /** What would be trusted for the project now; of a refusal before anything was looked up. */
  trustOf(project: string): TrustSummary
  status(): ProxyState
  /** The lines of a request in the log, as far as they are found with little work. */
  findEntries(id: string): Promise<EntryLookup>
}
