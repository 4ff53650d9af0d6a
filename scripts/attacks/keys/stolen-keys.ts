/**
 * K2: keys are stolen, and real pip installs through a real proxy. What a theft allows is a documented
 * limit: wrong is what differs from `mirror audit-keys`, for better or worse.
 */

import type { Attack, Observed, Scene } from '../attack.ts'
import { install } from '../install.ts'
import { require } from '../judge.ts'
import { compare, requireAgreement } from './comparison.ts'
import { inStolenMirror, noKeysAlone, type StolenMirror } from './stolen-mirror.ts'
import {
  findFreeze,
  findScope,
  forgeAll,
  forgeInPlace,
  judge,
  keepAlive,
  projects,
  publishProjects,
  renderFreeze,
  type Loot,
} from './theft.ts'

interface Stolen {
  readonly name: string
  readonly loot: Loot
  /** What is installed. */
  readonly project: string
  /** Without a key of timestamp he cannot have newer versions. */
  readonly isInPlace?: true
  /** How his list ends is not tried where he has spoilt it for himself. */
  readonly isOnlyFiles?: true
  readonly hasPath?: false
  /** In the audit log, where he is refused. */
  readonly code?: RegExp
  readonly more?: Pick<Attack, 'isCore' | 'limit'>
}

function stage(stolen: Stolen): Attack {
  const { name, more, code } = stolen
  const isEvil = more?.limit !== undefined
  return {
    row: 'K2',
    name,
    ...more,
    pips: 'machine',
    alone: noKeysAlone,
    behind: (scene) => inStolenMirror((it) => steal(scene, it, stolen)),
    judge: (observed) => [
      ...requireAgreement(observed),
      ...require(observed.happened.includes('EVIL') === isEvil, observed.happened),
      // Otherwise nothing was tried.
      ...require(code === undefined ||
        observed.codes.some((one) => code.test(one)), `the audit log does not have ${code}`),
    ],
  }
}

async function steal(scene: Scene, it: StolenMirror, stolen: Stolen): Promise<Observed> {
  const { loot, project, isInPlace, isOnlyFiles, hasPath = true } = stolen
  const { mirror } = it
  await publishProjects(it)
  await mirror.startProxy()
  // Only what was asked for is known to it: claims, and one project.
  if (isInPlace !== true) await findScope(it)
  const verdict = await judge(it, loot, { hasPath })
  const offline = loot.offline.map((role) => (role === 'root' ? 'root-1' : role))
  const robbery = await it.robOf(loot.online, offline)
  await (isInPlace === true ? forgeInPlace : forgeAll)(it, robbery, loot)
  if (!hasPath) mirror.show()
  await mirror.passTime()
  const scope = await findScope(it)
  const observed = await mirror.addLog(await install(scene, project, { world: mirror.world }))
  const notes = [compare('wrong files', scope, verdict.malicious)]
  if (hasPath && isOnlyFiles !== true) {
    const own = canOrder(loot) ? robbery : await it.robOf(loot.online, offline)
    mirror.show(own.tree)
    const found = await findFreeze(it, verdict, (now) => keepAlive(own, loot, now))
    notes.push(compare('kept from what is new', found, renderFreeze(verdict.freeze)))
  }
  return { ...observed, notes: [...notes, ...observed.notes] }
}

function canOrder({ online, offline }: Loot): boolean {
  return offline.includes('root') || (online.includes('timestamp') && online.includes('snapshot'))
}

const freshness = ['timestamp', 'snapshot'] as const
const online = [...freshness, 'bins-nn', 'recently-claimed', 'deny'] as const

export const stolenKeys: readonly Attack[] = [
  stage({
    name: 'snapshot, bins-nn, recently-claimed and deny, without timestamp',
    loot: { online: ['snapshot', 'bins-nn', 'recently-claimed', 'deny'], offline: [] },
    project: projects.plain,
    isInPlace: true,
    code: /^(?:TOO_LARGE|LENGTH_MISMATCH|DIGEST_MISMATCH)$/,
  }),
  stage({
    name: 'timestamp',
    loot: { online: ['timestamp'], offline: [] },
    project: projects.plain,
    code: /^SIGNATURE_THRESHOLD$/,
  }),
  stage({
    name: 'timestamp, snapshot, and bins that he signs with a key of his own',
    loot: { online: freshness, offline: [] },
    project: projects.plain,
    isOnlyFiles: true,
    code: /^SIGNATURE_THRESHOLD$/,
  }),
  stage({
    name: 'timestamp, snapshot, bins-nn',
    loot: { online: [...freshness, 'bins-nn'], offline: [] },
    project: projects.plain,
    more: { isCore: true, limit: 'the three keys speak for every project that nobody has claimed' },
  }),
  stage({
    name: 'every online key',
    loot: { online, offline: [] },
    project: projects.recent,
    more: { limit: 'they speak for every project without a promoted claim' },
  }),
  stage({
    name: 'every online key; a project with a promoted claim',
    loot: { online, offline: [] },
    project: projects.owned,
  }),
  stage({
    name: 'every online key, claimed',
    loot: { online, offline: ['claimed'] },
    project: projects.owned,
    more: { limit: 'they speak for every project' },
  }),
  stage({
    name: 'every online key, claimed, targets and bins, without a way to the clients',
    loot: { online, offline: ['claimed', 'targets', 'bins'] },
    project: projects.plain,
    hasPath: false,
  }),
  stage({
    name: 'enough keys of root',
    loot: { online: [], offline: ['root'] },
    project: projects.owned,
    more: { limit: 'it names all other keys: it speaks for every project, for ever' },
  }),
]
