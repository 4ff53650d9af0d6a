/** What a run found, and what it cost. */

export type FindingKind = 'exception' | 'rule' | 'slow' | 'hang' | 'memory'

export interface Finding {
  readonly target: string
  readonly kind: FindingKind
  readonly message: string
  /** Of the run, and of the input in it: what makes the input again. */
  readonly seed: number
  readonly number: number
  /** Made as short as it could be. */
  readonly input: string
  readonly inputBase64: string
}

export interface TargetResult {
  readonly target: string
  readonly inputs: number
  readonly seconds: number
  readonly findings: readonly Finding[]
  /** What happened, by name: `refused`, or what the target calls it. */
  readonly counts: Readonly<Record<string, number>>
}

/** The same fault once, whatever its numbers and texts are. */
export function findingKey({ kind, message }: Pick<Finding, 'kind' | 'message'>): string {
  return `${kind} ${message.replaceAll(/"(?:[^"\\]|\\.)*"|\d+/g, '*').slice(0, 120)}`
}
