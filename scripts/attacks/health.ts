/** Whether a proxy is as well after an attack as it was before: its health, its vault, its log, what it has open. */

import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { verifyAudit } from '../../src/audit/verifier.ts'
import { currentOwner } from '../../src/store/process-owner.ts'
import type { TrialProxy } from '../../test/e2e/trial.ts'
import type { HostileServer } from '../../test/support/hostile-server.ts'
import { hashVault } from '../../test/support/proxy-witness.ts'
import { waitUntil } from './wait-until.ts'

const patienceMs = 10_000

/** Without its connections to the file host; `undefined` where the system does not tell. */
export async function countOpenFiles(
  { process: { pid = 0 } }: TrialProxy,
  host: HostileServer,
): Promise<number | undefined> {
  const folder = `/proc/${pid}/fd`
  return existsSync(folder) ? (await readdir(folder)).length - host.connections : undefined
}

export interface Open {
  readonly host: HostileServer
  readonly openFiles: number | undefined
}

/** What is wrong with it. `before`: what it had open then. */
export async function findDamage(proxy: TrialProxy, before?: Open): Promise<string[]> {
  const damage: string[] = []
  const health = await fetch(`${proxy.origin}/-/health`).catch(() => undefined)
  if (health?.status !== 200) damage.push('it is not healthy')
  if (proxy.process.exitCode !== null) damage.push(`it has ended: ${proxy.process.exitCode}`)
  const left = await findLeft(proxy, before)
  if (left !== undefined) damage.push(left)
  await hashVault(proxy.folder).catch((error: unknown) => void damage.push(String(error)))
  const { isAlive } = currentOwner()
  const { findings } = await verifyAudit(join(proxy.folder, 'audit'), { isAlive })
  return [...damage, ...findings.map(({ what, line }) => `audit log, line ${line}: ${what}`)]
}

/** After a while, as fetches go on when the client has left. */
async function findLeft(proxy: TrialProxy, before?: Open): Promise<string | undefined> {
  let left: string | undefined
  await waitUntil(async () => {
    left = (await findOpen(proxy, before)) ?? (await findHalfFetched(proxy))
    return left === undefined
  }, patienceMs)
  return left
}

async function findOpen(proxy: TrialProxy, before?: Open): Promise<string | undefined> {
  if (before?.openFiles === undefined) return undefined
  const now = await countOpenFiles(proxy, before.host)
  // The connection of the look at its health may be open still.
  const isMore = now !== undefined && now > before.openFiles + 1
  return isMore ? `${now} open files, not ${before.openFiles}` : undefined
}

export async function findHalfFetched({ folder }: TrialProxy): Promise<string | undefined> {
  const half = await readdir(join(folder, 'vault', 'tmp')).catch(() => [])
  return half.length === 0 ? undefined : `half fetched files: ${half.join(', ')}`
}
