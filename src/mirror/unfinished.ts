/**
 * The mark of a mirror that `init` has begun and not finished: there are keys and files, and nothing
 * that a client could read. It stands in the folder until everything is published.
 */

import { join } from 'node:path'
import { decodeUtf8, encodeUtf8, toPrintable } from '../base/bytes.ts'
import { ConfigError } from '../base/errors.ts'
import { removeIfThere, writeFileAtomic } from '../store/atomic-file.ts'
import { isFile } from '../store/published-tree.ts'
import { readRegular } from '../store/regular-file.ts'

const markName = 'init-unfinished'

/** @param offlineDirectory where keys of it lie too */
export function putUnfinished(directory: string, offlineDirectory: string): Promise<void> {
  return writeFileAtomic(join(directory, markName), encodeUtf8(`${offlineDirectory}\n`))
}

export function dropUnfinished(directory: string): void {
  removeIfThere(join(directory, markName))
}

/** Throws CONFIG_INVALID where `init` was interrupted. */
export async function requireFinished(directory: string): Promise<void> {
  const path = join(directory, markName)
  if (!(await isFile(path))) return
  const offlineDirectory = toPrintable(decodeUtf8(readRegular(path)).trimEnd(), 500)
  throw new ConfigError(
    'CONFIG_INVALID',
    `init did not finish in ${directory}: it is no mirror yet`,
    {
      next: `Remove ${directory} and ${offlineDirectory}, whose keys sign nothing, and run init again.`,
    },
  )
}
