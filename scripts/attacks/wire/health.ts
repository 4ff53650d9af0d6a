/** What a process has open, and whether the proxy is as well after an attack as it was before. */

import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleepFor } from 'node:timers/promises'
import { verifyAudit } from '../../../src/audit/verifier.ts'
import type { HostileServer } from '../../../test/support/hostile-server.ts'
import { hashVault } from '../../../test/support/proxy-witness.ts'
import type { TrialProxy } from '../../../test/e2e/trial.ts'

const patienceMs = 10_000
const lookEveryMs = 20

/** Without its connections to the file host; `undefined` where the system does not tell. */
export async function countOpenFiles(
  { process: { pid = 0 } }: TrialProxy,
  host: HostileServer,
): Promise<number | undefined> {
  const folder = `/proc/${pid}/fd`
  return existsSync(folder) ? (await readdir(folder)).length - host.connections : undefined
}

export interface Before {
  readonly proxy: TrialProxy
  readonly host: HostileServer
  readonly openFiles: number | undefined
}

/** What is wrong with it. */
export async function findDamage({ proxy, host, openFiles }: Before): Promise<readonly string[]> {
  const damage: string[] = []
  const health = await fetch(`${proxy.origin}/-/health`).catch(() => undefined)
  if (health?.status !== 200) damage.push('it is not healthy')
  if (proxy.process.exitCode !== null) damage.push(`it has ended: ${proxy.process.exitCode}`)
  const left = await waitUntil(async () => {
    const now = await countOpenFiles(proxy, host)
    // The connection of the look at its health may be open still.
    if (now !== undefined && openFiles !== undefined && now > openFiles + 1)
      return `${now} open files, not ${openFiles}`
    const half = await readdir(join(proxy.folder, 'vault', 'tmp'))
    return half.length === 0 ? undefined : `half fetched files: ${half.join(', ')}`
  })
  if (left !== undefined) damage.push(left)
  await hashVault(proxy.folder).catch((error: unknown) => void damage.push(String(error)))
  const { findings } = await verifyAudit(join(proxy.folder, 'audit'), { isAlive: () => true })
  return [...damage, ...findings.map(({ what, line }) => `audit log, line ${line}: ${what}`)]
}

/** What `find` still finds after a while: fetches go on when the client has left. */
async function waitUntil(find: () => Promise<string | undefined>): Promise<string | undefined> {
  for (let waitedMs = 0; ; waitedMs += lookEveryMs) {
    const found = await find()
    if (found === undefined || waitedMs >= patienceMs) return found
    await sleepFor(lookEveryMs)
  }
}
