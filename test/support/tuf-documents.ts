/** TUF metadata as JSON that tests may bend: every member can be changed before it is signed. */

import type { KeyDocument } from './tuf-signers.ts'

export interface MetaEntry {
  version: number
  length?: number
  hashes?: Record<string, string>
}

export interface TargetEntry {
  length: number
  hashes: Record<string, string>
  custom?: unknown
}

export interface RoleEntry {
  keyids: string[]
  threshold: number
}

interface Header {
  spec_version: string
  version: number
  expires: string
  [extra: string]: unknown
}

export interface RootDocument extends Header {
  _type: 'root'
  consistent_snapshot?: boolean
  keys: Record<string, KeyDocument>
  roles: Record<'root' | 'timestamp' | 'snapshot' | 'targets', RoleEntry>
}

export interface TimestampDocument extends Header {
  _type: 'timestamp'
  meta: Record<string, MetaEntry>
  'x-tufgate'?: { signed?: string; 'index-seen'?: string }
}

export interface SnapshotDocument extends Header {
  _type: 'snapshot'
  meta: Record<string, MetaEntry>
}

export interface DelegatedEntry extends RoleEntry {
  name: string
  terminating: boolean
  paths?: string[]
  path_hash_prefixes?: string[]
}

export interface BinsEntry extends RoleEntry {
  name_prefix: string
  bit_length: number
}

export interface DelegationsDocument {
  keys: Record<string, KeyDocument>
  roles?: DelegatedEntry[]
  succinct_roles?: BinsEntry
}

export interface TargetsDocument extends Header {
  _type: 'targets'
  targets: Record<string, TargetEntry>
  delegations?: DelegationsDocument
}

export type Document = RootDocument | TimestampDocument | SnapshotDocument | TargetsDocument
