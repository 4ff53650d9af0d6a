/** What `run --intercept` adds: an authority that lives in memory, and the file of roots that installers are told of. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Environment } from '../../base/environment.ts'
import type { Authority } from '../../ca/authority.ts'
import type { ForwardAccess } from '../../installers/child-environment.ts'
import { openAuthority } from '../ca/open-authority.ts'
import type { Settings } from '../settings.ts'
import { buildBundle } from '../ca/trust-files.ts'

export interface Interception {
  readonly authority: Authority
  readonly certificatePem: string
}

/** Its key never touches the disk, and ends with this process. */
export async function startInterception(settings: Settings): Promise<Interception> {
  const authority = openAuthority({ settings, clock: Date.now })
  return { authority, certificatePem: await authority.certificate() }
}

export interface ForwardPlace {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string
  readonly token: string
  readonly folder: string
  readonly indexHosts: readonly string[]
  /** Of whoever is told of the file. Default: this process's. */
  readonly environment?: Environment
}

/** @param warn told of each file of roots that cannot be taken over */
export function writeBundle(
  { certificatePem }: Pick<Interception, 'certificatePem'>,
  { origin, token, folder, indexHosts, environment = process.env }: ForwardPlace,
  warn: (message: string) => void,
): ForwardAccess {
  const bundlePath = join(folder, 'roots.pem')
  const { pem } = buildBundle(certificatePem, environment, warn)
  writeFileSync(bundlePath, pem, { mode: 0o600 })
  return { proxyUrl: origin.replace('://', `://tufgate:${token}@`), bundlePath, indexHosts }
}
