/** What a case has measured, as a value: printed as a table, written as JSON. */

import type { World } from './world.ts'

export interface Column {
  readonly name: string
  readonly unit: string
}

export interface Row {
  readonly label: string
  /** By the name of a column: one value a run. */
  readonly values: Readonly<Record<string, readonly number[]>>
}

/** What was wanted, and what was found. */
export interface Target {
  readonly what: string
  readonly wanted: number
  readonly found: number
  readonly unit: string
  readonly rule: 'at most' | 'at least' | 'exactly'
}

export interface CaseResult {
  readonly columns: readonly Column[]
  readonly rows: readonly Row[]
  readonly targets: readonly Target[]
  readonly notes: readonly string[]
}

export interface CaseContext {
  readonly world: World
  /** How often each thing is measured. */
  readonly runs: number
  /** How long each run under load takes. */
  readonly seconds: number
  /** For a person at a terminal. */
  readonly say: (step: string) => void
}

export interface BenchCase {
  readonly name: string
  readonly title: string
  run(context: CaseContext): Promise<CaseResult>
}

export function isMet({ rule, wanted, found }: Target): boolean {
  if (rule === 'exactly') return found === wanted
  return rule === 'at most' ? found <= wanted : found >= wanted
}
