/** `Range` of a request (RFC 9110 14): one range of bytes, or the whole. */

/** `end` is the last byte, as in the header. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/**
 * What a client asks for of a file of `size` bytes. A header that is not understood, or that asks for
 * several ranges, means the whole: RFC 9110 14.2 lets a server ignore it.
 */
export function parseRange(
  rawRange: string | undefined,
  size: number,
): ByteRange | 'whole' | 'unsatisfiable' {
  const match = /^bytes=(\d*)-(\d*)$/i.exec(rawRange?.trim() ?? '')
  if (match === null) return 'whole'
  const [, first = '', last = ''] = match
  if (first === '') return last === '' ? 'whole' : parseSuffix(Number(last), size)
  const start = Number(first)
  if (last !== '' && Number(last) < start) return 'whole'
  if (start >= size) return 'unsatisfiable'
  return { start, end: last === '' ? size - 1 : Math.min(Number(last), size - 1) }
}

/** `bytes=-N`: the last N. poetry asks like this first. */
function parseSuffix(length: number, size: number): ByteRange | 'unsatisfiable' {
  if (length === 0 || size === 0) return 'unsatisfiable'
  return { start: Math.max(0, size - length), end: size - 1 }
}
