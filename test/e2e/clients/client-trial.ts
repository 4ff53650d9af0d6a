/**
 * What every client is tried with: a mirror of an index with old and new releases, a proxy with a
 * policy, and one file that was tampered with after it was signed.
 */

import { buildWheel, type Wheel } from '../../support/build-wheel.ts'
import { serve } from '../../support/hostile-server.ts'
import { Trial, type TrialProxy } from '../trial.ts'

export interface ClientTrial {
  readonly proxy: TrialProxy
  /** `http://127.0.0.1:PORT/simple/` */
  readonly indexUrl: string
  /** The same of the index behind it: for clients that use the proxy as their HTTP proxy. */
  readonly originUrl: string
  readonly folder: string
  /** By file name: of what is signed. */
  readonly digests: ReadonlyMap<string, string>
  close(): Promise<void>
}

/** Stands in the file that was tampered with, and nowhere else. */
export const evil = 'answer = "EVIL"'
const good = 'answer = "good"'

const libs = ['1.0', '1.1'].map((version) => buildWheel({ name: 'client-lib', version }))
const tooYoung = buildWheel({ name: 'client-lib', version: '1.2' })
const app = buildWheel({ name: 'client-app', version: '1.0', requires: ['client-lib>=1.0'] })
const victim = buildWheel({ name: 'client-victim', version: '1.0', code: good })
const twin = buildWheel({ name: 'client-twin', version: '1.0' })
const denied = buildWheel({ name: 'client-denied', version: '1.0' })
const unseen = buildWheel({ name: 'client-new', version: '1.0' })

const fiveDaysMs = 5 * 24 * 3_600_000

function earlier(): number {
  return Date.now() - fiveDaysMs
}

export async function startClientTrial(): Promise<ClientTrial> {
  const trial = await Trial.create(earlier)
  trial.publish('client-lib', libs)
  trial.publish('client-app', [app])
  trial.publish('client-victim', [victim])
  trial.publish('client-twin', [twin])
  trial.publish('client-denied', [denied])
  await trial.sync({ clock: earlier, acceptClock: true })
  // Seen for the first time now, and so too young.
  trial.publish('client-lib', [...libs, tooYoung])
  trial.publish('client-new', [unseen])
  await trial.sync()
  trial.index.on(`/files/${victim.filename}`, serve(tamper(victim)))
  const settings = '[policy]\nmin-age = "3d"\ndeny = ["client-denied"]'
  const proxy = await trial.startProxy({ settings })
  return {
    proxy,
    indexUrl: `${proxy.origin}/simple/`,
    originUrl: trial.indexUrl,
    folder: trial.folder,
    digests: new Map(
      [...libs, app, twin, victim].map(({ filename, sha256 }) => [filename, sha256]),
    ),
    close: () => trial.close(),
  }
}

/** Of the same length: only the digest tells. */
function tamper({ bytes }: Wheel): Buffer {
  return Buffer.from(bytes.toString('latin1').replace(good, evil), 'latin1')
}
