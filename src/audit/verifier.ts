/**
 * Proves that a log is whole, as far as it can be proven: no line changed, inserted, dropped or
 * moved. What nothing bears witness to (the end of a chain, a log rewritten as a whole) it names,
 * unless a head that was kept elsewhere is given.
 */

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { ChainCheck, maxFindings, type AuditFinding } from './chain-check.ts'
import { parseEntry } from './entry.ts'
import { parseHead, renderHead, type AuditHead } from './head.ts'
import { readLines, type RawLine } from './line-reader.ts'
import { buildPartName, parsePartName, sortParts, type PartName } from './part-name.ts'

export type { AuditFinding } from './chain-check.ts'
export { parseHead } from './head.ts'

export interface VerifiedChain {
  readonly head: AuditHead
  /** 1, unless the disk budget took older parts. */
  readonly firstSeq: number
  /** Its last line is `stop`. */
  readonly isStopped: boolean
}

export interface AuditVerdict {
  readonly findings: readonly AuditFinding[]
  readonly chains: readonly VerifiedChain[]
  /** Sentences: what this check cannot say. */
  readonly unproven: readonly string[]
}

export interface VerifyAuditOptions {
  /** Of one process, for whoever asks about that one alone. Default: all. */
  readonly chain?: string
  /** Kept elsewhere, where whoever can change the log cannot change it. */
  readonly head?: AuditHead
  /** Of a process: its last line may be under way. Default: none is. */
  readonly isAlive?: (owner: string) => boolean
}

/** Somebody's word that a line is there: the head that was given, or the first line of a later chain. */
interface Claim extends AuditHead {
  readonly file: string
  readonly line: number
  isMet: boolean
}

interface Context {
  readonly claims: readonly Claim[]
  /** Parts that lines of the log say were taken by the disk budget. */
  readonly removed: Set<string>
  readonly isAlive: (owner: string) => boolean
}

export async function verifyAudit(
  directory: string,
  { chain: wanted, head, isAlive = () => false }: VerifyAuditOptions = {},
): Promise<AuditVerdict> {
  const all = sortParts(readdirSync(directory))
  const isWanted = ({ chain }: { readonly chain: string }): boolean =>
    wanted === undefined || chain === wanted
  const parts = all.filter(isWanted)
  const claims = (await readClaims(directory, all)).filter(isWanted)
  if (head !== undefined) claims.push({ ...head, file: '', line: 0, isMet: false })
  const context: Context = { claims, removed: new Set(), isAlive }
  const checks: ChainCheck[] = []
  for (const names of Map.groupBy(parts, ({ chain }) => chain).values()) {
    checks.push(await checkChain(directory, names, context))
  }
  const unmet = claims.flatMap((claim) => judgeClaim(claim, checks, context))
  const findings = [...checks.flatMap((check) => check.findings), ...unmet]
  const count = checks.reduce((sum, { findingCount }) => sum + findingCount, unmet.length)
  return {
    findings: findings.slice(0, maxFindings),
    chains: checks.map(describeChain),
    unproven: [
      ...checks.flatMap((check) => listUnproven(check, context)),
      ...(count > maxFindings ? [`${count - maxFindings} more findings`] : []),
    ],
  }
}

/** What the first line of each chain says about another one. */
async function readClaims(directory: string, parts: readonly PartName[]): Promise<Claim[]> {
  const claims: Claim[] = []
  for (const { file, chain } of parts.filter(({ part }) => part === 1)) {
    const first = await findFirstLine(join(directory, file))
    const previous = first === undefined ? undefined : parseEntry(first.bytes, chain)?.previous
    const head = previous === undefined ? undefined : parseHead(previous)
    if (head !== undefined) claims.push({ ...head, file, line: 1, isMet: false })
  }
  return claims
}

async function findFirstLine(path: string): Promise<RawLine | undefined> {
  for await (const [first] of readLines(path)) {
    if (first !== undefined) return first
  }
  return undefined
}

async function checkChain(
  directory: string,
  parts: readonly PartName[],
  context: Context,
): Promise<ChainCheck> {
  const [first] = parts
  const check = new ChainCheck(first?.chain ?? '')
  const claims = Map.groupBy(
    context.claims.filter(({ chain }) => chain === check.chain),
    ({ seq }) => seq,
  )
  for (const part of parts) {
    for await (const lines of readLines(join(directory, part.file))) {
      for (const line of lines) checkLine(line, part, { check, claims, removed: context.removed })
    }
  }
  check.finish(context.isAlive(first?.owner ?? ''))
  return check
}

interface LineContext {
  readonly check: ChainCheck
  readonly claims: ReadonlyMap<number, readonly Claim[]>
  readonly removed: Set<string>
}

function checkLine(line: RawLine, part: PartName, { check, claims, removed }: LineContext): void {
  const { entry, digest } = check.addLine(line, part)
  if (entry === undefined) return
  for (const name of entry.removed ?? []) removed.add(name)
  for (const claim of claims.get(entry.seq) ?? []) {
    if (claim.digest === digest) claim.isMet = true
  }
}

function judgeClaim(
  claim: Claim,
  checks: readonly ChainCheck[],
  { removed }: Context,
): AuditFinding[] {
  if (claim.isMet) return []
  const check = checks.find(({ chain }) => chain === claim.chain)
  // The budget takes the oldest first, from whichever chain.
  const isTaken =
    check === undefined ? isOlderTaken(claim.chain, removed) : claim.seq < check.firstSeq
  const isGiven = claim.file === ''
  if (isTaken && !isGiven) return []
  const { file, line } = claim
  const what = isGiven ? 'head' : check === undefined ? 'missing part' : 'dropped'
  return [{ what, file, line, expected: renderHead(claim), found: describeFound(claim, check) }]
}

function isOlderTaken(chain: string, removed: ReadonlySet<string>): boolean {
  return [...removed].some((file) => (parsePartName(file)?.chain ?? '') >= chain)
}

function describeFound({ chain, seq }: Claim, check: ChainCheck | undefined): string {
  if (check === undefined) return `no file of the chain ${chain}`
  if (seq < check.firstSeq)
    return `the chain begins with line ${check.firstSeq}: older parts are gone`
  return seq > check.head.seq
    ? `the chain ends with line ${check.head.seq}: its end was cut off`
    : `line ${seq} has another digest: the chain was rewritten`
}

function describeChain(check: ChainCheck): VerifiedChain {
  const { head, firstSeq, lastKind } = check
  return { head, firstSeq, isStopped: lastKind === 'stop' }
}

function listUnproven(check: ChainCheck, { claims, removed, isAlive }: Context): string[] {
  const { chain, head, firstSeq, lastKind } = check
  const sentences: string[] = []
  const isEndKnown = claims.some(
    (claim) => claim.isMet && claim.chain === chain && claim.seq === head.seq,
  )
  const name = `chain ${chain.slice(0, 20)}`
  if (!isEndKnown) {
    sentences.push(
      `${name}: lines after line ${head.seq} may have been cut off, or the whole chain written anew; only a head that was kept elsewhere (--head) can tell`,
    )
  }
  if (lastKind !== 'stop' && !isAlive(ownerOf(chain))) {
    sentences.push(
      `${name}: it has no last line: its process was killed, or the end of the chain was cut off`,
    )
  }
  if (firstSeq > 1) {
    const isNoted = isOlderTaken(chain, removed)
    const why = isNoted ? 'the disk budget took them' : 'no line of the log says who took them'
    sentences.push(`${name}: the lines before line ${firstSeq} are not there; ${why}`)
  }
  return sentences
}

function ownerOf(chain: string): string {
  return buildPartName(chain, 1).owner
}
