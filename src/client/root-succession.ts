/**
 * A pinned root whose file has another content than at the last start. It is accepted without a word
 * where it descends from the one before by the chain of signatures (TUF 5.3); anything else is
 * somebody's decision, and not ours.
 */

import type { Bytes } from '../base/bytes.ts'
import { sha256Hex } from '../base/digest.ts'
import { VerifyError } from '../base/errors.ts'
import type { Root } from '../tuf/metadata.ts'
import { isTrustReduced } from '../tuf/rotation.ts'
import {
  acceptRoot,
  noFloors,
  trustRoot,
  type Floors,
  type TrustedSet,
} from '../tuf/trusted-set.ts'

export interface EarlierPin {
  readonly rootSha256: string
  readonly floors: Floors
  /** Roots that were accepted under it, and itself. */
  readRoot(version: number): Promise<Bytes | undefined>
}

/**
 * The floors that hold on: those of the earlier root, but for what the keys that were removed on the way
 * may have driven high (TUF 5.3.11).
 * Throws VerifyError ROOT_CHANGED, or what the new root itself is refused for.
 */
export async function requireSuccessor(earlier: EarlierPin, bytes: Bytes): Promise<Floors> {
  const { version } = trustRoot(bytes, noFloors).root
  const start = await findPinned(earlier, version)
  if (start === undefined) throw refuse(earlier, bytes)
  let trusted = start
  while (trusted.root.version < version - 1) {
    const link = await earlier.readRoot(trusted.root.version + 1)
    if (link === undefined) throw refuse(earlier, bytes)
    trusted = acceptLink(trusted, link, refuse(earlier, bytes))
  }
  const successor = acceptLink(trusted, bytes, refuse(earlier, bytes))
  const followed = findFork(trusted, await earlier.readRoot(version))
  return followed !== undefined && isDriven(followed.root, successor.root)
    ? forget(successor)
    : successor.floors
}

/** The root of this version that was followed from the network, where it is another one. */
function findFork(before: TrustedSet, bytes: Bytes | undefined): TrustedSet | undefined {
  if (bytes === undefined) return undefined
  try {
    return acceptRoot(before, bytes)
  } catch (error) {
    if (error instanceof VerifyError) return undefined
    throw error
  }
}

/** Two roots of one version: whoever has stolen enough keys of root has made one, and named his own keys there. */
function isDriven(followed: Root, pinned: Root): boolean {
  return (['timestamp', 'snapshot'] as const).some((role) => isTrustReduced(followed, pinned, role))
}

/** TUF 5.3.11, for versions that were driven high under a root that is none of ours. */
function forget({ root: { version }, floors: { signedAt } }: TrustedSet): Floors {
  return { versions: new Map([['root', version]]), signedAt, epoch: version }
}

/** The earlier pinned root stands among those that were saved; its version is not written down. */
async function findPinned(earlier: EarlierPin, below: number): Promise<TrustedSet | undefined> {
  for (let version = below - 1; version >= 1; version -= 1) {
    const bytes = await earlier.readRoot(version)
    if (bytes === undefined) return undefined
    if (sha256Hex(bytes) === earlier.rootSha256) return trustRoot(bytes, earlier.floors)
  }
  return undefined
}

function acceptLink(trusted: TrustedSet, bytes: Bytes, refusal: VerifyError): TrustedSet {
  try {
    return acceptRoot(trusted, bytes)
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error
    throw new VerifyError(refusal.code, `${refusal.message} (${error.message})`, {
      ...refusal.facts,
      cause: error,
    })
  }
}

function refuse({ rootSha256 }: EarlierPin, bytes: Bytes): VerifyError {
  return new VerifyError(
    'ROOT_CHANGED',
    'The pinned root is another one than at the last start, and does not descend from it',
    { expected: `sha256 ${rootSha256}`, found: `sha256 ${sha256Hex(bytes)}`, role: 'root' },
  )
}
