/**
 * What a refusal in the log means for whoever judges a whole session. A rule or a check that said no is
 * a refusal; trouble on the way is a failure; a name that no list has is neither, since pip itself asks
 * for pip; and a request that made no sense concerns nobody. A code that is not known is a refusal.
 */

import type { AuditEntry } from '../audit/entry.ts'
import type { ErrorCode } from '../base/errors.ts'

export type RefusalClass = 'refused' | 'failed' | 'absent' | 'misdirected'

const failures: ReadonlySet<string> = new Set<ErrorCode | 'BUG'>([
  'METADATA_UNAVAILABLE',
  'UNREACHABLE',
  'TIMED_OUT',
  'TOO_SLOW',
  'BAD_STATUS',
  'ACCESS_DENIED',
  'BROKEN_OFF',
  'DISK_FULL',
  'STORAGE_FAILED',
  'AUDIT_FAILED',
  'STATE_BUSY',
  'SIGNER_FAILED',
  'BUG',
])

const mistakes: ReadonlySet<string> = new Set<ErrorCode>([
  'BAD_REQUEST',
  'METHOD_NOT_ALLOWED',
  'HOST_NOT_ALLOWED',
  'ORIGIN_NOT_ALLOWED',
  'PROXY_AUTHENTICATION',
  'RANGE_NOT_SATISFIABLE',
])

export function judgeRefusal({ code = 'BUG', project, file }: AuditEntry): RefusalClass {
  if (failures.has(code)) return 'failed'
  if (mistakes.has(code)) return 'misdirected'
  if (code !== 'NOT_FOUND') return 'refused'
  if (project === undefined) return 'misdirected'
  // A file that a lock file names and no record lists was wanted, and was not handed out.
  return file === undefined ? 'absent' : 'refused'
}
