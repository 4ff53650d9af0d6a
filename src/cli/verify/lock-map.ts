/** Which addresses stand for which: the indexes of the settings, and the proxy as clients call it. */

import { ConfigError } from '../../base/errors.ts'
import type { LockIndex, LockMap } from '../../installers/rewrite-lock-url.ts'
import { listIndexHosts } from '../../upstream/index-hosts.ts'
import { formatOrigin, parseListenAddress } from '../listen-address.ts'
import { isHttpUrl } from '../location.ts'
import { matchProjects } from '../match-projects.ts'
import { readSettings } from '../read-settings.ts'
import type { IndexSettings, Settings } from '../settings.ts'

export interface LockMapFlags {
  readonly config?: string
  readonly index?: string
  readonly to?: 'proxy' | 'origin'
  readonly proxy?: string
}

/** What belongs into a repository is the index's own address. */
export function createLockMap({ config, index, to = 'origin', proxy }: LockMapFlags): LockMap {
  const settings = readSettings(config, index === undefined ? {} : { index, isIndexAddress: true })
  const indexes = settings.index.map(createLockIndex)
  // -1, the last one, where each index has its own names.
  const usual = indexes.at(settings.index.findIndex(({ projects }) => projects === undefined))
  if (usual === undefined) throw new TypeError('the settings have an index')
  return {
    to,
    indexes,
    usual,
    proxy: requireProxyUrl(proxy ?? findOrigin(settings)),
    proxyHosts: new Set(settings.hosts.map((host) => host.replace(/:\d+$/, ''))),
  }
}

function createLockIndex(index: IndexSettings): LockIndex {
  return {
    url: index.url,
    hosts: listIndexHosts(index.url, index['file-hosts']),
    owns: matchProjects(index.projects),
  }
}

function findOrigin({ listen }: Settings): string {
  return formatOrigin(parseListenAddress(listen[0] ?? '127.0.0.1:8642'))
}

/** With or without `/simple/` at its end. */
function requireProxyUrl(text: string): string {
  const url = isHttpUrl(text) ? URL.parse(text) : null
  if (url === null || url.search + url.hash + url.username + url.password !== '') {
    throw new ConfigError('CONFIG_INVALID', '--proxy is not the address of a proxy.', {
      expected: 'an http URL such as http://127.0.0.1:8642',
    })
  }
  return url.href.replace(/\/(?:simple\/?)?$/, '')
}
