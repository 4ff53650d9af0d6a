/**
 * Whether every role will be signed again in time. What a person has to sign is said months before;
 * what the mirror signs itself is late once it is well past the moment when that should have happened.
 */

import { readInteger, readText } from '../store/database.ts'
import type { MirrorMemory } from './open-mirror.ts'
import { offlineRoles } from './role-names.ts'
import { dayMs, settings } from './settings.ts'

export type Urgency = 'ok' | 'warning' | 'failing'

export interface RoleExpiry {
  /** `bins-NN` stands for all of them, with the earliest expiry; owners are listed once it matters. */
  readonly role: string
  readonly version: number
  /** ms */
  readonly expires: number
  /** ms, of an online role. */
  readonly lifetime?: number
}

export interface JudgedExpiry extends RoleExpiry {
  readonly daysLeft: number
  readonly urgency: Urgency
}

/** A ceremony takes weeks to arrange; in the last week every day counts. */
const offlineWarningMs = 60 * dayMs
const offlineUrgentMs = 30 * dayMs
const offlineFailingMs = 7 * dayMs
/** Of one project alone: its maintainers are asked, and everybody else goes on. */
const ownerWarningMs = 30 * dayMs
const maxOwners = 100

/** Every role of the mirror, as it will be published next or is already. */
export function listExpiries(memory: MirrorMemory, now: number): JudgedExpiry[] {
  const { settings: store, roles } = memory
  const binLifetime = store.require(settings.binLifetimeMs)
  const online: readonly (readonly [string, number])[] = [
    ['deny', binLifetime],
    ['recently-claimed', binLifetime],
    ['snapshot', store.require(settings.snapshotLifetimeMs)],
    ['timestamp', store.require(settings.timestampLifetimeMs)],
  ]
  const found: RoleExpiry[] = [
    ...offlineRoles.map((role) => roles.require(role)).map(readExpiry),
    ...online.map(([role, lifetime]) => ({ ...readExpiry(roles.require(role)), lifetime })),
    { role: 'bins-NN', ...roles.summarizeBins(), lifetime: binLifetime },
    ...listOwners(memory, now + ownerWarningMs),
  ]
  return found.map((role) => judgeExpiry(role, now))
}

function readExpiry(role: { name: string; version: number; expires: number }): RoleExpiry {
  return { role: role.name, version: role.version, expires: role.expires }
}

/** Of projects that still sign for themselves: the first to expire, before the given time (ms). */
function listOwners({ ledger }: MirrorMemory, before: number): RoleExpiry[] {
  const sql = `SELECT role.name AS name, role.version AS version, role.expires AS expires
    FROM claim JOIN role ON role.name = 'owner-' || claim.project
    WHERE role.version > 0 AND role.expires < ? ORDER BY role.expires LIMIT ?`
  return ledger.database.all(sql, before, maxOwners).map((row) => ({
    role: readText(row, 'name'),
    version: readInteger(row, 'version'),
    expires: readInteger(row, 'expires'),
  }))
}

function judgeExpiry(role: RoleExpiry, now: number): JudgedExpiry {
  const left = role.expires - now
  return {
    ...role,
    daysLeft: Math.floor((left / dayMs) * 10) / 10,
    urgency: decideUrgency(role, left),
  }
}

function decideUrgency({ role, lifetime }: RoleExpiry, left: number): Urgency {
  if (role.startsWith('owner-')) return left > ownerWarningMs ? 'ok' : 'warning'
  if (lifetime === undefined) {
    if (left <= offlineFailingMs) return 'failing'
    return left <= offlineWarningMs ? 'warning' : 'ok'
  }
  // Signed again at half of its life, and tried again and again for an eighth, then for a quarter.
  if (left <= lifetime / 4) return 'failing'
  return left <= (lifetime * 3) / 8 ? 'warning' : 'ok'
}

/** What an operator does about it. `directory`: of the mirror. */
export function adviseRenewal(
  { role, lifetime, expires }: RoleExpiry,
  { now, directory }: { readonly now: number; readonly directory: string },
): string {
  if (role.startsWith('owner-'))
    return `Ask the maintainers of ${role.slice('owner-'.length)} to sign again: tufgate owner sign.`
  if (lifetime !== undefined)
    return `Run tufgate mirror renew ${directory} and look into why it has not succeeded.`
  const when = expires - now <= offlineUrgentMs ? 'now' : 'in the coming weeks'
  return `Sign ${role} again with its offline keys ${when}: tufgate mirror root new ${directory} --renew -o yearly.json`
}
