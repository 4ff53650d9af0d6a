/**
 * PATHPATTERN (TUF 4.5): a shell glob for each segment of a target path. `*` and `?` never match
 * a slash, dots are letters like any other, case matters, and there is no `**`, `{a,b}` or `!`.
 *
 * Matching takes at most length of pattern times length of path, whatever the pattern is.
 */

import { DecodeError } from '../base/decode.ts'

export interface PathPattern {
  readonly text: string
  readonly segments: readonly (readonly Token[])[]
}

type Token =
  | { readonly kind: 'star' }
  | { readonly kind: 'any' }
  | { readonly kind: 'letter'; readonly letter: string }
  | { readonly kind: 'class'; readonly negated: boolean; readonly ranges: readonly Range[] }

interface Range {
  readonly from: string
  readonly to: string
}

const maxPatternLength = 4096

/** Throws a DecodeError for an open bracket, a range backwards, and what clients read differently. */
export function parsePathPattern(text: string): PathPattern {
  if (text.length > maxPatternLength)
    throw new DecodeError(`a pattern longer than ${maxPatternLength}`)
  return { text, segments: text.split('/').map((segment) => parseSegment(Array.from(segment))) }
}

export function isPathMatch(pattern: PathPattern, path: string): boolean {
  const segments = path.split('/')
  if (segments.length !== pattern.segments.length) return false
  return pattern.segments.every((tokens, at) =>
    isSegmentMatch(tokens, Array.from(segments[at] ?? '')),
  )
}

function parseSegment(letters: readonly string[]): Token[] {
  const tokens: Token[] = []
  let at = 0
  while (at < letters.length) {
    const letter = letters[at] ?? ''
    if (letter === '[') {
      const end = findClassEnd(letters, at)
      tokens.push(parseClass(letters.slice(at + 1, end)))
      at = end
    } else if (letter === '*') tokens.push({ kind: 'star' })
    else tokens.push(letter === '?' ? { kind: 'any' } : { kind: 'letter', letter })
    at += 1
  }
  return tokens
}

function findClassEnd(letters: readonly string[], open: number): number {
  const first = open + (letters[open + 1] === '!' ? 2 : 1)
  // A bracket that closes at once is a member of the class: `[]a]`.
  const end = letters.indexOf(']', first + 1)
  if (end === -1) throw new DecodeError('a bracket in the pattern is not closed')
  return end
}

function parseClass(letters: readonly string[]): Token {
  // POSIX leaves `[^` undefined: go reads a negation, python a letter.
  if (letters[0] === '^') throw new DecodeError('[^ in a pattern has no agreed meaning')
  const negated = letters[0] === '!'
  const ranges: Range[] = []
  let at = negated ? 1 : 0
  while (at < letters.length) {
    const from = letters[at] ?? ''
    const isRange = letters[at + 1] === '-' && at + 2 < letters.length
    const to = isRange ? (letters[at + 2] ?? '') : from
    if (codePoint(to) < codePoint(from))
      throw new DecodeError(`the range ${from}-${to} runs backwards`)
    ranges.push({ from, to })
    at += isRange ? 3 : 1
  }
  return { kind: 'class', negated, ranges }
}

function isSegmentMatch(tokens: readonly Token[], letters: readonly string[]): boolean {
  let token = 0
  let letter = 0
  // Only the last star is ever tried again: an earlier one has nothing to gain from more letters.
  let star = -1
  let starLetter = 0
  while (letter < letters.length) {
    const current = tokens[token]
    if (current?.kind === 'star') {
      star = token
      starLetter = letter
      token += 1
    } else if (current !== undefined && isLetterMatch(current, letters[letter] ?? '')) {
      token += 1
      letter += 1
    } else if (star >= 0) {
      starLetter += 1
      letter = starLetter
      token = star + 1
    } else return false
  }
  return tokens.slice(token).every(({ kind }) => kind === 'star')
}

function isLetterMatch(token: Token, letter: string): boolean {
  if (token.kind === 'letter') return token.letter === letter
  if (token.kind !== 'class') return token.kind === 'any'
  const point = codePoint(letter)
  const isMember = token.ranges.some(
    ({ from, to }) => codePoint(from) <= point && point <= codePoint(to),
  )
  return isMember !== token.negated
}

function codePoint(letter: string): number {
  return letter.codePointAt(0) ?? 0
}
