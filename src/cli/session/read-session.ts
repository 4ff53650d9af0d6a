/**
 * What a session did, by its own lines of the audit log, and whether these are all of them: what an
 * installer runs has the rights of the user, and may have changed the log.
 */

import type { AuditHead } from '../../audit/head.ts'
import { renderHead } from '../../audit/head.ts'
import { readAudit } from '../../audit/reader.ts'
import { verifyAudit, type AuditVerdict } from '../../audit/verifier.ts'
import { toPrintable } from '../../base/bytes.ts'
import { quoteShell } from '../../base/quote-shell.ts'
import { summarizeSession, type SessionSummary } from '../../report/session-summary.ts'
import { formatFailure } from '../terminal.ts'

export interface ReadSession {
  readonly summary: SessionSummary
  /** Sentences, perhaps of several lines. */
  readonly problems: readonly string[]
  /** `CHAIN:SEQ:DIGEST` */
  readonly head?: string
}

/** @param head that is known from elsewhere, of any line of it */
export async function readSession(
  { folder, chain }: { readonly folder: string; readonly chain: string },
  head: AuditHead | undefined,
): Promise<ReadSession> {
  try {
    const summary = await summarizeSession(readAudit(folder, { chain }))
    const verdict = await verifyAudit(folder, { chain, ...(head !== undefined && { head }) })
    const [last] = verdict.chains
    const problems = describeVerdict(verdict, folder)
    return { summary, problems, ...(last && { head: renderHead(last.head) }) }
  } catch (error) {
    // Whoever took it away does not get a session without refusals for it.
    const problem = `the audit log of this session cannot be read: ${formatFailure(error)}`
    return { summary: await summarizeSession(nothing()), problems: [problem] }
  }
}

export function isRefused({ refused: { items, more } }: SessionSummary): boolean {
  return items.length > 0 || more > 0
}

async function* nothing(): AsyncGenerator<never, void> {}

function describeVerdict({ findings, chains: [chain] }: AuditVerdict, folder: string): string[] {
  const [first] = findings
  if (first === undefined && chain?.firstSeq === 1) return []
  const what =
    first === undefined
      ? `its lines before line ${chain?.firstSeq ?? 0} were taken by its disk budget: raise max-total under [audit]`
      : `${first.file || 'the log'}, line ${first.line}: ${first.what}: expected ${first.expected}, found ${first.found}`
  return [
    [
      'the audit log of this session is not whole: what was refused cannot be told for sure.',
      `  ${toPrintable(what, 600)}`,
      `  All of it: tufgate audit verify --log ${quoteShell(folder)}`,
    ].join('\n'),
  ]
}
