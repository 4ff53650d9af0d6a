/**
 * The roles that a person would sign once a year. The notary has all of its keys, so it signs them
 * again by itself when half of their life is over; nothing in them changes but version and expiry.
 */

import { join } from 'node:path'
import type { Json } from '../base/canonical-json.ts'
import { formatUtcSeconds } from '../base/clock.ts'
import { readObject } from '../base/decode.ts'
import { sha256Hex } from '../base/digest.ts'
import { decodeUtf8 } from '../base/bytes.ts'
import { readPublished } from '../mirror/online-signers.ts'
import { keysFolder, type Mirror } from '../mirror/open-mirror.ts'
import { offlineRoles, type OfflineRole } from '../mirror/role-names.ts'
import { dayMs } from '../mirror/settings.ts'
import { metadataPath } from '../mirror/tree-layout.ts'
import { signEnvelope } from '../signing/envelope.ts'
import { openFileSigner } from '../signing/signer.ts'

const lifetimeMs = 365 * dayMs

/**
 * After a backup was put back: versions that were given out since are skipped, never used again, and all
 * that stands below them is signed again. Whether anything was.
 */
export async function raiseVersions(
  mirror: Mirror,
  floors: ReadonlyMap<string, number>,
  now: number,
): Promise<boolean> {
  const behind = [...floors].filter(([role, floor]) => {
    const known = mirror.roles.find(role)
    return known !== undefined && known.version < floor
  })
  for (const [role, floor] of behind) {
    mirror.roles.raiseAllocated(role, floor)
    const offline = offlineRoles.find((name) => name === role)
    if (offline === undefined) mirror.roles.markDirty(role)
    else await renewRole(mirror, offline, now)
  }
  return behind.length > 0
}

/** Whether any was signed; the next publication lists them. */
export async function renewOfflineRoles(mirror: Mirror, now: number): Promise<boolean> {
  const due = offlineRoles.filter(
    (role) => mirror.roles.require(role).expires - now < lifetimeMs / 2,
  )
  for (const role of due) await renewRole(mirror, role, now)
  return due.length > 0
}

async function renewRole(mirror: Mirror, role: OfflineRole, now: number): Promise<void> {
  const keyName = role === 'root' ? 'root-1' : role
  const signer = await openFileSigner(
    join(mirror.directory, keysFolder, 'offline', `${keyName}.pem`),
  )
  const before = mirror.roles.require(role).version
  const signed = await readSigned(mirror, role)
  const version = mirror.roles.allocate(role)
  const expires = now + lifetimeMs
  const bytes = await signEnvelope({ ...signed, version, expires: formatUtcSeconds(expires) }, [
    signer,
  ])
  await mirror.tree.stage(metadataPath(role, version), bytes, { hasTwin: true })
  await mirror.tree.publish()
  const written = { name: role, version, expires, length: bytes.length, sha256: sha256Hex(bytes) }
  mirror.roles.putWritten([written])
  if (role === 'root') return
  mirror.roles.markDirty(role)
  mirror.ledger.putSuperseded(metadataPath(role, before), now)
}

/** As it was published: what is not known here stays in it. */
async function readSigned(mirror: Mirror, role: OfflineRole): Promise<Record<string, Json>> {
  const envelope = readObject(JSON.parse(decodeUtf8(await readPublished(mirror, role))))
  return readObject(envelope['signed']) as Record<string, Json>
}
