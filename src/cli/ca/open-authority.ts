/** The local authority as the settings want it: for the hosts of all indexes, kept in the state or in memory. */

import type { Clock } from '../../base/clock.ts'
import { openAuthorityPlace } from '../../ca/authority-folder.ts'
import { Authority, requireInterceptedHosts } from '../../ca/authority.ts'
import { listIndexHosts } from '../../upstream/index-hosts.ts'
import type { Settings } from '../settings.ts'

export interface AuthorityChoice {
  readonly settings: Settings
  readonly clock: Clock
  /** Where it is kept. Without: its key never touches the disk and ends with the process. */
  readonly stateHome?: string
}

/** Nothing is read or made before it is asked for. Throws CONFIG_INVALID. */
export function openAuthority({ settings, clock, stateHome }: AuthorityChoice): Authority {
  const hosts = requireInterceptedHosts(
    settings.index.flatMap((index) => listIndexHosts(index.url, index['file-hosts'])),
  )
  return new Authority({
    hosts,
    clock,
    ...(stateHome !== undefined && { place: openAuthorityPlace(stateHome, hosts) }),
  })
}
