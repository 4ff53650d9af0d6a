/**
 * The search for a target through the delegations (TUF 5.6.7): depth first, in listed order, each
 * role once. "Not found" is an answer only when every role on the way was fetched and verified.
 */

import { toPrintable } from '../base/bytes.ts'
import { VerifyError } from '../base/errors.ts'
import { findDelegations, type DelegationMatch } from './delegation.ts'
import { requireCurrent, requireUnexpired } from './freshness.ts'
import type { TargetFile, Targets } from './metadata.ts'
import { requireListed, type TrustedSet } from './trusted-set.ts'

/** Gives the role as verified for this delegator: `acceptDelegated`, on bytes of wherever. */
export type LoadRole = (delegator: Targets, role: string, delegatorName: string) => Promise<Targets>

export interface VisitedRole {
  readonly name: string
  readonly version: number
  readonly expires: number
}

export interface Search {
  /** `undefined`: proven to be in none of the roles that could have it. */
  readonly target?: TargetFile
  /** Where it was found; else the last role that was searched. */
  readonly role: string
  readonly visited: readonly VisitedRole[]
}

export interface SearchOptions {
  /** Expiry of every role is asked for this moment. */
  readonly now: number
  readonly maxRoles?: number
  /** A delegated role that may have expired: for whoever is about to sign it again. */
  readonly renewed?: string
}

const defaultMaxRoles = 32

interface Edge {
  readonly name: string
  readonly delegator?: { readonly name: string; readonly targets: Targets }
}

/** Throws whatever `loadRole` throws, EXPIRED, ROLE_NOT_IN_SNAPSHOT, and SEARCH_LIMIT. */
export async function findTarget(
  trusted: TrustedSet,
  path: string,
  loadRole: LoadRole,
  { now, maxRoles = defaultMaxRoles, renewed }: SearchOptions,
): Promise<Search> {
  requireUnexpired(trusted, now)
  const { targets: top } = trusted
  const visited = new Map<string, VisitedRole>()
  let open: Edge[] = [{ name: 'targets' }]
  for (let edge = open.pop(); edge !== undefined; edge = open.pop()) {
    const { name, delegator } = edge
    if (visited.has(name)) continue
    if (visited.size >= maxRoles) throw searchLimit(path, maxRoles)
    if (delegator !== undefined) requireListed(trusted, name)
    const targets =
      delegator === undefined ? top : await loadRole(delegator.targets, name, delegator.name)
    if (name !== renewed) requireCurrent(name, targets, now)
    visited.set(name, { name, version: targets.version, expires: targets.expires })
    const target = targets.targets.get(path)
    if (target !== undefined) return { target, role: name, visited: [...visited.values()] }
    const { matches, isTerminated } = cutAtTerminating(targets, path)
    // TUF 5.6.7.2.1: nothing that stands behind a terminating delegation is searched, anywhere.
    if (isTerminated) open = []
    for (const match of matches.toReversed()) {
      open.push({ name: match.name, delegator: { name, targets } })
    }
  }
  return { role: [...visited.keys()].at(-1) ?? 'targets', visited: [...visited.values()] }
}

function cutAtTerminating(
  role: Targets,
  path: string,
): { matches: DelegationMatch[]; isTerminated: boolean } {
  const matches = role.delegations === undefined ? [] : findDelegations(role.delegations, path)
  const last = matches.findIndex(({ terminating }) => terminating)
  return last === -1
    ? { matches, isTerminated: false }
    : { matches: matches.slice(0, last + 1), isTerminated: true }
}

/** To stop here and say "not found" would let a role hide what others list. */
function searchLimit(path: string, maxRoles: number): VerifyError {
  return new VerifyError(
    'SEARCH_LIMIT',
    `${toPrintable(path)} was looked for in ${maxRoles} roles, and there are more`,
    {
      expected: `at most ${maxRoles} roles`,
      next: 'Ask whoever runs the mirror to delegate less widely.',
    },
  )
}
