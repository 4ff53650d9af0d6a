/** Which notary a command means: by the name or URL of an index, in the state that serve uses. */

import { ConfigError } from '../../base/errors.ts'
import {
  findNotaryPlace,
  hasNotary,
  listNotaryIndexes,
  type NotaryPlace,
} from '../../notary/notary-folder.ts'
import { findStateHome } from '../../store/state-directory.ts'
import { isHttpUrl } from '../location.ts'
import { readSettings } from '../read-settings.ts'
import { isMirrored, usualIndex, type IndexSettings } from '../settings.ts'

export interface NotaryFlags {
  readonly config?: string
  readonly stateDir?: string
  readonly index?: string
}

/** Throws ConfigError CONFIG_INVALID. */
export function chooseNotaryPlace({ config, stateDir, index }: NotaryFlags): NotaryPlace {
  const settings = readSettings(config, stateDir === undefined ? {} : { stateDir })
  const stateHome = settings['state-dir'] ?? findStateHome(process.env)
  const url = index !== undefined && isHttpUrl(index) ? index : chooseIndex(settings.index, index)
  return findNotaryPlace(stateHome, url)
}

/**
 * To read only: what was seen here of the one index that was looked at, where neither flag nor
 * settings name one and nothing was seen of the usual one.
 */
export async function chooseSeenPlace(flags: NotaryFlags): Promise<NotaryPlace> {
  const place = chooseNotaryPlace(flags)
  if (flags.index !== undefined || place.index !== usualIndex.url) return place
  if ((await hasNotary(place)) !== 'never') return place
  const [only, ...others] = listNotaryIndexes(place.stateHome)
  return only === undefined || others.length > 0 ? place : findNotaryPlace(place.stateHome, only)
}

function chooseIndex(indexes: readonly IndexSettings[], name: string | undefined): string {
  const notaries = indexes.filter((index) => !isMirrored(index))
  const [only] = notaries
  if (name === undefined && notaries.length === 1 && only !== undefined) return only.url
  const named = indexes.find((index) => index.name === name)
  if (named !== undefined && !isMirrored(named)) return named.url
  const names = notaries.map((index) => index.name).join(', ')
  throw new ConfigError('CONFIG_INVALID', describeProblem(name, named !== undefined), {
    expected: names === '' ? 'an index without a mirror' : names,
    next: 'Give --index with the name or the URL of an index that has no mirror.',
  })
}

function describeProblem(name: string | undefined, isThere: boolean): string {
  if (name === undefined) return 'The settings have not exactly one index without a mirror.'
  return isThere
    ? `The index ${name} has a mirror: what it has signed is what counts, nothing is kept of first use.`
    : `The settings have no index ${name}.`
}
