/** What the flags of `mirror root new` mean: `ROLE=VALUE` and its kind. Throws CONFIG_INVALID. */

import { basename } from 'node:path'
import { toPrintable } from '../../base/bytes.ts'
import { ConfigError } from '../../base/errors.ts'
import type { HeldKey } from '../../ceremony/key-changes.ts'
import type { PrepareOptions } from '../../ceremony/prepare-change.ts'
import { isKeyName, managedRoles, type ManagedRole } from '../../ceremony/role-keys.ts'
import {
  offlineRoles,
  onlineRoles,
  type OfflineRole,
  type OnlineRole,
} from '../../mirror/role-names.ts'
import { readPublicKeyFile } from '../../signing/public-key-file.ts'
import type { NamedKey } from '../../signing/public-key.ts'
import { parseDuration } from '../units.ts'

export interface RootNewFlags {
  readonly output: string
  readonly addKey?: readonly string[]
  readonly removeKey?: readonly string[]
  readonly threshold?: readonly string[]
  readonly renew?: boolean
  readonly expires?: string
  readonly rotate?: readonly string[]
  readonly stolen?: readonly string[]
  readonly bins?: string
  readonly acceptLossRisk?: boolean
  readonly json?: boolean
}

type Asked = Omit<PrepareOptions, 'directory' | 'clock' | 'report'>

export async function parseRootNewFlags(flags: RootNewFlags): Promise<Asked> {
  const { renew, bins, expires, acceptLossRisk } = flags
  const rotate = await parseRotations(flags.rotate ?? [])
  return {
    addKeys: await parseNewKeys(flags.addKey ?? []),
    removeKeys: await parseOldKeys(flags.removeKey ?? []),
    thresholds: parseThresholds(flags.threshold ?? []),
    rotate,
    stolen: (flags.stolen ?? []).map((raw) => {
      const [role, keyid] = splitFlag('--stolen', raw, managedRoles)
      return { role, ...(keyid !== undefined && { keyid }) }
    }),
    ...(renew !== undefined && { isRenewal: renew }),
    ...(bins !== undefined && { bins: requireNumber('--bins', bins) }),
    ...(expires !== undefined && { expiresInMs: requireLifetime(expires) }),
    ...(acceptLossRisk !== undefined && { acceptLossRisk }),
  }
}

async function parseNewKeys(
  raws: readonly string[],
): Promise<{ role: OfflineRole; key: HeldKey }[]> {
  const keys: { role: OfflineRole; key: HeldKey }[] = []
  for (const raw of raws) {
    const [role, value] = splitFlag('--add-key', raw, offlineRoles)
    const path = requireValue('--add-key', raw, value, 'FILE.pub')
    keys.push({ role, key: { ...(await readPublicKeyFile(path)), ...nameKey(path) } })
  }
  return keys
}

/** Each is named by its file, or by the beginning of its id. */
async function parseOldKeys(
  raws: readonly string[],
): Promise<{ role: OfflineRole; keyid: string }[]> {
  const keys: { role: OfflineRole; keyid: string }[] = []
  for (const raw of raws) {
    const [role, value] = splitFlag('--remove-key', raw, offlineRoles)
    const named = requireValue('--remove-key', raw, value, 'KEYID or FILE.pub')
    const isFile = named.endsWith('.pub')
    keys.push({ role, keyid: isFile ? (await readPublicKeyFile(named)).keyid : named })
  }
  return keys
}

/** What the file is called: it helps people to tell the keys apart, and means nothing to clients. */
function nameKey(path: string): { name?: string } {
  const name = basename(path).replace(/\.pub$/, '')
  return isKeyName(name) ? { name } : {}
}

function parseThresholds(raws: readonly string[]): Map<OfflineRole, number> {
  return new Map(
    raws.map((raw) => {
      const [role, value] = splitFlag('--threshold', raw, offlineRoles)
      return [role, requireNumber('--threshold', requireValue('--threshold', raw, value, 'N'))]
    }),
  )
}

async function parseRotations(
  raws: readonly string[],
): Promise<Map<OnlineRole, NamedKey | undefined>> {
  const rotations = new Map<OnlineRole, NamedKey | undefined>()
  for (const raw of raws) {
    const [role, path] = splitFlag('--rotate', raw, onlineRoles)
    rotations.set(role, path === undefined ? undefined : await readPublicKeyFile(path))
  }
  return rotations
}

/** `ROLE` or `ROLE=VALUE`. */
function splitFlag<Role extends ManagedRole>(
  flag: string,
  raw: string,
  roles: readonly Role[],
): [Role, string | undefined] {
  const at = raw.indexOf('=')
  const name = at < 0 ? raw : raw.slice(0, at)
  const role = roles.find((known) => known === name)
  if (role !== undefined) return [role, at < 0 ? undefined : raw.slice(at + 1)]
  throw new ConfigError('CONFIG_INVALID', `${flag}: "${toPrintable(name)}" is no role for it`, {
    expected: roles.join(', '),
    found: toPrintable(name),
    next: isManaged(name) ? explainOther(flag) : `Write it as ${flag} ROLE, or ${flag} ROLE=VALUE.`,
  })
}

function isManaged(name: string): boolean {
  return managedRoles.some((role) => role === name)
}

function explainOther(flag: string): string {
  return flag === '--rotate'
    ? 'People hold this key: replace it with --add-key ROLE=FILE.pub and --remove-key ROLE=KEYID.'
    : 'The mirror itself holds this key: replace it with --rotate ROLE.'
}

function requireValue(flag: string, raw: string, value: string | undefined, what: string): string {
  if (value !== undefined && value !== '') return value
  throw new ConfigError('CONFIG_INVALID', `${flag} ${toPrintable(raw)} lacks its value`, {
    expected: `${flag} ROLE=${what}`,
    next: `Write it as ${flag} ROLE=${what}.`,
  })
}

function requireNumber(flag: string, raw: string): number {
  if (/^[1-9]\d{0,5}$/.test(raw)) return Number(raw)
  throw new ConfigError('CONFIG_INVALID', `${flag}: "${toPrintable(raw)}" is not a number from 1`, {
    expected: 'a whole number from 1',
    next: `Write a number behind ${flag}.`,
  })
}

function requireLifetime(raw: string): number {
  const lifetime = parseDuration(raw)
  if (lifetime !== undefined && lifetime >= 60_000) return lifetime
  throw new ConfigError('CONFIG_INVALID', `--expires ${toPrintable(raw)} is not a duration`, {
    expected: 'a number with a unit, such as 365d',
    next: 'Write the unit too: --expires 365d.',
  })
}
