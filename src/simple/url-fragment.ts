/** `#sha256=...` at the end of a link (PEP 503): split off and read. */

import { isDigestText } from './read-file.ts'

export interface SplitUrl {
  readonly url: string
  readonly hashes: ReadonlyMap<string, string>
}

/** Algorithms that installers look for in a fragment; `egg=` and the like are none. */
const algorithms: ReadonlySet<string> = new Set([
  'md5',
  'sha1',
  'sha224',
  'sha256',
  'sha384',
  'sha512',
])

/** A fragment that is no digest is dropped: it is the same as no digest. */
export function splitFragment(raw: string): SplitUrl {
  const at = raw.indexOf('#')
  if (at < 0) return { url: raw, hashes: new Map() }
  const hashes = new Map<string, string>()
  for (const part of raw.slice(at + 1).split('&')) {
    const [name = '', digest = ''] = part.split('=')
    if (!algorithms.has(name) || !isDigestText(name, digest) || hashes.has(name)) continue
    hashes.set(name, digest.toLowerCase())
  }
  return { url: raw.slice(0, at), hashes }
}
