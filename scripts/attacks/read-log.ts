import { join } from 'node:path'
import { readAudit, type AuditEntry } from '../../src/audit/reader.ts'

/** Lines of the audit log of a proxy, of a project or all. `folder`: of the one index in its state. */
export async function readLog(folder: string, project?: string): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = []
  const filter = project === undefined ? {} : { project }
  for await (const entry of readAudit(join(folder, 'audit'), filter)) entries.push(entry)
  return entries
}
