/**
 * `mirror skip-versions`: for a mirror that was put back from a backup as a whole. Nothing here knows
 * which versions clients have seen since, so that they are leapt over and never given out twice.
 */

import { ConfigError } from '../base/errors.ts'
import type { MirrorContext } from './open-mirror.ts'
import { publishNow, type Published } from './publish-now.ts'

export interface SkipOptions extends MirrorContext {
  readonly directory: string
  /** How many: more than there can have been publications since the backup. */
  readonly count: number
}

/** A version is a safe integer: a million such leaps are possible. */
const maxSkippedVersions = 1_000_000_000

/** Every online role is signed again, above the gap, and published. Throws CONFIG_INVALID. */
export async function skipVersions(
  options: SkipOptions,
): Promise<{ readonly published: Published | undefined }> {
  const { count } = options
  if (!Number.isSafeInteger(count) || count < 1 || count > maxSkippedVersions) {
    throw new ConfigError('CONFIG_INVALID', `${count} versions cannot be skipped`, {
      expected: `1 to ${maxSkippedVersions}`,
      next: 'Leave --by out: 100000 is more than a mirror publishes in a year.',
    })
  }
  return publishNow(options, async ({ ledger, roles }) => {
    ledger.database.transaction(() => {
      roles.skipOnline(count)
      roles.markAllBins()
      for (const role of ['deny', 'recently-claimed']) roles.markDirty(role)
    })
    return Promise.resolve({})
  })
}
