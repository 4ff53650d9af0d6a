/**
 * A3: nobody is shown anything new any more. The list serves until the first of its roles expires,
 * and each role is the first one once.
 */

import { formatUtcSeconds } from '../../../src/base/clock.ts'
import { pathOf } from '../../../test/support/proxy-witness.ts'
import type { OnlineThief, Signed } from '../../../test/mirror/online-thief.ts'
import type { Attack, Observed } from '../attack.ts'
import { inMirrorWorld, type HostileMirror } from '../hostile-mirror.ts'
import { buildReleases } from '../index-attack.ts'
import { install } from '../install.ts'
import { mustRefuse, require, requireCode, requireNote, type Judge } from '../judge.ts'
import { installStale } from '../stale-index.ts'

const project = 'foo'
const hourMs = 3_600_000
const lifeMs = hourMs
const releases = buildReleases(project)

/** 1.0 is signed and known to the proxy; then 1.1 is out, and the mirror's web server shows what it showed. */
async function freeze(mirror: HostileMirror): Promise<void> {
  await mirror.startProxy()
  await mirror.requirePage(project)
  mirror.show(await mirror.keepTree())
  mirror.world.publish(project, releases)
}

async function publishOld({ world }: HostileMirror): Promise<void> {
  world.publish(project, releases.slice(0, 1))
  await world.sign()
}

const mustSayExpired: Judge = (observed) => [
  ...mustRefuse({ code: 'EXPIRED' })(observed),
  ...requireNote(observed, /timestamp version \d+ expired \d+ h ago/),
]

/** The one who signs, with all his keys: he gives one role a short life, and the others a long one. */
const shorten: Readonly<Record<string, (thief: OnlineThief, limit: Limit) => Promise<void>>> = {
  root: (signer, limit) => signer.publishRoot(1, limit),
  timestamp: (signer, limit) => signer.publish({}, undefined, limit),
  snapshot: (signer, limit) => signer.publish({}, limit),
  targets: (signer, limit) => signer.publish({ targets: limit }),
  deny: (signer, limit) => signer.publish({ deny: limit }),
  claimed: (signer, limit) => signer.publish({ claimed: limit }),
  'recently-claimed': (signer, limit) => signer.publish({ 'recently-claimed': limit }),
  bins: (signer, limit) => signer.publish({ bins: limit }),
  'bins-NN': async (signer, limit) => {
    const { meta } = await signer.read('snapshot')
    const bins = Object.keys(meta).filter((name) => name.startsWith('bins-'))
    await signer.publish(Object.fromEntries(bins.map((name) => [name.replace('.json', ''), limit])))
  },
}

type Limit = (signed: Signed) => void

/** Page and file, before the role expires and after it; then the frozen mirror is honest again. */
async function expire(mirror: HostileMirror, role: string): Promise<Observed> {
  await publishOld(mirror)
  const signer = await mirror.rob(['root-1', 'targets', 'claimed', 'bins'])
  const expires = formatUtcSeconds(Date.now() + lifeMs)
  await shorten[role]?.(signer, (signed) => void (signed['expires'] = expires))
  await freeze(mirror)
  const before = await askBoth(mirror)
  await mirror.passTime(2 * lifeMs)
  const after = await askBoth(mirror)
  const observed: Observed = {
    ...(after.includes('200') && { harm: `served after ${role} expired` }),
    happened: `before: ${before}; after: ${after}`,
    exitCode: null,
    line: '',
    codes: [],
    notes: [],
  }
  return mirror.addLog(observed)
}

async function askBoth(mirror: HostileMirror): Promise<string> {
  const filename = releases[0]?.filename ?? ''
  const page = await mirror.ask(`/simple/${project}/`)
  const file = await mirror.ask(pathOf(mirror.world.trial, project, filename))
  return `page ${page.status}, file ${file.status}`
}

const expiredAfterwards = 'before: page 200, file 200; after: page 451, file 403'

function stageExpiry(role: string): Attack {
  return {
    row: 'A3',
    name: `frozen until ${role} has expired, and nothing else`,
    pips: 'machine',
    alone: 'pip knows no roles and no expiry: it is the row above, whatever expires',
    behind: () => inMirrorWorld((mirror) => expire(mirror, role)),
    judge: (observed) => [
      ...require(observed.happened === expiredAfterwards, observed.happened),
      ...requireCode(observed, 'EXPIRED'),
      ...requireNote(
        observed,
        new RegExp(`^${role.replace('NN', '[0-9a-f]+')} version \\d+ expired`),
      ),
    ],
  }
}

export const freezes: readonly Attack[] = [
  {
    row: 'A3',
    name: 'frozen, until the timestamp expires',
    pips: 'machine',
    alone: (scene) => installStale(scene, 'foo-a3-before'),
    behind: (scene) =>
      inMirrorWorld(async (mirror) => {
        await publishOld(mirror)
        await freeze(mirror)
        await mirror.passTime(20 * hourMs)
        return mirror.addLog(await install(scene, project, { world: mirror.world }))
      }),
    limit:
      'nothing tells a list that is withheld from one that is not made yet; it serves for a day at most',
    judge: ({ harm }) => require(harm === 'OLD foo 1.0 installed', harm ?? 'no harm'),
  },
  {
    row: 'A3',
    name: 'frozen for longer than the timestamp lives',
    isCore: true,
    pips: 'each',
    alone: (scene) => installStale(scene, 'foo-a3-after'),
    behind: (scene) =>
      inMirrorWorld(async (mirror) => {
        await publishOld(mirror)
        await freeze(mirror)
        await mirror.passTime(27 * hourMs)
        return mirror.addLog(await install(scene, project, { world: mirror.world }))
      }),
    judge: mustSayExpired,
  },
  ...Object.keys(shorten).map(stageExpiry),
]
