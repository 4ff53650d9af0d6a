/** What a thief shows to a client of the mirror, with keys that he found in the mirror's folder. */

import { join } from 'node:path'
import { openFileSigner, type Signer } from '../../src/signing/signer.ts'
import { Thief } from '../ceremony/thief.ts'

export interface Theft {
  /** Of the mirror. */
  readonly mirror: string
  /** Where his own copy of what it publishes goes. */
  readonly copy: string
}

function openKey({ mirror }: Theft, role: string): Promise<Signer> {
  return openFileSigner(join(mirror, 'keys', `${role}.pem`))
}

/** An honest list under a timestamp whose version nothing honest reaches again. */
export async function stealTimestampKey(theft: Theft): Promise<void> {
  const thief = await Thief.copy(join(theft.mirror, 'public'), theft.copy)
  await thief.putTimestamp(await openKey(theft, 'timestamp'))
}

/** Every online key: another record for the project, with all versions far up. */
export async function breakIn(theft: Theft, project: string, record: string): Promise<void> {
  const thief = await Thief.copy(join(theft.mirror, 'public'), theft.copy)
  const bins = await thief.putBins(await openKey(theft, 'bins-nn'), project, record)
  const snapshot = await thief.putSnapshot(await openKey(theft, 'snapshot'), bins)
  await thief.putTimestamp(await openKey(theft, 'timestamp'), snapshot)
}
