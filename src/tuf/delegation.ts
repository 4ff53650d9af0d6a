/**
 * Which delegated roles a target path belongs to (TUF 4.5, TAP 15), and who may sign them.
 *
 * Roles come out in the order in which they are listed, since that order is their priority.
 */

import { encodeUtf8 } from '../base/bytes.ts'
import { sha256Hex } from '../base/digest.ts'
import type { Bins, DelegatedRole, DelegationIndex, Delegations } from './metadata.ts'
import { isPathMatch } from './path-pattern.ts'
import type { Signers } from './threshold.ts'

export interface DelegationMatch {
  readonly name: string
  readonly terminating: boolean
}

/** The roles to which the delegations trust this path, in the order of the search. */
export function findDelegations(delegations: Delegations, path: string): DelegationMatch[] {
  if (delegations.bins !== undefined) {
    const { namePrefix, bitLength } = delegations.bins
    // As python-tuf, go-tuf and tuf-js have it, though TAP 15 says otherwise.
    return [{ name: binName(namePrefix, bitLength, path), terminating: true }]
  }
  const { byFolder, byPattern, byHashPrefix, hashPrefixLengths } = delegations.index
  const pathHash = hashPath(path)
  const candidates = [...byPattern, ...(byFolder.get(folderOf(path)) ?? [])]
  const matches = new Set([
    ...candidates.filter((role) => isPatternMatch(role, path)),
    ...hashPrefixLengths.flatMap((length) => byHashPrefix.get(pathHash.slice(0, length)) ?? []),
  ])
  return [...matches].toSorted((left, right) => left.place - right.place)
}

/** The path without its last segment, as a pattern without wildcards there can match it. */
function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1)
}

export function buildIndex(roles: Iterable<DelegatedRole>): DelegationIndex {
  const byPattern: DelegatedRole[] = []
  const byFolder = new Map<string, DelegatedRole[]>()
  const byHashPrefix = new Map<string, DelegatedRole[]>()
  for (const role of roles) {
    if (role.scope.kind === 'patterns') {
      for (const { text } of role.scope.patterns) addPattern({ byPattern, byFolder }, text, role)
    } else for (const prefix of role.scope.prefixes) addTo(byHashPrefix, prefix, role)
  }
  const hashPrefixLengths = [...new Set([...byHashPrefix.keys()].map(({ length }) => length))]
  return { byPattern, byFolder, byHashPrefix, hashPrefixLengths }
}

/** Where no wildcard stands before the last slash, only paths of this very folder can match. */
function addPattern(
  { byPattern, byFolder }: { byPattern: DelegatedRole[]; byFolder: Map<string, DelegatedRole[]> },
  text: string,
  role: DelegatedRole,
): void {
  const folder = folderOf(text)
  if (!/[*?[]/.test(folder)) addTo(byFolder, folder, role)
  else if (byPattern.at(-1) !== role) byPattern.push(role)
}

function addTo(index: Map<string, DelegatedRole[]>, key: string, role: DelegatedRole): void {
  const sharing = index.get(key)
  if (sharing === undefined) index.set(key, [role])
  else if (sharing.at(-1) !== role) sharing.push(role)
}

/** `undefined` where the delegations do not know the role. */
export function findSigners(delegations: Delegations, role: string): Signers | undefined {
  const { keys, bins } = delegations
  const holder =
    bins === undefined ? delegations.roles.get(role) : isBin(bins, role) ? bins : undefined
  return holder && { keys, keyids: holder.keyids, threshold: holder.threshold }
}

/** TAP 15: the bin of a path is the first `bitLength` bits (1 to 32) of its sha256. */
export function binName(namePrefix: string, bitLength: number, path: string): string {
  return renderBinName(namePrefix, bitLength, findBin(bitLength, path))
}

/** TAP 15: the first bits of the sha256 of the target path. */
export function findBin(bitLength: number, path: string): number {
  return Number.parseInt(hashPath(path).slice(0, 8), 16) >>> (32 - bitLength)
}

/** The bin of this number, 0 to 2^bitLength - 1. */
export function renderBinName(namePrefix: string, bitLength: number, bin: number): string {
  return `${namePrefix}-${bin.toString(16).padStart(Math.ceil(bitLength / 4), '0')}`
}

function isBin({ namePrefix, bitLength }: Bins, role: string): boolean {
  const suffix = role.slice(namePrefix.length + 1)
  const bin = /^[0-9a-f]{1,8}$/.test(suffix) ? Number.parseInt(suffix, 16) : -1
  return bin >= 0 && bin < 2 ** bitLength && role === renderBinName(namePrefix, bitLength, bin)
}

function isPatternMatch({ scope }: DelegatedRole, path: string): boolean {
  return scope.kind === 'patterns' && scope.patterns.some((pattern) => isPathMatch(pattern, path))
}

function hashPath(path: string): string {
  return sha256Hex(encodeUtf8(path))
}
