/**
 * Runs one target for a time or a number of inputs. Each input follows from the seed, the name of the
 * target and its number alone, so that any of them can be made again.
 */

import { setImmediate } from 'node:timers/promises'
import type { Bytes } from '../../src/base/bytes.ts'
import { createDice } from './dice.ts'
import { findingKey, type Finding, type FindingKind, type TargetResult } from './finding.ts'
import { minimise } from './minimise.ts'
import { mutate } from './mutate.ts'
import { BrokenRuleError, isCodedError, type FuzzTarget } from './target.ts'

/** Of processor time: the machine may be busy with something else. */
const maxSeconds = 1
const maxGrowthBytes = 50e6
/** While it ran, given back since or not. */
const maxPeakBytes = 300e6
const maxFindings = 10
const inputsPerTurn = 50

export interface Budget {
  readonly seed: number
  readonly seconds: number
  /** Fewer, where the time is up. */
  readonly maxInputs: number
  /** The only one, to see it again. */
  readonly only?: number | undefined
}

/** Told before each input, so that somebody else knows what was under way. */
export type Announce = (number: number, input: Bytes) => void

export interface Outcome {
  readonly fault?: { readonly kind: FindingKind; readonly message: string }
  readonly name: string
}

export async function runTarget(
  target: FuzzTarget,
  budget: Budget,
  announce: Announce,
): Promise<TargetResult> {
  const close = await target.open?.()
  try {
    return await runInputs(target, budget, announce)
  } finally {
    await close?.()
  }
}

async function runInputs(
  target: FuzzTarget,
  { seed, seconds, maxInputs, only }: Budget,
  announce: Announce,
): Promise<TargetResult> {
  const seeds = target.seeds()
  const findings = new Map<string, Finding>()
  const counts: Record<string, number> = {}
  const start = performance.now()
  const limit = Math.max(1, Math.round(maxInputs * (target.share ?? 1)))
  let inputs = 0
  for (let number = only ?? 0; inputs < limit; number += 1) {
    const input = makeInput(target, seeds, { seed, number })
    announce(number, input)
    // oxlint-disable-next-line no-await-in-loop -- one input at a time
    const { fault, name } = await tryInput(target, input)
    inputs += 1
    counts[name] = (counts[name] ?? 0) + 1
    if (fault !== undefined && !findings.has(findingKey(fault))) {
      // oxlint-disable-next-line no-await-in-loop -- as above
      const small = await shrink(target, input, fault, (one) => announce(number, one))
      findings.set(findingKey(fault), describe(target, { seed, number }, fault, small))
    }
    if (only !== undefined || findings.size >= maxFindings) break
    if ((performance.now() - start) / 1000 >= seconds) break
    // What is freed in a turn of its own is never freed by promises alone.
    // oxlint-disable-next-line no-await-in-loop -- as above
    if (inputs % inputsPerTurn === 0) await setImmediate()
  }
  const spent = (performance.now() - start) / 1000
  return { target: target.name, inputs, seconds: spent, findings: [...findings.values()], counts }
}

interface Origin {
  readonly seed: number
  readonly number: number
}

export function makeInput(
  { name, make, words }: FuzzTarget,
  seeds: readonly (Bytes | string)[],
  { seed, number }: Origin,
): Bytes {
  const dice = createDice(seed, name, number)
  return make?.(dice) ?? mutate(dice, seeds, words)
}

export async function tryInput(target: FuzzTarget, input: Bytes): Promise<Outcome> {
  const first = await tryOnce(target, input)
  // Garbage of others may be counted by chance; a peak is there once.
  const isDoubtful = first.fault?.message === describeGrowth(maxGrowthBytes)
  return isDoubtful ? tryOnce(target, input) : first
}

function describeGrowth(maxBytes: number): string {
  return `took more than ${maxBytes} bytes`
}

async function tryOnce(target: FuzzTarget, input: Bytes): Promise<Outcome> {
  const { isRefusal = isCodedError } = target
  const heapBefore = countBytes()
  const peakBefore = countPeakBytes()
  const before = process.threadCpuUsage()
  let name = 'read'
  try {
    const found = await target.run(input)
    if (typeof found === 'string') name = found
  } catch (error) {
    if (!isRefusal(error)) return { name: 'fault', fault: describeFault(error) }
    name = 'refused'
  }
  const { user, system } = process.threadCpuUsage(before)
  const seconds = (user + system) / 1e6
  if (seconds > maxSeconds)
    return { name: 'slow', fault: { kind: 'slow', message: `took more than ${maxSeconds} s` } }
  const maxBytes = findMemoryFault(heapBefore, peakBefore)
  return maxBytes === undefined
    ? { name }
    : { name: 'memory', fault: { kind: 'memory', message: describeGrowth(maxBytes) } }
}

/** The limit that was passed. */
function findMemoryFault(heapBefore: number, peakBefore: number): number | undefined {
  if (countPeakBytes() - peakBefore > maxPeakBytes) return maxPeakBytes
  return countBytes() - heapBefore > maxGrowthBytes ? maxGrowthBytes : undefined
}

/** The most that the process ever had: it only rises. */
function countPeakBytes(): number {
  return process.resourceUsage().maxRSS * 1024
}

/** Garbage counts too: for input of this length there should be little. */
function countBytes(): number {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

function describeFault(error: unknown): NonNullable<Outcome['fault']> {
  if (error instanceof BrokenRuleError) return { kind: 'rule', message: error.message }
  if (!(error instanceof Error)) return { kind: 'exception', message: String(error) }
  const place = /\((?:file:\/\/)?[^()]*\/((?:src|scripts)\/[^()]+):\d+\)/.exec(error.stack ?? '')
  const at = place === null ? '' : ` at ${place[1] ?? ''}`
  return { kind: 'exception', message: `${error.name}: ${error.message}${at}` }
}

async function shrink(
  target: FuzzTarget,
  input: Bytes,
  fault: NonNullable<Outcome['fault']>,
  announce: (input: Bytes) => void,
): Promise<Bytes> {
  if (fault.kind === 'slow' || fault.kind === 'memory') return input
  const key = findingKey(fault)
  return minimise(input, async (shorter) => {
    announce(shorter)
    const { fault: again } = await tryInput(target, shorter)
    return again !== undefined && findingKey(again) === key
  })
}

function describe(
  { name }: FuzzTarget,
  { seed, number }: Origin,
  fault: NonNullable<Outcome['fault']>,
  input: Bytes,
): Finding {
  return { target: name, ...fault, seed, number, ...showInput(input) }
}

export function showInput(input: Bytes): Pick<Finding, 'input' | 'inputBase64'> {
  const bytes = Buffer.from(input)
  const text = JSON.stringify(bytes.toString('latin1'))
  return { input: text.slice(0, 2000), inputBase64: bytes.toString('base64') }
}
