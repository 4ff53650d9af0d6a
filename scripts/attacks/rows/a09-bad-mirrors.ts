/** A9: mirrors that keep updates away, each in its own way, stand before the good one. */

import { formatUtcSeconds } from '../../../src/base/clock.ts'
import { findDeadOrigin } from '../../../test/support/dead-origin.ts'
import {
  drip,
  redirect,
  reset,
  serve,
  status,
  type Behaviour,
} from '../../../test/support/hostile-server.ts'
import type { Attack, Observed, Scene } from '../attack.ts'
import { inMirrorWorld, type HostileMirror } from '../hostile-mirror.ts'
import { buildReleases } from '../index-attack.ts'
import { install } from '../install.ts'
import { mustInstall, mustRefuse, requireCode, type Judge } from '../judge.ts'
import { inWorld, type World } from '../world.ts'

const project = 'foo'
const settings = '[limits]\nmin-rate-over = "1s"'

/** By its name in the log: how it is bad, and the code of that. */
const badMirrors: Readonly<Record<string, { answer: Behaviour; code: string }>> = {
  slow: { answer: drip(Buffer.alloc(15_000, 0x20), 1, 1000), code: 'TOO_SLOW' },
  garbage: { answer: serve(Buffer.from('<html>It works!</html>')), code: 'MALFORMED' },
  'nested-deep': { answer: serve(Buffer.alloc(15_000, '[')), code: 'MALFORMED' },
  empty: { answer: status(404), code: 'METADATA_UNAVAILABLE' },
  broken: { answer: status(500), code: 'BAD_STATUS' },
  unchanged: { answer: status(304), code: 'BAD_STATUS' },
  'hangs-up': { answer: reset(), code: 'UNREACHABLE' },
  circle: { answer: redirect('/circle/metadata/timestamp.json'), code: 'BAD_STATUS' },
}

/** Trees that are whole and signed, and yet not to be used. */
const badTrees: Readonly<Record<string, string>> = {
  expired: 'EXPIRED',
  'other-keys': 'SIGNATURE_THRESHOLD',
}

async function inBadCompany(
  scene: Scene,
  listMirrors: (url: string, dead: string) => readonly string[],
): Promise<Observed> {
  return inWorld((other) =>
    inMirrorWorld(async (mirror) => {
      const trees = await prepareTrees(mirror, other)
      mirror.showMany(trees)
      const lies = Object.entries(badMirrors).map(([name, { answer }]) => ({
        about: new RegExp(`^${name}/(?!metadata/2\\.root)`),
        behaviour: answer,
      }))
      mirror.lie(...lies)
      await mirror.startProxy({ settings, mirror: listMirrors(mirror.url, await findDeadOrigin()) })
      const observed = await install(scene, project, { world: mirror.world })
      // The same mirrors are bad at each further file too.
      const reasons = (await mirror.listReasons()).filter((one) => /timestamp|root/.test(one))
      return mirror.addCodes({ ...observed, notes: [...observed.notes, ...reasons] })
    }),
  )
}

async function prepareTrees(
  mirror: HostileMirror,
  other: World,
): Promise<Readonly<Record<string, string>>> {
  for (const world of [mirror.world, other]) {
    world.publish(project, buildReleases(project))
    await world.sign()
  }
  const good = await mirror.keepTree()
  const signer = await mirror.rob()
  const expires = formatUtcSeconds(Date.now() - 3_600_000)
  await signer.publish({}, undefined, (timestamp) => void (timestamp['expires'] = expires))
  return { good, expired: mirror.world.trial.published, 'other-keys': other.trial.published }
}

/** One index, and it is down: there is no update for pip. */
async function installFromDead(scene: Scene): Promise<Observed> {
  const observed = await install(scene, project, {
    indexUrl: await findDeadOrigin(),
    args: ['install', '--retries', '0', project],
  })
  const harm =
    observed.happened === 'nothing installed' ? 'NO UPDATE: nothing installed' : undefined
  return { ...observed, ...(harm !== undefined && { harm }) }
}

const mustTellAll: Judge = (observed) => [
  ...mustInstall()(observed),
  ...Object.values(badMirrors).flatMap(({ code }) => requireCode(observed, code)),
  ...Object.values(badTrees).flatMap((code) => requireCode(observed, code)),
]

const names = [...Object.keys(badMirrors), ...Object.keys(badTrees)]

export const badCompany: readonly Attack[] = [
  {
    row: 'A9',
    name: `${names.length + 1} bad mirrors stand before the good one`,
    isCore: true,
    waitS: 40,
    pips: 'each',
    alone: installFromDead,
    behind: (scene) =>
      inBadCompany(scene, (url, dead) => [
        dead,
        ...names.map((name) => `${url}${name}/`),
        `${url}good/`,
      ]),
    judge: mustTellAll,
  },
  {
    row: 'A9',
    name: 'one mirror has expired, the other is of other keys, and there is no third',
    pips: 'machine',
    alone: installFromDead,
    behind: (scene) =>
      inBadCompany(scene, (url) => Object.keys(badTrees).map((name) => `${url}${name}/`)),
    judge: (observed) => [
      ...mustRefuse({ code: 'EXPIRED' })(observed),
      ...requireCode(observed, 'SIGNATURE_THRESHOLD'),
    ],
  },
]
