/** What the proxy tells about itself: the trusted lists, the vault, the log, as they are at that moment. */

import type { AuditHead } from '../../audit/head.ts'
import { renderHead } from '../../audit/head.ts'
import type { Clock } from '../../base/clock.ts'
import type { Durations } from '../../proxy/durations.ts'
import type { GatewayOps } from '../../proxy/gateway.ts'
import type { IndexState, ProxyState, RoleState } from '../../proxy/proxy-state.ts'
import type { Vault } from '../../store/vault.ts'
import { topRoles } from '../../tuf/metadata.ts'
import { showUrl } from '../../upstream/host-rules.ts'
import { EntrySearch } from '../log/entry-search.ts'
import type { OpenIndex } from './open-index.ts'
import { version } from '../version.ts'

export interface StatusParts {
  readonly indexes: readonly OpenIndex[]
  readonly vault: Pick<Vault, 'readTotalBytes'>
  readonly maxVaultBytes: number
  readonly audit: { readonly folder: string; head(): AuditHead }
  readonly fetches: Durations
  readonly clock: Clock
}

export function createStatusOps(parts: StatusParts): Pick<GatewayOps, 'status' | 'findEntries'> {
  const { indexes, vault, maxVaultBytes, audit, fetches, clock } = parts
  const startedAt = clock()
  const search = new EntrySearch(audit.folder, clock)
  return {
    status: (): ProxyState => ({
      version,
      startedAt,
      indexes: indexes.map(describeIndex),
      vault: { bytes: vault.readTotalBytes(), maxBytes: maxVaultBytes },
      audit: { folder: audit.folder, head: renderHead(audit.head()) },
      fetches: fetches.read(),
    }),
    findEntries: (id) => search.find(id),
  }
}

function describeIndex({ name, url, trustKind, repository }: OpenIndex): IndexState {
  const trusted = repository.shown
  const { indexSeenAt } = trusted.timestamp ?? {}
  const roles = topRoles.flatMap((role): RoleState[] => {
    const metadata = trusted[role]
    return metadata === undefined
      ? []
      : [{ role, version: metadata.version, expires: metadata.expires }]
  })
  return {
    name,
    url: showUrl(url),
    trustKind,
    roles,
    ...(indexSeenAt !== undefined && { indexSeenAt }),
  }
}
