/** What is fuzzed: one parser, how inputs for it are made, and what of its behaviour is no finding. */

import type { Bytes } from '../../src/base/bytes.ts'
import { DecodeError } from '../../src/base/decode.ts'
import { isTufgateError } from '../../src/base/errors.ts'
import type { Dice } from './dice.ts'

export interface FuzzTarget {
  readonly name: string
  /** One sentence: what must hold. */
  readonly rule: string
  /** Good inputs, which are bent. */
  readonly seeds: () => readonly (Bytes | string)[]
  /** What means something to the parser, and bytes by chance would not hit. */
  readonly words?: readonly string[]
  /** In place of bending the seeds: where bytes mean nothing by themselves. */
  readonly make?: (dice: Dice) => Bytes
  /** Throws for a finding, and for a refusal. May give a name for what happened, which is counted. */
  readonly run: (input: Bytes) => unknown
  /** Default: an error with a code, or a DecodeError. */
  readonly isRefusal?: (error: unknown) => boolean
  /** Before the first input; gives what ends it. */
  readonly open?: () => Promise<() => Promise<void>>
  /** For whatever costs more than a parser does: a part of the inputs of a run by number. Default: 1. */
  readonly share?: number
}

export function isCodedError(error: unknown): boolean {
  return isTufgateError(error) || error instanceof DecodeError
}

/** What must hold does not. */
export class BrokenRuleError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'BrokenRuleError'
  }
}

export function requireRule(holds: boolean, problem: string): asserts holds {
  if (!holds) throw new BrokenRuleError(problem)
}

export function requireSame(left: unknown, right: unknown, problem: string): void {
  const [first, second] = [showValue(left), showValue(right)]
  if (first === second) return
  throw new BrokenRuleError(`${problem}: ${first.slice(0, 300)} is not ${second.slice(0, 300)}`)
}

/** Maps and bytes too. The order of a map is that of the text it was read from, and means nothing. */
function showValue(value: unknown): string {
  return JSON.stringify([value], showMember).slice(1, -1)
}

function showMember(_key: string, value: unknown): unknown {
  if (value instanceof Map) return ['a map', ...[...value].toSorted(compareEntries)]
  if (value instanceof Set) return ['a set', ...(value as ReadonlySet<unknown>)]
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1')
  return value
}

function compareEntries([left]: [unknown, unknown], [right]: [unknown, unknown]): number {
  return String(left) < String(right) ? -1 : 1
}

/** As files are read: what is not UTF-8 becomes U+FFFD. */
export function readText(input: Bytes): string {
  return Buffer.from(input).toString('utf8')
}
