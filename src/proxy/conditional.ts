/** Conditional requests (RFC 9110 13) against the one strong ETag that a representation has. */

/** `If-None-Match` compares weakly: a cache in between may have weakened our tag. */
export function isNotModified(rawIfNoneMatch: string | undefined, etag: string): boolean {
  if (rawIfNoneMatch === undefined) return false
  if (rawIfNoneMatch.trim() === '*') return true
  return rawIfNoneMatch.match(/"[^"]*"/g)?.includes(etag) ?? false
}

/** `If-Range` compares strongly; a date never matches, because no answer here carries one. */
export function isRangeWanted(rawIfRange: string | undefined, etag: string): boolean {
  return rawIfRange === undefined || rawIfRange.trim() === etag
}
