/**
 * All roles below `targets`, each verified under the role that delegates to it. A role that several
 * delegate to comes once for each of them: the bytes must be good for all.
 */

import { RoleLoader } from '../client/role-loader.ts'
import type { RepositorySource } from '../client/repository-source.ts'
import { renderBinName } from '../tuf/delegation.ts'
import type { Targets } from '../tuf/metadata.ts'
import type { UsableSet } from '../tuf/freshness.ts'
import type { LoadRole } from '../tuf/search.ts'
import { clientLimits } from './check-client.ts'

export interface RoleEdge {
  readonly role: string
  readonly delegator: string
  readonly load: () => Promise<Targets>
}

export interface RoleWalk {
  /** For the search of a target, over the same roles. */
  readonly loadRole: LoadRole
  /** Those that `targets` names itself, read already: the roles that hand on to the others. */
  readonly upper: readonly (RoleEdge & { readonly targets: Targets })[]
  /** Owners and bins; a generator, since there are many. */
  listLower(): Generator<RoleEdge>
}

/** Roles are read from the source every time, and nothing of them is kept. */
export async function walkRoles(
  trusted: UsableSet,
  source: RepositorySource,
  onFailure: (edge: RoleEdge, error: unknown) => void,
): Promise<RoleWalk> {
  const cache = { read: () => Promise.resolve(undefined), save: () => Promise.resolve() }
  const maxBytes = clientLimits.refresh.maxTargetsBytes
  const loader = new RoleLoader([source], cache, maxBytes, () => undefined)
  const loadRole: LoadRole = (delegator, role, name) => loader.load(trusted, delegator, role, name)
  const follow = function* (name: string, delegator: Targets): Generator<RoleEdge> {
    for (const role of listDelegated(delegator)) {
      yield { role, delegator: name, load: () => loadRole(delegator, role, name) }
    }
  }
  const upper: RoleWalk['upper'][number][] = []
  for (const edge of follow('targets', trusted.targets)) {
    try {
      upper.push({ ...edge, targets: await edge.load() })
    } catch (error) {
      onFailure(edge, error)
    }
  }
  return {
    loadRole,
    upper,
    *listLower() {
      for (const { role, targets } of upper) yield* follow(role, targets)
    },
  }
}

function* listDelegated({ delegations }: Targets): Generator<string> {
  if (delegations === undefined) return
  const { bins, roles } = delegations
  if (bins === undefined) yield* roles.keys()
  else {
    for (let bin = 0; bin < 2 ** bins.bitLength; bin += 1) {
      yield renderBinName(bins.namePrefix, bins.bitLength, bin)
    }
  }
}
