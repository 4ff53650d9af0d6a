/** A log in a temporary folder, with a clock and with processes that the test decides about. */

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { AuditLog, type AuditLogOptions } from '../../src/audit/log.ts'
import type { AuditEntry } from '../../src/audit/entry.ts'
import { readAudit, type AuditFilter } from '../../src/audit/reader.ts'

export function makeLogFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tufgate-audit-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

let lastOwner = 0

export interface TestLog {
  readonly log: AuditLog
  readonly clock: { now: number }
}

/** Each log is a process of its own; all are dead for the next one unless `isAlive` says otherwise. */
export async function openLog(
  folder: string,
  options: Partial<AuditLogOptions> & {
    readonly isAlive?: (id: string) => boolean
    readonly now?: number
  } = {},
): Promise<TestLog> {
  const { isAlive = () => false, now = Date.UTC(2026, 0, 2, 3, 4, 5), ...rest } = options
  const clock = { now }
  lastOwner += 1
  const log = await AuditLog.open(folder, {
    maxFileBytes: 1024 * 1024,
    maxTotalBytes: 16 * 1024 * 1024,
    clock: () => clock.now,
    owner: { id: `${lastOwner}.1.n1`, isAlive },
    ...rest,
  })
  return { log, clock }
}

export function listFiles(folder: string): string[] {
  return readdirSync(folder).toSorted()
}

export function readLinesOf(folder: string): Record<string, unknown>[] {
  return listFiles(folder)
    .flatMap((file) => readFileSync(join(folder, file), 'utf8').split('\n'))
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

export async function collect(folder: string, filter?: AuditFilter): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = []
  for await (const entry of readAudit(folder, filter)) entries.push(entry)
  return entries
}
