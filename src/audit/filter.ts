/** Which lines of the log are asked for, and a cheap look at the bytes of a line whether it may be one. */

import type { Bytes } from '../base/bytes.ts'
import type { AuditEntry } from './entry.ts'
import type { AuditKind } from './event.ts'
import { escapeInvisible } from './line.ts'

export interface AuditFilter {
  /** Of one process. */
  readonly chain?: string
  readonly project?: string
  readonly kinds?: readonly AuditKind[]
  readonly code?: string
  /** Any of these, as the id of a line or among those that it counts. */
  readonly ids?: readonly string[]
  /** Milliseconds; `since` is included, `until` is not. */
  readonly since?: number
  readonly until?: number
}

/** Most lines of a large log are not asked for: a look at the bytes is ten times cheaper than parsing. */
export function createPrefilter({ project, code, ids }: AuditFilter): (line: Bytes) => boolean {
  const all = [
    ...(project === undefined ? [] : [renderMember('project', project)]),
    ...(code === undefined ? [] : [renderMember('code', code)]),
  ]
  // Of a line that counts others, an id stands in a list.
  const any = ids?.map((id) => Buffer.from(escapeInvisible(JSON.stringify(id))))
  return (line) => {
    const text = Buffer.from(line.buffer, line.byteOffset, line.byteLength)
    if (!all.every((part) => text.includes(part))) return false
    return any === undefined || any.some((part) => text.includes(part))
  }
}

function renderMember(name: string, value: string): Buffer {
  return Buffer.from(escapeInvisible(`"${name}":${JSON.stringify(value)}`))
}

export function isWanted(entry: AuditEntry, filter: AuditFilter): boolean {
  const { project, kinds, code, ids, since = -Infinity, until = Infinity } = filter
  if (entry.time < since || entry.time >= until) return false
  if (project !== undefined && entry.project !== project) return false
  if (kinds !== undefined && !kinds.includes(entry.kind)) return false
  if (code !== undefined && entry.code !== code) return false
  return ids === undefined || ids.some((id) => entry.id === id || entry.ids?.includes(id) === true)
}
