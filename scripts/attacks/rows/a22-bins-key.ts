/** A22: the key of the bins is stolen, and with it another bin is signed under the same version. */

import { changeShape } from '../../../src/mirror/shape.ts'
import { serve } from '../../../test/support/hostile-server.ts'
import type { Attack } from '../attack.ts'
import { forgeRecord } from '../forged-record.ts'
import { installEvil } from '../evil-index.ts'
import { inMirrorWorld, type HostileMirror } from '../hostile-mirror.ts'
import { buildReleases } from '../index-attack.ts'
import { install } from '../install.ts'
import { mustRefuse, require } from '../judge.ts'

const project = 'foo'

/** The thief has the one key and the delivery: the web server of the mirror, and the file host. */
async function swapBin(mirror: HostileMirror): Promise<void> {
  const [, newest] = buildReleases(project)
  if (newest === undefined) throw new Error('there is no release')
  const thief = await mirror.rob()
  const { bin, file, path, target } = await forgeRecord(mirror, thief, [project, newest])
  const forged = await thief.forge(bin, ({ targets }) => void (targets[path] = target), [
    thief.signer('bins-nn'),
  ])
  mirror.lie({ about: file, behaviour: serve(forged) })
}

async function sign(mirror: HostileMirror, snapshotHashes: 'on' | 'off'): Promise<void> {
  const { world } = mirror
  world.publish(project, buildReleases(project))
  await world.sign()
  const context = { directory: world.trial.mirror, clock: Date.now, report: () => undefined }
  await changeShape(context, { snapshotHashes })
}

export const stolenBinsKey: readonly Attack[] = [
  {
    row: 'A22',
    name: 'another bin of the same version, where the snapshot has hashes',
    isCore: true,
    pips: 'each',
    alone: (scene) => installEvil(scene, 'foo-a22-on'),
    behind: (scene) =>
      inMirrorWorld(async (mirror) => {
        await sign(mirror, 'on')
        await swapBin(mirror)
        await mirror.startProxy()
        return mirror.addLog(await install(scene, project, { world: mirror.world }))
      }),
    judge: mustRefuse({ code: 'DIGEST_MISMATCH' }),
  },
  {
    row: 'A22',
    name: 'the same, where the snapshot has versions only, for a client that has that bin',
    pips: 'machine',
    alone: (scene) => installEvil(scene, 'foo-a22-known'),
    behind: (scene) =>
      inMirrorWorld(async (mirror) => {
        await sign(mirror, 'off')
        await mirror.startProxy()
        await mirror.requirePage(project)
        await swapBin(mirror)
        await mirror.passTime()
        return mirror.addLog(await install(scene, project, { world: mirror.world }))
      }),
    // The file host plays along with the thief: there is no genuine file to be had.
    judge: mustRefuse({ code: 'DIGEST_MISMATCH', line: /is not the signed one/ }),
  },
  {
    row: 'A22',
    name: 'the same, where the snapshot has versions only, for a client that has not',
    pips: 'machine',
    alone: (scene) => installEvil(scene, 'foo-a22-off'),
    behind: (scene) =>
      inMirrorWorld(async (mirror) => {
        await sign(mirror, 'off')
        await swapBin(mirror)
        await mirror.startProxy()
        return mirror.addLog(await install(scene, project, { world: mirror.world }))
      }),
    limit:
      'above 512 bins, or with snapshot hashes off, the bins key and the delivery together replace a bin for clients that have not fetched it',
    judge: ({ harm }) => require(harm === 'EVIL foo 1.1 installed', harm ?? 'no harm'),
  },
]
