/**
 * Checks the lines of one chain against each other: each must follow the one before by number and by
 * digest. A changed line is seen in the line after it, which names its digest.
 */

import { sha256Hex, isSha256 } from '../base/digest.ts'
import { parseEntry, type AuditEntry } from './entry.ts'
import type { AuditHead } from './head.ts'
import { noLineBefore } from './line.ts'
import type { RawLine } from './line-reader.ts'
import type { PartName } from './part-name.ts'

export interface AuditFinding {
  readonly what: 'changed' | 'inserted' | 'dropped' | 'reordered' | 'missing part' | 'torn' | 'head'
  /** Empty where there is no file to point at. */
  readonly file: string
  /** From 1; 0 where there is no line. */
  readonly line: number
  readonly expected: string
  readonly found: string
}

/** A log of nonsense has one for each line: more are counted only. */
export const maxFindings = 1000
/** Each late line looks through all of them. */
const maxGaps = 10_000

/** Lines that should have come already. */
interface Gap {
  from: number
  to: number
  readonly what: 'dropped' | 'missing part'
  readonly file: string
  readonly line: number
}

interface Place {
  readonly file: string
  readonly line: number
}

export class ChainCheck {
  readonly chain: string
  /** The first of them. */
  readonly findings: AuditFinding[] = []
  findingCount = 0
  /** Of the first line that there is. */
  firstSeq = 0
  lastKind = ''
  readonly #gaps: Gap[] = []
  #head: AuditHead
  /** `undefined`: not known, after a line that was reported already. */
  #digestBefore: string | undefined
  #placeBefore: Place = { file: '', line: 0 }
  #lastPart = 0
  #torn: { readonly place: Place; readonly bytes: number } | undefined

  constructor(chain: string) {
    this.chain = chain
    this.#head = { chain, seq: 0, digest: noLineBefore }
  }

  /** The last line that follows from all before it. */
  get head(): AuditHead {
    return this.#head
  }

  /** The entry, and the digest of its line, for whoever wants to compare more. */
  addLine(raw: RawLine, part: PartName): { entry?: AuditEntry; digest: string } {
    const place = { file: part.file, line: raw.number }
    const digest = sha256Hex(raw.bytes)
    if (raw.state === 'torn') {
      this.#torn = { place, bytes: raw.bytes.length }
      this.#digestBefore = undefined
      return { digest }
    }
    this.#reportTorn()
    const entry = raw.state === 'whole' ? parseEntry(raw.bytes, this.chain) : undefined
    if (entry === undefined) this.#addUnreadable(place, raw)
    else this.#addEntry(entry, { place, digest, part: part.part })
    return { digest, ...(entry && { entry }) }
  }

  /** After the last line: what never came is missing. A living process may be in the middle of a line. */
  finish(isAlive: boolean): void {
    if (!isAlive) this.#reportTorn()
    for (const gap of this.#gaps) this.#reportGap(gap)
  }

  #reportGap({ from, to, what, file, line }: Gap): void {
    if (from <= to) this.#report(what, { file, line }, `lines ${from} to ${to}`, 'nothing')
  }

  #reportTorn(): void {
    if (this.#torn === undefined) return
    const { place, bytes } = this.#torn
    this.#torn = undefined
    this.#report('torn', place, 'a whole line', `${bytes} bytes without a line feed`)
  }

  #addUnreadable(place: Place, { state, bytes }: RawLine): void {
    const found =
      state === 'too long' ? `more than ${bytes.length} bytes` : 'no line of this format'
    this.#report('changed', place, `line ${this.#head.seq + 1}`, found)
    this.#head = { ...this.#head, seq: this.#head.seq + 1 }
    this.#digestBefore = undefined
    this.#placeBefore = place
  }

  #addEntry(
    entry: AuditEntry,
    { place, digest, part }: { place: Place; digest: string; part: number },
  ): void {
    if (this.firstSeq === 0) this.#begin(entry, place, part)
    const expected = this.#head.seq + 1
    if (entry.seq < expected) return this.#addLate(entry.seq, place)
    if (entry.seq > expected) this.#addGap({ from: expected, to: entry.seq - 1 }, place, part)
    else this.#requireLink(entry, place)
    this.#head = { chain: this.chain, seq: entry.seq, digest }
    this.#digestBefore = digest
    this.#placeBefore = place
    this.#lastPart = part
    this.lastKind = entry.kind
  }

  /** Parts before the first one may have been taken by the disk budget; lines of a part may not. */
  #begin(entry: AuditEntry, place: Place, part: number): void {
    this.firstSeq = entry.seq
    this.#lastPart = part
    if (part > 1) {
      this.#head = { ...this.#head, seq: entry.seq - 1 }
      return
    }
    this.#digestBefore = noLineBefore
    this.#placeBefore = place
  }

  #requireLink({ prev, seq }: AuditEntry, place: Place): void {
    if (this.#digestBefore === undefined) {
      if (!isSha256(prev)) this.#report('changed', place, 'the sha256 of the line before', prev)
    } else if (prev !== this.#digestBefore) {
      // The first line has none before it: then it is the one that was changed.
      const at = seq === 1 ? place : this.#placeBefore
      this.#report(
        'changed',
        at,
        `sha256 ${prev}, says line ${seq}`,
        `sha256 ${this.#digestBefore}`,
      )
    }
  }

  #addGap({ from, to }: { from: number; to: number }, { file, line }: Place, part: number): void {
    const what = part > this.#lastPart + 1 ? 'missing part' : 'dropped'
    this.#holdGap({ from, to, what, file, line })
  }

  #holdGap(gap: Gap): void {
    if (this.#gaps.length < maxGaps) this.#gaps.push(gap)
    else this.#reportGap(gap)
  }

  #addLate(seq: number, place: Place): void {
    const gap = this.#gaps.find(({ from, to }) => seq >= from && seq <= to)
    if (gap === undefined) {
      this.#report('inserted', place, `line ${this.#head.seq + 1}`, `a second line ${seq}`)
      return
    }
    this.#report('reordered', place, `line ${this.#head.seq + 1}`, `line ${seq}`)
    const rest = { ...gap, from: seq + 1 }
    gap.to = seq - 1
    if (rest.from <= rest.to) this.#holdGap(rest)
  }

  #report(
    what: AuditFinding['what'],
    { file, line }: Place,
    expected: string,
    found: string,
  ): void {
    this.findingCount += 1
    if (this.findings.length < maxFindings)
      this.findings.push({ what, file, line, expected, found })
  }
}
