/**
 * Where each published file stands, relative to the published folder, `/` between segments.
 *
 * Project names are normalized and role names are our own: neither needs encoding in a URL.
 */

export { fileTarget, htmlTarget, recordTarget } from '../simple/project-targets.ts'

/** The signed list of projects, where the mirror publishes one. */
export const projectListTarget = 'simple/index.json'

/** TUF 5.7 with consistent snapshots: the digest stands before the last segment. */
export function targetPath(target: string, sha256: string): string {
  const at = target.lastIndexOf('/') + 1
  return `targets/${target.slice(0, at)}${sha256}.${target.slice(at)}`
}

/** Twins without a digest in their name, for clients that read the tree as a plain index. */
export function plainPath(target: string): string {
  return `targets/${target}`
}

export function plainHtmlPath(target: string): string {
  return `targets/${target.replace(/index\.json$/, 'index.html')}`
}

/** TUF 6.2: every role but timestamp stands under its version. */
export function metadataPath(role: string, version: number): string {
  return role === 'timestamp' ? 'metadata/timestamp.json' : `metadata/${version}.${role}.json`
}

/** Entries of the journal, one a line. */
export function journalPath(first: number, last: number): string {
  return `journal/${first}-${last}.jsonl`
}
