/** The index that a mirror looks at: the address of a server, or a folder. */

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { ConfigError } from '../base/errors.ts'
import { openFolderPort } from '../mirror/folder-port.ts'
import { openHttpPort } from '../mirror/http-port.ts'
import type { IndexAddress } from '../mirror/index-choice.ts'
import type { IndexPort } from '../mirror/index-port.ts'
import { userAgent } from './version.ts'

export async function openMirrorIndex(address: IndexAddress): Promise<IndexPort> {
  if (/^https?:\/\//.test(address.index)) return openHttpPort(address, userAgent)
  const folder = resolve(address.index)
  if (existsSync(folder)) return openFolderPort({ ...address, index: folder })
  throw new ConfigError('CONFIG_INVALID', `${address.index} is neither a URL nor a folder.`, {
    expected:
      'the URL of an index, such as https://pypi.org/simple/, or a folder that contains simple/',
  })
}
