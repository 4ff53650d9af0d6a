/** The index that a mirror looks at: the address of a server, or a folder. */

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { toPrintable } from '../base/bytes.ts'
import { ConfigError } from '../base/errors.ts'
import { openFolderPort } from '../mirror/folder-port.ts'
import { openHttpPort } from '../mirror/http-port.ts'
import type { IndexAddress, OpenIndex } from '../mirror/index-choice.ts'
import { isHttpUrl, suggestUrl } from './location.ts'
import { buildUserAgent } from './version.ts'

/** For a sync that asks so many things at the same time. */
export function createIndexOpener(parallel?: number): OpenIndex {
  return async (address: IndexAddress) => {
    requireIndexLocation(address.index)
    if (!isHttpUrl(address.index))
      return openFolderPort({ ...address, index: resolve(address.index) })
    return openHttpPort(address, {
      userAgent: buildUserAgent('signing mirror', address.contact),
      ...(parallel !== undefined && { parallel }),
    })
  }
}

export const openMirrorIndex: OpenIndex = createIndexOpener()

/** Throws CONFIG_INVALID for what is neither the URL of a server nor a folder that exists. */
export function requireIndexLocation(location: string): void {
  if (isHttpUrl(location) || existsSync(location)) return
  throw new ConfigError(
    'CONFIG_INVALID',
    `${toPrintable(location)} is neither an http(s) URL nor a folder that exists.`,
    {
      next:
        suggestUrl(location) ??
        'Give the URL of an index, such as https://pypi.org/simple/, or a folder that contains simple/.',
    },
  )
}
