/** What the doctor found, as a value, and in which order it is told: what is worst comes first. */

/** `problem`: something goes past the proxy, or nothing works. `note`: good to know, no fault. */
export type Severity = 'problem' | 'warning' | 'note'

export interface Finding {
  readonly severity: Severity
  /** For programs; never changes its meaning. */
  readonly code: string
  /** A file, or what else was looked at: `environment`, `the proxy`. */
  readonly place: string
  /** From 1; absent where there is none. */
  readonly line?: number
  readonly what: string
  readonly why: string
  /** A command, or what to edit. */
  readonly mend?: string
}

export interface FindingGroup {
  readonly place: string
  readonly findings: readonly Finding[]
}

const ranks: Readonly<Record<Severity, number>> = { problem: 0, warning: 1, note: 2 }

/** Places by the worst thing in each, findings of a place by severity and line. */
export function groupFindings(findings: readonly Finding[]): FindingGroup[] {
  const groups = Array.from(
    Map.groupBy(findings, ({ place }) => place),
    ([place, all]) => ({
      place,
      findings: all.toSorted(
        (left, right) => compareSeverity(left, right) || (left.line ?? 0) - (right.line ?? 0),
      ),
    }),
  )
  // The sort is stable: places of one rank stay in the order in which they were looked at.
  return groups.toSorted(({ findings: [left] }, { findings: [right] }) =>
    left === undefined || right === undefined ? 0 : compareSeverity(left, right),
  )
}

function compareSeverity(left: Finding, right: Finding): number {
  return ranks[left.severity] - ranks[right.severity]
}

export type Counts = Readonly<Record<Severity, number>>

export function countFindings(findings: readonly Finding[]): Counts {
  const count = (wanted: Severity): number =>
    findings.filter(({ severity }) => severity === wanted).length
  return { problem: count('problem'), warning: count('warning'), note: count('note') }
}

/** Notes are no fault. */
export function isClean({ problem, warning }: Counts): boolean {
  return problem + warning === 0
}
