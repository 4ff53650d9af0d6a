/** Proves that a log is whole, as far as it can be proven. */

import type { AuditHead } from './head.ts'

export interface AuditFinding {
  readonly what: 'changed' | 'inserted' | 'dropped' | 'reordered' | 'missing part' | 'torn' | 'head'
  readonly file: string
  /** From 1. */
  readonly line: number
  readonly expected: string
  readonly found: string
}

export interface AuditVerdict {
  readonly findings: readonly AuditFinding[]
  readonly chains: readonly {
    readonly head: AuditHead
    readonly firstSeq: number
    readonly isStopped: boolean
  }[]
  /** Sentences: what this check cannot say. */
  readonly unproven: readonly string[]
}

export interface VerifyAuditOptions {
  readonly head?: AuditHead
  /** Of a process: its last line may be under way. */
  readonly isAlive?: (owner: string) => boolean
}

export async function verifyAudit(
  _directory: string,
  _options: VerifyAuditOptions = {},
): Promise<AuditVerdict> {
  throw new Error('to come')
}

/** `CHAIN:SEQ:DIGEST`; `undefined` for anything else. */
export function parseHead(_text: string): AuditHead | undefined {
  throw new Error('to come')
}
