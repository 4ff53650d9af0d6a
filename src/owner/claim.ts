/**
 * A claim: the public keys with which a project signs for itself from now on, signed by every one of
 * them, so that nobody names a key that he does not have (PEP 480).
 *
 * Who may claim a project is the mirror's decision; of a change of keys the old keys speak too.
 */

import { toPrintable, type Bytes } from '../base/bytes.ts'
import type { Json } from '../base/canonical-json.ts'
import { formatUtcSeconds } from '../base/clock.ts'
import {
  DecodeError,
  readArray,
  readInteger,
  readMember,
  readObject,
  readString,
  type JsonObject,
} from '../base/decode.ts'
import { readUtcTime } from '../base/read-values.ts'
import { ConfigError, isTufgateError, VerifyError } from '../base/errors.ts'
import { addSignature } from '../signing/add-signature.ts'
import { signEnvelope } from '../signing/envelope.ts'
import { buildKeyid, keySchemes, type NamedKey, type PublicKey } from '../signing/public-key.ts'
import type { Signer } from '../signing/signer.ts'
import { isNormalizedName } from '../simple/names.ts'
import { parseEnvelope, type Envelope } from '../tuf/envelope.ts'
import { parseKey } from '../tuf/keys.ts'
import { requireThreshold, type Signers } from '../tuf/threshold.ts'
import { readOwnerFile } from './owner-file.ts'
import { requireGoodSignatures } from './require-good-signatures.ts'

/** Who signs a project. */
export interface OwnerKeys {
  /** By key id. */
  readonly keys: ReadonlyMap<string, PublicKey>
  readonly threshold: number
}

export interface Claim extends OwnerKeys {
  readonly project: string
  /** ms */
  readonly created: number
}

/** Well formed; of its signatures nothing is known. */
export interface UnverifiedClaim extends Envelope {
  readonly claim: Claim
}

export const maxClaimBytes = 256_000
const maxOwnerKeys = 20
const claimType = 'tufgate-claim'
const claimFormat = 1

export interface ClaimInput {
  readonly project: string
  readonly keys: readonly NamedKey[]
  readonly threshold: number
  /** ms */
  readonly now: number
}

/** Signed by those that are here; the others add theirs with `signClaim`. Throws CONFIG_INVALID. */
export async function buildClaim(input: ClaimInput, signers: readonly Signer[]): Promise<Bytes> {
  const { project, threshold, now } = input
  const keys = new Map(input.keys.map(({ keyid, key }) => [keyid, key]))
  if (keys.size !== input.keys.length) throw refuse('the same key stands twice')
  if (threshold < 1 || threshold > keys.size) {
    throw refuse(`${threshold} of ${keys.size} keys is not possible`)
  }
  if (keys.size > maxOwnerKeys)
    throw refuse(`${keys.size} keys, and at most ${maxOwnerKeys} may be`)
  const signed: Json = {
    _type: claimType,
    format: claimFormat,
    project,
    keys: [...keys.values()].map(renderKey),
    threshold,
    created: formatUtcSeconds(now),
  }
  return signEnvelope(signed, signers)
}

function refuse(problem: string): ConfigError {
  return new ConfigError('CONFIG_INVALID', `This claim cannot be made: ${problem}`, {
    expected: `1 to ${maxOwnerKeys} different keys, and a threshold of at most as many`,
    next: 'Two keys with a threshold of one survive the loss of one.',
  })
}

/**
 * For the keys that are elsewhere, and for the old keys where the new ones take their place. Throws
 * CONFIG_INVALID where one of its keys has signed something else.
 */
export async function signClaim(bytes: Bytes, signer: Signer): Promise<Bytes> {
  const { claim, ...envelope } = parseClaim(bytes)
  requireGoodSignatures('the claim', envelope, signersOf(claim))
  return addSignature(bytes, signer)
}

/** Throws VerifyError MALFORMED. */
export function parseClaim(bytes: Bytes): UnverifiedClaim {
  return readOwnerFile('the claim', bytes, maxClaimBytes, () => {
    const { signed, ...envelope } = parseEnvelope(bytes)
    return { ...envelope, claim: readClaim(signed) }
  })
}

function readClaim(signed: JsonObject): Claim {
  readMember(signed, '_type', (type) => {
    if (readString(type) !== claimType) throw new DecodeError(`expected ${claimType}`)
  })
  readMember(signed, 'format', (format) => {
    if (readInteger(format, 1) !== claimFormat) throw new DecodeError('made by a newer tufgate')
  })
  const keys = new Map<string, PublicKey>()
  for (const key of readMember(signed, 'keys', (list) => readArray(list, readPublicKey))) {
    keys.set(buildKeyid(key), key)
  }
  const threshold = readMember(signed, 'threshold', (value) => readInteger(value, 1))
  if (keys.size > maxOwnerKeys) throw new DecodeError(`more than ${maxOwnerKeys} keys`)
  if (threshold > keys.size) throw new DecodeError('a threshold above the number of keys')
  return {
    project: readMember(signed, 'project', readProject),
    keys,
    threshold,
    created: readMember(signed, 'created', readUtcTime),
  }
}

export function readProject(value: unknown): string {
  const project = readString(value)
  if (!isNormalizedName(project)) throw new DecodeError('expected a normalized project name')
  return project
}

/** A key as TUF metadata has it, of a kind that is offered here. */
export function readPublicKey(value: unknown): PublicKey {
  const object = readObject(value)
  const scheme = keySchemes.get(readMember(object, 'scheme', readString))
  if (scheme === undefined) throw new DecodeError('a key of an unknown kind')
  const keyval = readMember(object, 'keyval', readObject)
  return { ...scheme, keyval: { public: readMember(keyval, 'public', readString) } }
}

export function renderKey({ keytype, scheme, keyval }: PublicKey): Json {
  return { keytype, scheme, keyval: { public: keyval.public } }
}

/** For verification: `tuf` reads keys in its own way. */
export function signersOf({ keys, threshold }: OwnerKeys): Signers {
  const opened = [...keys].map(([keyid, key]) => [keyid, parseKey(renderKey(key), keyid)] as const)
  return { keys: new Map(opened), keyids: [...keys.keys()], threshold }
}

/** Every key of the claim has signed it. Throws SIGNATURE_THRESHOLD, with the key ids that are missing. */
export function requirePossession({ claim, ...envelope }: UnverifiedClaim): Claim {
  const signers = signersOf({ ...claim, threshold: claim.keys.size })
  try {
    requireThreshold('claim', envelope, signers, 'the claim itself')
  } catch (error) {
    if (!isTufgateError(error)) throw error
    const missing = signers.keyids.filter((keyid) => !envelope.signatures.has(keyid))
    throw new VerifyError(
      'SIGNATURE_THRESHOLD',
      `The claim of ${claim.project} is not signed by all of its ${claim.keys.size} keys`,
      {
        ...(missing.length > 0 && { found: `no signature by ${missing.join(', ')}` }),
        next: 'Whoever has a missing key signs it with: tufgate owner claim --add CLAIM --key KEY',
        cause: error,
      },
    )
  }
  return claim
}

/** A change of keys is the decision of those who have the old ones. Throws SIGNATURE_THRESHOLD. */
export function requireHandover({ claim, ...envelope }: UnverifiedClaim, before: OwnerKeys): void {
  requireThreshold(
    'claim',
    envelope,
    signersOf(before),
    `the present claim of ${toPrintable(claim.project)}`,
  )
}
