/** `mirror status`: what a mirror has signed and what waits for a person, as a value. */

import { chooseBitLength } from './bins.ts'
import { readMirror, type MirrorContext, type MirrorMemory } from './open-mirror.ts'
import { settings } from './settings.ts'

export interface RoleStatus {
  readonly role: string
  readonly version: number
  /** ms */
  readonly expires: number
}

export interface MirrorStatus {
  /** root, targets, bins, snapshot, timestamp; then `bins-NN` as one, with the earliest expiry. */
  readonly roles: readonly RoleStatus[]
  readonly bins: number
  /** What would be chosen for the number of projects that there are. */
  readonly recommendedBins: number
  readonly projects: number
  readonly files: { readonly listed: number; readonly removed: number; readonly conflicts: number }
  readonly index?: string
  readonly fileHosts?: readonly string[]
  readonly maxUnseenMs: number
  /** ms */
  readonly indexSeenAt?: number
  readonly lastSignedAt?: number
  /** At most 1000 of each. */
  readonly held: readonly { readonly name: string; readonly reason: string }[]
  readonly conflicted: readonly string[]
  /** Bins that were changed and are not published: an interrupted sync. */
  readonly unpublishedBins: number
}

export interface StatusOptions extends MirrorContext {
  readonly directory: string
}

const maxListed = 1000

/** Works while a sync is under way too. */
export function mirrorStatus({ directory }: StatusOptions): Promise<MirrorStatus> {
  return readMirror(directory, describeMirror)
}

function describeMirror(mirror: MirrorMemory): MirrorStatus {
  const projects = mirror.ledger.countProjects()
  const index = mirror.settings.find(settings.index)
  const fileHosts = mirror.settings.find(settings.fileHosts)
  const indexSeenAt = mirror.settings.find(settings.indexSeenAt)
  const lastSignedAt = mirror.settings.find(settings.lastSignedAt)
  return {
    roles: listRoles(mirror),
    bins: 2 ** mirror.settings.require(settings.bitLength),
    recommendedBins: 2 ** chooseBitLength(projects),
    projects,
    files: mirror.ledger.countFiles(),
    ...(index !== undefined && { index }),
    ...(fileHosts !== undefined && { fileHosts }),
    maxUnseenMs: mirror.settings.require(settings.maxUnseenMs),
    ...(indexSeenAt !== undefined && { indexSeenAt }),
    ...(lastSignedAt !== undefined && { lastSignedAt }),
    held: mirror.ledger.listHeld(maxListed),
    conflicted: mirror.ledger.listConflicted(maxListed),
    unpublishedBins: mirror.roles.countDirty(),
  }
}

function listRoles(mirror: MirrorMemory): RoleStatus[] {
  const names = ['root', 'targets', 'bins', 'snapshot', 'timestamp']
  const roles = names.map((role) => {
    const { version, expires } = mirror.roles.require(role)
    return { role, version, expires }
  })
  const { version, expires } = mirror.roles.summarizeBins()
  return [...roles, { role: 'bins-NN', version, expires }]
}
