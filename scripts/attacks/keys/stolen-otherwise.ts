/**
 * K2, the rest: what stolen keys do to somebody who has never been here, where snapshot lists versions
 * alone, and what an owner's keys do. Held against `mirror audit-keys` too.
 */

import { changeShape } from '../../../src/mirror/shape.ts'
import { renderDenials } from '../../../src/simple/denial.ts'
import { renderJsonPage } from '../../../test/e2e/trial.ts'
import type { Signed } from '../../../test/mirror/online-thief.ts'
import { sha256 } from '../../../test/support/build-wheel.ts'
import type { Attack, Observed, Scene } from '../attack.ts'
import { buildEvil, buildGenuine } from '../genuine.ts'
import { install } from '../install.ts'
import { compare, requireAgreement } from './comparison.ts'
import { handIn } from './owners.ts'
import {
  evilVersion,
  inStolenMirror,
  noKeysAlone,
  recordPath,
  type StolenMirror,
} from './stolen-mirror.ts'
import {
  findScope,
  forgeAll,
  forgeInPlace,
  judge,
  keepAlive,
  findFreeze,
  projects,
  publishProjects,
  renderFreeze,
  type Loot,
} from './theft.ts'

interface Story {
  readonly name: string
  readonly limit: string
  readonly happens: RegExp
  readonly tell: (scene: Scene, it: StolenMirror) => Promise<Observed>
}

function stage({ name, limit, happens, tell }: Story): Attack {
  return {
    row: 'K2',
    name,
    limit,
    pips: 'machine',
    alone: noKeysAlone,
    behind: (scene) => inStolenMirror((it) => tell(scene, it)),
    judge: (observed) => [
      ...requireAgreement(observed),
      ...(happens.test(observed.happened) ? [] : [observed.happened]),
    ],
  }
}

async function installWith(
  scene: Scene,
  { mirror }: StolenMirror,
  asked: readonly string[],
  notes: readonly string[],
): Promise<Observed> {
  const args = ['install', ...asked]
  const observed = await install(scene, asked[0] ?? '', { world: mirror.world, args })
  const logged = await mirror.addLog(observed)
  return { ...logged, notes: [...notes, ...logged.notes] }
}

const everyOnlineKey: Loot = {
  online: ['timestamp', 'snapshot', 'bins-nn', 'recently-claimed', 'deny'],
  offline: [],
}

/** In force before anybody was named there. */
function showFirstClaims({ meta }: Signed): void {
  meta['claimed.json'] = { version: 1 }
}

/** The list of before the promotion has not expired: it was signed by people, and he has kept it. */
async function replayClaims(scene: Scene, it: StolenMirror): Promise<Observed> {
  await publishProjects(it)
  const { maliciousForNew } = await judge(it, everyOnlineKey)
  const robbery = await it.robOf(everyOnlineKey.online, [])
  await forgeAll(it, robbery, { ...everyOnlineKey, bend: showFirstClaims })
  await it.mirror.startProxy()
  const note = compare('wrong files, to who is new', await findScope(it), maliciousForNew)
  return installWith(scene, it, [projects.owned], [note])
}

const freshness: Loot = { online: ['timestamp', 'snapshot'], offline: [] }

/** One bin as it was, another one as it is. */
async function mix(scene: Scene, it: StolenMirror): Promise<Observed> {
  const other = await publishTwo(it)
  const robbery = await it.robOf(freshness.online, [])
  const { thief, tree } = robbery
  const bin = await thief.findBin(recordPath(projects.plain))
  const { version } = await thief.read(bin)
  await thief.publish({}, ({ meta }) => (meta[`${bin}.json`] = { version: version - 1 }))
  it.mirror.show(tree)
  await it.mirror.startProxy()
  const seen = [await it.look(projects.plain), await it.look(other)]
  const isMixed = seen.join() === 'OLD 1.0 offered,1.1 offered'
  const verdict = await judge(it, freshness)
  const said = verdict.inconsistency
  const installed = await installWith(scene, it, [projects.plain, other], [])
  const freeze = await findFreeze(it, verdict, (now) => keepAlive(robbery, freshness, now))
  const notes = [
    compare('old and new mixed, to who is new', isMixed ? 'yes' : 'no', said),
    compare('kept from what is new', freeze, renderFreeze(verdict.freeze)),
  ]
  return { ...installed, notes: [...notes, ...installed.notes] }
}

/** 1.0, then 1.1 of both, which are not in one bin. */
async function publishTwo(it: StolenMirror): Promise<string> {
  await it.release(projects.plain, '1.0')
  const { thief } = await it.robOf([], [])
  const bin = await thief.findBin(recordPath(projects.plain))
  let other = ''
  for (let at = 0; other === ''; at += 1) {
    const name = `foo-other-${at}`
    if ((await thief.findBin(recordPath(name))) !== bin) other = name
  }
  await it.release(other, '1.0')
  await it.release(projects.plain, '1.0', '1.1')
  await it.release(other, '1.0', '1.1')
  return other
}

const denial: Loot = { online: ['timestamp', 'snapshot', 'deny'], offline: [] }

/** What is newest is withdrawn by somebody who may not put anything in its place. */
async function withdraw(scene: Scene, it: StolenMirror): Promise<Observed> {
  await publishProjects(it)
  await it.mirror.startProxy()
  await findScope(it)
  const { malicious } = await judge(it, denial)
  const { thief, tree } = await it.robOf(denial.online, [])
  const { filename } = buildGenuine(projects.plain, '1.1')
  const path = `deny/${projects.plain}.json`
  const denials = [{ reason: 'because I can', since: Date.now(), files: [filename] }]
  const target = await thief.putTarget(path, renderDenials(projects.plain, denials))
  await thief.publish({ deny: (signed) => (signed.targets[path] = target) })
  it.mirror.show(tree)
  await it.mirror.passTime()
  const note = compare('wrong files', await findScope(it), malicious)
  return installWith(scene, it, [projects.plain], [note])
}

const bins: Loot = { online: ['bins-nn'], offline: [] }

async function replaceBin(scene: Scene, it: StolenMirror): Promise<Observed> {
  await publishProjects(it)
  await changeShape(it.ceremony.mirror.context, { snapshotHashes: 'off' })
  const { malicious } = await judge(it, bins)
  await it.mirror.startProxy()
  await forgeInPlace(it, await it.robOf(bins.online, []), bins)
  const note = compare('wrong files', await findScope(it), malicious)
  return installWith(scene, it, [projects.plain], [note])
}

/** He needs no way to the clients: the mirror itself publishes what he signs. */
async function handInEvil(scene: Scene, it: StolenMirror): Promise<Observed> {
  const owner = await publishProjects(it)
  await it.mirror.startProxy()
  const { malicious } = await judge(
    it,
    { online: [], offline: [] },
    { hasPath: false, hasOwner: true },
  )
  const { trial } = it.mirror.world
  it.renderEvilRecord(projects.owned)
  const { filename, bytes } = buildEvil(projects.owned, evilVersion)
  trial.servePage(projects.owned, renderJsonPage(projects.owned, [{ filename, bytes }]))
  const file = {
    filename,
    url: trial.index.url(`/files/${filename}`),
    hashes: new Map([['sha256', sha256(bytes)]]),
    extra: new Map(),
  }
  const local = [{ filename, size: bytes.length, sha256: sha256(bytes) }]
  await handIn(it, projects.owned, owner, { local, page: { files: [file] } })
  await it.mirror.passTime()
  const note = compare('wrong files', await findScope(it), malicious)
  return installWith(scene, it, [projects.owned], [note])
}

export const stolenOtherwise: readonly Attack[] = [
  stage({
    name: 'who is new: every online key, and the claims of before a promotion',
    limit: 'who is new can be shown an older list of claims until it expires',
    happens: /^EVIL foo-owned 6\.6 installed$/,
    tell: replayClaims,
  }),
  stage({
    name: 'who is new: timestamp, snapshot, one project as it was and another as it is',
    limit: 'who is new can be shown a mix of what was signed at different times',
    happens: /^(?=.*foo-plain 1\.0)(?=.*foo-other-\d+ 1\.1).* installed$/,
    tell: mix,
  }),
  stage({
    name: 'timestamp, snapshot, deny: a release is withdrawn',
    limit: 'deny withdraws files, and adds none',
    happens: /^foo-plain 1\.0 installed$/,
    tell: withdraw,
  }),
  stage({
    name: 'bins-nn alone, where snapshot says versions alone',
    limit: 'snapshot lists versions only: a bin can be replaced by another one of the same version',
    happens: /^EVIL foo-plain 6\.6 installed$/,
    tell: replaceBin,
  }),
  stage({
    name: "an owner's key, whose thief hands in a release at the mirror",
    limit: 'an owner speaks for his project',
    happens: /^EVIL foo-owned 6\.6 installed$/,
    tell: handInEvil,
  }),
]
