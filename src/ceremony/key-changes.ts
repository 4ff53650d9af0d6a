/**
 * Keys that come and go in a document, and what is refused: a key twice, more signatures demanded
 * than there are keys, and a root that ends with the loss of one key.
 */

import { toPrintable } from '../base/bytes.ts'
import type { JsonObject } from '../base/decode.ts'
import { ConfigError } from '../base/errors.ts'
import { offlineRoles, type OfflineRole } from '../mirror/role-names.ts'
import type { NamedKey } from '../signing/public-key.ts'
import type { Documents } from './build-change.ts'
import {
  namedIn,
  readHeldKeys,
  readKeyNames,
  replaceHeldKeys,
  replaceKeyNames,
  type HeldKeys,
} from './role-keys.ts'

export interface HeldKey extends NamedKey {
  /** What people call it; it is signed, and public. */
  readonly name?: string
}

/** Fewer letters are too easily those of another key. */
const minPrefixLength = 6
/** More holders than ever sign together, and still a small root. */
const maxKeysOfRole = 20

export function addKey(signed: JsonObject, role: OfflineRole, held: HeldKey): JsonObject {
  const { key, keyid, name } = held
  const { keys, threshold } = readHeldKeys(signed, role)
  if (keys.has(keyid)) {
    throw new ConfigError('CONFIG_INVALID', `${role} has the key ${keyid} already`, {
      role,
      found: keyid,
      next: 'A key counts once, however often it is given.',
    })
  }
  if (keys.size >= maxKeysOfRole) {
    throw new ConfigError('CONFIG_INVALID', `${role} has ${keys.size} keys already`, {
      role,
      expected: `at most ${maxKeysOfRole}`,
      next: 'Remove one with --remove-key.',
    })
  }
  const added = replaceHeldKeys(signed, role, {
    keys: new Map([...keys, [keyid, { ...key }]]),
    threshold,
  })
  if (name === undefined) return added
  return replaceKeyNames(added, new Map([...readKeyNames(added), [keyid, name]]))
}

export function removeKey(signed: JsonObject, role: OfflineRole, prefix: string): JsonObject {
  const { keys, threshold } = readHeldKeys(signed, role)
  const keyid = requireOneKey(role, [...keys.keys()], prefix)
  const rest = [...keys].filter(([other]) => other !== keyid)
  if (rest.length === 0) {
    throw new ConfigError('CONFIG_INVALID', `${role} would have no key any more`, {
      role,
      next: `Give the new one in the same change: --add-key ${role}=FILE.pub`,
    })
  }
  return replaceHeldKeys(signed, role, { keys: new Map(rest), threshold })
}

function requireOneKey(role: OfflineRole, keyids: readonly string[], prefix: string): string {
  const [found, ...others] = keyids.filter((keyid) => keyid.startsWith(prefix))
  if (prefix.length >= minPrefixLength && found !== undefined && others.length === 0) return found
  const reason =
    prefix.length < minPrefixLength
      ? `"${toPrintable(prefix)}" is too short for the beginning of a key id`
      : `${found === undefined ? 'No key' : 'More than one key'} of ${role} begins with ${toPrintable(prefix)}`
  throw new ConfigError('CONFIG_INVALID', reason, {
    role,
    expected: keyids.join(', '),
    found: toPrintable(prefix),
    next: `Give at least ${minPrefixLength} letters of one of these.`,
  })
}

export function setThreshold(signed: JsonObject, role: OfflineRole, threshold: number): JsonObject {
  return replaceHeldKeys(signed, role, { ...readHeldKeys(signed, role), threshold })
}

/** Throws CONFIG_INVALID. Only what the change itself alters is judged: what was there stays possible. */
export function requirePossible(
  before: Documents,
  after: Documents,
  isLossRiskAccepted: boolean,
): void {
  for (const role of offlineRoles) {
    const [old, next] = [read(before, role), read(after, role)]
    requireReachable(role, next)
    const isAltered = old.threshold !== next.threshold || !isSameKeys(old, next)
    if (role === 'root' && isAltered && !isLossRiskAccepted) requireSurvivingLoss(next)
  }
}

function read(documents: Documents, role: OfflineRole): HeldKeys {
  const signed = documents.get(namedIn[role])
  if (signed === undefined) throw new TypeError(`there is no published ${namedIn[role]}`)
  return readHeldKeys(signed, role)
}

function isSameKeys({ keys }: HeldKeys, other: HeldKeys): boolean {
  return keys.size === other.keys.size && [...keys.keys()].every((keyid) => other.keys.has(keyid))
}

function requireReachable(role: OfflineRole, { keys, threshold }: HeldKeys): void {
  if (threshold <= keys.size) return
  throw new ConfigError(
    'CONFIG_INVALID',
    `${role} would need ${threshold} signatures and have ${keys.size} ${keys.size === 1 ? 'key' : 'keys'}`,
    {
      role,
      expected: `a threshold of at most ${keys.size}`,
      found: String(threshold),
      next: `Add keys with --add-key ${role}=FILE.pub, or lower it with --threshold ${role}=N.`,
    },
  )
}

/** The loss of any other role's keys is mended by root; that of root's by nobody. */
function requireSurvivingLoss({ keys, threshold }: HeldKeys): void {
  if (threshold < keys.size) return
  const what =
    keys.size === 1
      ? 'There would be one root key: if it is lost, every client must be given a new root by hand'
      : `All ${keys.size} root keys would be needed: the loss of one ends the mirror`
  throw new ConfigError('CONFIG_INVALID', what, {
    role: 'root',
    expected: 'a threshold below the number of keys',
    found: `${threshold} of ${keys.size}`,
    next: 'Add a key with --add-key root=FILE.pub, or say --accept-loss-risk.',
  })
}
