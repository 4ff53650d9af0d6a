/** The one spelling of the address of an index: what was seen of it is found by it. */

/** Capitals of a host, its usual port and the slash at the end make no other index. */
export function normalizeIndexUrl(rawIndex: string): string {
  const url = URL.parse(rawIndex)
  const text = url === null ? rawIndex : `${url.origin}${url.pathname}`
  return text.endsWith('/') ? text : `${text}/`
}
