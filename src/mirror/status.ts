/** `mirror status`: what a mirror has signed and what waits for a person, as a value. */

import { join } from 'node:path'
import { parseRecord } from '../simple/record.ts'
import { readRegular } from '../store/regular-file.ts'
import { chooseBitLength } from './bins.ts'
import { listDenied } from './deny.ts'
import { describeHeld } from './hold.ts'
import { publicFolder, readMirror, type MirrorContext, type MirrorMemory } from './open-mirror.ts'
import { listOwnerStates } from './owner-states.ts'
import { settings } from './settings.ts'
import { readShape, type Shape } from './shape.ts'
import { recordTarget, targetPath } from './tree-layout.ts'

export interface RoleStatus {
  readonly role: string
  readonly version: number
  /** ms */
  readonly expires: number
}

export interface MirrorStatus {
  /** The offline roles and the online ones; then `bins-NN` as one, with the earliest expiry. */
  readonly roles: readonly RoleStatus[]
  readonly bins: number
  /** What would be chosen for the number of targets that there are. */
  readonly recommendedBins: number
  readonly shape: Shape
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
  readonly conflicted: readonly ConflictedProject[]
  /** Those who sign for themselves, and when (ms) the first of their signatures ends. */
  readonly owners: { readonly count: number; readonly expires?: number }
  /** Projects of which something is withdrawn. */
  readonly denied: number
  /** Bins that were changed and are not published: an interrupted sync. */
  readonly unpublishedBins: number
}

export interface ConflictedProject {
  readonly name: string
  /** Those whose content on the index is not the signed one; empty where the record cannot be read. */
  readonly files: readonly string[]
}

export interface StatusOptions extends MirrorContext {
  readonly directory: string
}

const listedRoles = [
  'root',
  'targets',
  'deny',
  'claimed',
  'recently-claimed',
  'bins',
  'snapshot',
  'timestamp',
]
const maxListed = 1000
/** A record may be large: of more projects than this only the names are said. */
const maxRecordsRead = 50

/** Works while a sync is under way too. */
export function mirrorStatus({ directory }: StatusOptions): Promise<MirrorStatus> {
  return readMirror(directory, (memory) => describeMirror(memory, join(directory, publicFolder)))
}

function describeMirror(mirror: MirrorMemory, tree: string): MirrorStatus {
  const projects = mirror.ledger.countProjects()
  const files = mirror.ledger.countFiles()
  const shape = readShape(mirror.settings)
  const targets = projects * (shape.signsHtml ? 2 : 1) + (shape.signsFiles ? files.listed : 0)
  const index = mirror.settings.find(settings.index)
  const fileHosts = mirror.settings.find(settings.fileHosts)
  const indexSeenAt = mirror.settings.find(settings.indexSeenAt)
  const lastSignedAt = mirror.settings.find(settings.lastSignedAt)
  return {
    roles: listRoles(mirror),
    bins: 2 ** mirror.settings.require(settings.bitLength),
    recommendedBins: 2 ** chooseBitLength(targets),
    shape,
    projects,
    files,
    ...(index !== undefined && { index }),
    ...(fileHosts !== undefined && { fileHosts }),
    maxUnseenMs: mirror.settings.require(settings.maxUnseenMs),
    ...(indexSeenAt !== undefined && { indexSeenAt }),
    ...(lastSignedAt !== undefined && { lastSignedAt }),
    held: mirror.holds.list('', maxListed).map(({ project, changes, isRejected }) => ({
      name: project,
      reason: `${describeHeld(changes)}${isRejected ? ' (rejected)' : ''}`,
    })),
    conflicted: mirror.ledger.listConflicted(maxListed).map(({ name, sha256 }, at) => ({
      name,
      files: at < maxRecordsRead ? listConflicts(tree, name, sha256) : [],
    })),
    owners: describeOwners(mirror),
    denied: listDenied(mirror).length,
    unpublishedBins: mirror.roles.countDirty(),
  }
}

function listRoles(mirror: MirrorMemory): RoleStatus[] {
  const roles = listedRoles.map((role) => {
    const { version, expires } = mirror.roles.require(role)
    return { role, version, expires }
  })
  const { version, expires } = mirror.roles.summarizeBins()
  return [...roles, { role: 'bins-NN', version, expires }]
}

function describeOwners(mirror: MirrorMemory): MirrorStatus['owners'] {
  const owners = listOwnerStates(mirror).filter(({ state }) => state !== 'pending')
  const expiries = owners.flatMap(({ expires }) => expires ?? [])
  return {
    count: owners.length,
    ...(expiries.length > 0 && { expires: expiries.reduce((a, b) => Math.min(a, b)) }),
  }
}

function listConflicts(tree: string, name: string, sha256: string): string[] {
  try {
    const bytes = readRegular(join(tree, targetPath(recordTarget(name), sha256)))
    const { files } = parseRecord(bytes, name)
    return files.filter(({ conflict }) => conflict !== undefined).map(({ filename }) => filename)
  } catch {
    // A damaged record is what sync reports and mends; the status of the rest still counts.
    return []
  }
}
