/** What another owner is about to sign too: a release that he has not made, against the files he has. */

import { toPrintable } from '../base/bytes.ts'
import { ConfigError, VerifyError } from '../base/errors.ts'
import type { LocalFile } from './local-file.ts'
import type { UnverifiedRelease } from './release.ts'

export interface ReleaseReview {
  readonly project: string
  readonly version: number
  /** ms */
  readonly expires: number
  readonly checked: readonly string[]
  /** Names of what is listed and not here; what is removed is left out. */
  readonly unchecked: readonly string[]
}

/** Throws where a file that is here is another one, or is not in the release. */
export function reviewRelease(
  { project, parsed, targets }: UnverifiedRelease,
  local: readonly LocalFile[],
): ReleaseReview {
  const entries = new Map(parsed.files.map((file) => [file.filename, file]))
  for (const file of local) {
    const entry = entries.get(file.filename)
    if (entry === undefined) throw missing(project, file.filename)
    requireSame(file, file.sha256, entry.sha256)
    if (file.metadata !== undefined)
      requireSame(file, file.metadata.sha256, entry.coreMetadata?.get('sha256'))
  }
  const checked = local.map(({ filename }) => filename)
  const unchecked = parsed.files
    .filter(({ filename, removed }) => removed === undefined && !checked.includes(filename))
    .map(({ filename }) => filename)
  const { version, expires } = targets.claimed
  return { project, version, expires, checked, unchecked }
}

function missing(project: string, filename: string): ConfigError {
  return new ConfigError(
    'CONFIG_INVALID',
    `The release of ${project} does not list ${toPrintable(filename)}`,
    { next: 'Ask whoever made the release; do not sign it.' },
  )
}

function requireSame({ filename }: LocalFile, own: string, signed: string | undefined): void {
  if (signed === undefined || signed === own) return
  throw new VerifyError(
    'DIGEST_MISMATCH',
    `The release lists another ${toPrintable(filename)} than the one that is here`,
    {
      expected: `${own} (yours)`,
      found: `${signed} (the release)`,
      next: 'Ask whoever made the release; do not sign it.',
    },
  )
}
