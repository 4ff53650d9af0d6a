/**
 * What was found in an environment, as a document: the same environment, list and time give the same
 * bytes. It says what was not verified by name, and never more than was looked at.
 */

import type { TrustKind } from '../base/trust-words.ts'
import { compareText, isInOrder, sortFindings, type FileClass, type Finding } from './findings.ts'
import type { Layout } from './layout.ts'

/** Where a record came from: all that is needed to trace it. */
export interface RecordOrigin {
  readonly index: string
  readonly url: string
  readonly trust: TrustKind
  readonly rootSha256: string
  readonly root: number
  readonly timestamp?: number
  readonly snapshot?: number
  readonly role: string
  readonly record: string
}

/** `untold`: neither good nor bad could be said, as where no mirror answers. */
export type DistributionStatus = 'traced' | 'untraced' | 'refused' | 'untold'

export interface DistributionResult {
  readonly name: string
  readonly version: string
  readonly status: DistributionStatus
  readonly folder: string
  readonly reason?: string
  readonly installer?: string
  /** PEP 592: the reason, which may be empty. */
  readonly yanked?: string
  readonly wheel?: { readonly filename: string; readonly sha256: string }
  readonly origin?: RecordOrigin
}

export interface Receipt {
  readonly format: 'tufgate-receipt-1'
  readonly tufgate: string
  /** `YYYY-MM-DDTHH:MM:SSZ`. */
  readonly time: string
  /**
   * `byte-code-not-checked`: verified but for byte code, which runs in place of what was verified.
   * `first-use`: all is as it was first seen, which verifies nothing.
   */
  readonly result: 'verified' | 'byte-code-not-checked' | 'first-use' | 'not-verified' | 'not-told'
  readonly environment: {
    readonly path: string
    readonly kind: Layout['kind']
    readonly python: string
    /** As pyvenv.cfg says: where its Python is, which is not looked at. */
    readonly pythonHome?: string
    /** What its scripts start, where that is no virtual environment: not looked at either. */
    readonly interpreters?: readonly string[]
  }
  readonly byteCode: 'header' | 'refuse'
  readonly counts: Readonly<Record<FileClass, number>>
  readonly distributions: readonly DistributionResult[]
  /** In the order of danger. */
  readonly notVerified: readonly Finding[]
  /** Of the environment itself; nobody signs them. */
  readonly environmentFiles: readonly Finding[]
}

export interface ReceiptParts {
  readonly tufgate: string
  readonly time: string
  readonly path: string
  readonly layout: Layout
  readonly pythonHome?: string
  readonly byteCode: 'header' | 'refuse'
  readonly distributions: readonly DistributionResult[]
  readonly findings: readonly Finding[]
}

export function buildReceipt(parts: ReceiptParts): Receipt {
  const { tufgate, time, path, layout, pythonHome, byteCode, findings } = parts
  const home = pythonHome === undefined ? {} : { pythonHome }
  const counts = countClasses(findings)
  const distributions = parts.distributions.toSorted(
    (left, right) => compareText(left.name, right.name) || compareText(left.folder, right.folder),
  )
  const notVerified = sortFindings(findings.filter((finding) => !isInOrder(finding)))
  return {
    format: 'tufgate-receipt-1',
    tufgate,
    time,
    result: findResult(distributions, notVerified, counts),
    environment: {
      path,
      kind: layout.kind,
      python: layout.python,
      ...home,
      ...listInterpreters(findings),
    },
    byteCode,
    counts,
    distributions,
    notVerified,
    environmentFiles: sortFindings(findings.filter((finding) => finding.class === 'environment')),
  }
}

function findResult(
  distributions: readonly DistributionResult[],
  notVerified: readonly Finding[],
  counts: Receipt['counts'],
): Receipt['result'] {
  const untold = distributions.filter(({ status }) => status === 'untold')
  const isTraced = distributions.every(({ status }) => status === 'traced' || status === 'untold')
  const names = new Set(untold.map(({ name, version }) => `${name} ${version}`))
  const isOnlyUntold = notVerified.every(
    (finding) => finding.class === 'untraced' && names.has(finding.distribution ?? ''),
  )
  if (!isTraced || !isOnlyUntold) return 'not-verified'
  if (untold.length > 0) return 'not-told'
  if (distributions.some(({ origin }) => origin?.trust === 'first-use')) return 'first-use'
  return counts['byte-code'] > 0 ? 'byte-code-not-checked' : 'verified'
}

function listInterpreters(findings: readonly Finding[]): { interpreters?: readonly string[] } {
  const interpreters = new Set(findings.flatMap(({ starts }) => starts ?? []))
  return interpreters.size === 0 ? {} : { interpreters: [...interpreters].toSorted(compareText) }
}

function countClasses(findings: readonly Finding[]): Record<FileClass, number> {
  const counts: Record<FileClass, number> = {
    same: 0,
    generated: 0,
    'byte-code': 0,
    environment: 0,
    changed: 0,
    missing: 0,
    unreadable: 0,
    unknown: 0,
    untraced: 0,
  }
  for (const finding of findings) counts[finding.class] += 1
  return counts
}

/** JSON with one line for each entry of a list, so that two receipts can be compared by eye. */
export function renderReceiptJson(receipt: Receipt): string {
  return `${JSON.stringify(receipt, undefined, 1)}\n`
}
