/** The index that a mirror looks at: the address of a server, or a folder. */

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { toPrintable } from '../../base/bytes.ts'
import { ConfigError } from '../../base/errors.ts'
import { openFolderPort } from '../../mirror/folder-port.ts'
import { openHttpPort } from '../../mirror/http-port.ts'
import type { IndexAddress, OpenIndex } from '../../mirror/index-choice.ts'
import { isHttpUrl, suggestUrl } from '../location.ts'
import { readMirrorSettings } from './mirror-settings.ts'
import { readCredentials } from '../read-credentials.ts'
import { buildUserAgent } from '../version.ts'

export interface IndexOpenerOptions {
  /** Things that are asked at the same time. */
  readonly parallel?: number | undefined
  /** As the setting of the same name; never the credentials themselves. */
  readonly credentials?: string | undefined
}

export function createIndexOpener({ parallel, credentials }: IndexOpenerOptions = {}): OpenIndex {
  return async (address: IndexAddress) => {
    const { index } = address
    requireIndexLocation(index)
    const label = `the index ${toPrintable(index)}`
    const found = await readCredentials({ label, url: index, credentials })
    if (!isHttpUrl(index)) return openFolderPort({ ...address, index: resolve(index) })
    return openHttpPort(address, {
      userAgent: buildUserAgent('signing mirror', address.contact),
      credentials: found,
      ...(parallel !== undefined && { parallel }),
    })
  }
}

/** With the credentials that the mirror's own settings name, as they are then. */
export function createMirrorIndexOpener(
  directory: string,
  options: IndexOpenerOptions = {},
): OpenIndex {
  return (address) => {
    const credentials = options.credentials ?? readMirrorSettings(directory).credentials
    return createIndexOpener({ ...options, credentials })(address)
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
