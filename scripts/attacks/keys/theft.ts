/**
 * One theft, staged on a real proxy that has been here before: the thief puts wrong files wherever his
 * keys let him, then keeps his list alive for as long as he can. What the proxy took from him is held
 * against what `mirror audit-keys` says of these keys at this mirror.
 */

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { formatUtcSeconds } from '../../../src/base/clock.ts'
import { readMirrorShape } from '../../../src/mirror/audit-keys.ts'
import type { OnlineRole } from '../../../src/mirror/role-names.ts'
import { judgeTheft, type MatrixRole, type Verdict } from '../../../src/mirror/theft-matrix.ts'
import type { Signer } from '../../../src/signing/signer.ts'
import { createKey, dayMs } from '../../../test/owner/maintainer.ts'
import type { Signed } from '../../../test/mirror/online-thief.ts'
import { claim, promote } from './owners.ts'
import { recordPath, type Robbery, type StolenMirror } from './stolen-mirror.ts'

/** Nobody's, an owner's whom the mirror alone has taken in, an owner's whom people have confirmed. */
export const projects = { plain: 'foo-plain', recent: 'foo-recent', owned: 'foo-owned' } as const
const all = Object.values(projects)

export interface Loot {
  readonly online: readonly OnlineRole[]
  readonly offline: readonly ('root' | 'targets' | 'claimed' | 'bins')[]
}

/** All three, seen and signed; the key is that of the owner whom people have confirmed. */
export async function publishProjects(it: StolenMirror): Promise<Signer> {
  for (const project of all) await it.release(project, '1.0', '1.1')
  const owner = await createKey()
  await claim(it, projects.owned, owner)
  await promote(it)
  await claim(it, projects.recent, await createKey())
  return owner
}

export async function judge(
  it: StolenMirror,
  loot: Loot,
  { hasPath = true, hasOwner = false } = {},
): Promise<Verdict> {
  const shape = await readMirrorShape(it.mirror.world.trial.mirror)
  const roles: readonly MatrixRole[] = [...loot.online, ...loot.offline]
  const keyids = new Set(roles.flatMap((role) => shape.roles.get(role)?.keyids ?? []))
  return judgeTheft(shape, { keyids, hasOwner, hasPath })
}

/** In the words of the matrix: whose files clients would take. */
export async function findScope(it: StolenMirror): Promise<string> {
  const looks = await Promise.all(all.map(async (name) => [name, await it.look(name)] as const))
  const fallen = looks.filter(([, seen]) => seen.startsWith('EVIL')).map(([name]) => name)
  const scopes: ReadonlyMap<string, string> = new Map([
    ['', 'nothing'],
    [projects.owned, 'one'],
    [projects.plain, 'unclaimed'],
    [`${projects.plain} ${projects.recent}`, 'not-claimed'],
    [all.join(' '), 'everything'],
  ])
  return scopes.get(fallen.join(' ')) ?? `only ${fallen.join(' and ')}`
}

/** His record of every project, in each role that he has, and in the bins in any case. */
async function listChanges(
  it: StolenMirror,
  { thief }: Robbery,
  { online, offline }: Loot,
): Promise<Map<string, (signed: Signed) => void>> {
  const held = ['targets', 'claimed', 'recently-claimed'].filter((role) =>
    [...online, ...offline].some((stolen) => stolen === role),
  )
  const changes = new Map<string, (signed: Signed) => void>()
  for (const project of all) {
    const path = recordPath(project)
    const target = await thief.putTarget(path, it.renderEvilRecord(project))
    for (const place of [...held, await thief.findBin(path)]) {
      const before = changes.get(place)
      changes.set(place, (signed) => {
        before?.(signed)
        signed.targets[path] = target
      })
    }
  }
  return changes
}

/** Under newer versions, with a snapshot and a timestamp of his own; `bend`: what snapshot says besides. */
export async function forgeAll(
  it: StolenMirror,
  robbery: Robbery,
  { bend, ...loot }: Loot & { readonly bend?: (snapshot: Signed) => void },
): Promise<void> {
  const { thief, tree } = robbery
  const isRoot = loot.offline.includes('root')
  if (isRoot) await thief.publishRoot(1, (root) => nameHimself(root, robbery))
  const named: Loot = isRoot ? { online: [], offline: ['targets'] } : loot
  const changes = await listChanges(it, robbery, named)
  const targets = changes.get('targets')
  if (isRoot)
    changes.set('targets', (signed) => {
      targets?.(signed)
      // Nobody else has a say any more.
      signed.delegations = { keys: {}, roles: [] }
      extend(signed)
    })
  await thief.publish(Object.fromEntries(changes), bend)
  it.mirror.show(tree)
}

/** Under the versions that are published: whoever lists them need not sign again. */
export async function forgeInPlace(it: StolenMirror, robbery: Robbery, loot: Loot): Promise<void> {
  const { thief, tree } = robbery
  const changes = await listChanges(it, robbery, loot)
  for (const role of ['snapshot', 'deny'] as const)
    if (loot.online.includes(role)) changes.set(role, extend)
  for (const [role, change] of changes) {
    const { version } = await thief.read(role)
    const path = join(tree, 'metadata', `${version}.${role}.json`)
    await writeFile(path, await thief.forge(role, change))
  }
  it.mirror.show(tree)
}

function nameHimself(root: Signed, { thief }: Robbery): void {
  const roles = root['roles'] as Record<string, { keyids: string[] }>
  const keys = root['keys'] as Record<string, unknown>
  for (const [role, signer] of [
    ['root', thief.signer('deny')],
    ['timestamp', thief.signer('timestamp')],
    ['snapshot', thief.signer('snapshot')],
    ['targets', thief.signer('bins-nn')],
  ] as const) {
    keys[signer.keyid] = signer.key
    roles[role] = { ...roles[role], keyids: [signer.keyid] }
  }
  extend(root)
}

function extend(signed: Signed): void {
  signed['expires'] = '2999-01-01T00:00:00Z'
}

/** What he can sign is signed again, at that time; nothing in it is new. */
export async function keepAlive(robbery: Robbery, loot: Loot, now: number): Promise<void> {
  const { thief, tree } = robbery
  const stamp = (signed: Signed): void => {
    extend(signed)
    const time = formatUtcSeconds(now)
    signed['x-tufgate'] = { ...Object(signed['x-tufgate']), signed: time, 'index-seen': time }
  }
  const isOrdered = loot.offline.includes('root') || loot.online.includes('snapshot')
  if (isOrdered && (loot.offline.includes('root') || loot.online.includes('timestamp'))) {
    const roles = await listOwn(thief, loot)
    await thief.publish(Object.fromEntries(roles.map((role) => [role, extend])), extend, stamp)
  } else if (loot.online.includes('timestamp')) {
    const bytes = await thief.forge('timestamp', (signed) => {
      signed.version += 1
      stamp(signed)
    })
    await writeFile(join(tree, 'metadata', 'timestamp.json'), bytes)
  }
}

async function listOwn(thief: Robbery['thief'], { online }: Loot): Promise<string[]> {
  const { meta } = await thief.read('snapshot')
  const bins = Object.keys(meta).filter((name) => name.startsWith('bins-'))
  return [
    ...online.filter((role) => role === 'deny' || role === 'recently-claimed'),
    ...(online.includes('bins-nn') ? bins.map((name) => name.replace('.json', '')) : []),
  ]
}

/** Whether his list is in force up to the moment that the document says, and not a moment longer. */
export async function findFreeze(
  it: StolenMirror,
  { freeze }: Verdict,
  renew: (now: number) => Promise<void>,
): Promise<string> {
  const { clock } = it.mirror
  const isServedAt = async (time: number): Promise<boolean> => {
    await renew(time)
    await clock.set(time - Date.now())
    return !(await it.look(projects.plain)).startsWith('refused')
  }
  const end = freeze.until ?? Date.now() + 3650 * dayMs
  if (!(await isServedAt(end - 60_000))) return `not ${renderFreeze(freeze)}`
  return (await isServedAt(end + 1000)) && freeze.until !== undefined
    ? `longer than ${renderFreeze(freeze)}`
    : renderFreeze(freeze)
}

export function renderFreeze({ until, endedBy }: Verdict['freeze']): string {
  return until === undefined ? 'for ever' : `until ${endedBy} expires`
}
