/** Where a TUF repository keeps its files, as percent-encoded relative paths (TUF 4.1, 5.3 to 5.7). */

/** `metadata/3.root.json`; without a version where the repository has no consistent snapshots. */
export function metadataPath(role: string, version: number | undefined): string {
  const prefix = version === undefined ? '' : `${version}.`
  return `metadata/${prefix}${encodeSegment(role)}.json`
}

/** `targets/simple/foo/<hash>.index.json`: the hash stands before the last segment (TUF 5.7.3). */
export function targetPath(path: string, hash: string | undefined): string {
  const segments = path.split('/').map(encodeSegment)
  const last = segments.pop() ?? ''
  return ['targets', ...segments, hash === undefined ? last : `${hash}.${last}`].join('/')
}

/** A role name may hold `/` and `..`: nothing but letters, digits, `_`, `.`, `-` and `~` stays as it is. */
function encodeSegment(raw: string): string {
  const encoded = encodeURIComponent(raw.toWellFormed()).replaceAll(
    /[!'()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  // A segment of dots alone would be resolved away by URL parsers.
  return /^\.{1,2}$/.test(encoded) ? encoded.replaceAll('.', '%2E') : encoded
}
