/** Lines of an audit log as the proxy writes them, for summaries of them. */

import type { AuditEntry } from '../../src/audit/entry.ts'
import { summarizeSession, type SessionSummary } from '../../src/report/session-summary.ts'

const signed = { root: 1, timestamp: 4, snapshot: 3 }

export function entry(kind: AuditEntry['kind'], details: Partial<AuditEntry> = {}): AuditEntry {
  return { kind, chain: 'chain', seq: 1, time: 1000, prev: '0'.repeat(64), ...details }
}

export function released(file: string, details: Partial<AuditEntry> = {}): AuditEntry {
  const [project = ''] = file.split('-')
  return entry('released', { project, file, bytes: 1000, trust: signed, ...details })
}

export function refused(code: string, details: Partial<AuditEntry> = {}): AuditEntry {
  return entry('refused', { code, id: 'r-1', message: `refused for ${code}`, ...details })
}

export async function* stream(entries: Iterable<AuditEntry>): AsyncGenerator<AuditEntry> {
  yield* entries
}

export function summarize(...entries: readonly AuditEntry[]): Promise<SessionSummary> {
  return summarizeSession(stream(entries))
}
