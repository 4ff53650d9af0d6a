/**
 * A11: keys are stolen, used, and replaced: from the moment at which a proxy has seen the new root, what
 * the thief signs with the old ones is worth nothing, and nobody touches the proxy's state.
 */

import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import type { ManagedRole } from '../../../src/ceremony/role-keys.ts'
import type { Attack, Observed, Scene } from '../attack.ts'
import { install } from '../install.ts'
import { mustInstall, require, requireNote, type Judge } from '../judge.ts'
import {
  inStolenMirror,
  noKeysAlone,
  recordPath,
  type Robbery,
  type StolenMirror,
} from '../keys/stolen-mirror.ts'
import { forgeAll, projects, publishProjects, type Loot } from '../keys/theft.ts'

const project = 'foo'

interface Revocation {
  /** Whose key is replaced; he has every online key besides. */
  readonly role: Exclude<ManagedRole, 'root'>
  readonly more?: Pick<Attack, 'isCore'>
}

function stage({ role, more }: Revocation): Attack {
  const stolen = role === 'targets' ? ' and that of targets' : ''
  return {
    row: 'A11',
    name: `${role} is replaced, after every online key${stolen} was stolen and used`,
    ...more,
    pips: 'machine',
    alone: noKeysAlone,
    behind: (scene) =>
      inStolenMirror(async (it) => {
        await it.release(project, '1.0', '1.1')
        await it.mirror.startProxy()
        const notes = [`at first: ${await it.look(project)}`]
        const robbery = await it.rob(role === 'targets' ? ['targets'] : [])
        await forge(it, robbery, role)
        notes.push(`the thief signs: ${await it.lookAgain(project)}`)
        await it.replaceKeys(role)
        await it.release(project, '1.0', '1.1', '1.2')
        it.mirror.show()
        notes.push(`after the new root: ${await it.lookAgain(project)}`)
        await forge(it, robbery, role)
        return finish(scene, it, notes)
      }),
    judge: (observed) => [
      ...mustKeepOut(observed),
      // Otherwise the keys were worth nothing before either.
      ...requireNote(observed, 'the thief signs: EVIL 6.6 offered'),
    ],
  }
}

/** From now on the proxy is shown his tree, with his record where he can have it. */
async function forge(it: StolenMirror, { thief, tree }: Robbery, role: ManagedRole): Promise<void> {
  const path = recordPath(project)
  const target = await thief.putTarget(path, it.renderEvilRecord(project))
  const place = role === 'targets' ? 'targets' : await thief.findBin(path)
  await thief.publish({ [place]: (signed) => (signed.targets[path] = target) })
  it.mirror.show(tree)
}

/** Of root he could have named his own keys, and nobody would come back from that: it is replaced in time. */
const ofRoot: Attack = {
  row: 'A11',
  name: 'root is replaced, before its stolen key was used',
  pips: 'machine',
  alone: noKeysAlone,
  behind: (scene) =>
    inStolenMirror(async (it) => {
      await it.release(project, '1.0', '1.1')
      await it.mirror.startProxy()
      const notes = [`at first: ${await it.look(project)}`]
      await it.replaceKeys('root')
      await it.release(project, '1.0', '1.1', '1.2')
      notes.push(`after the new root: ${await it.lookAgain(project)}`)
      const { thief, tree } = await it.rob(['root-1'])
      await thief.publishRoot(2, (root) => (root['expires'] = '2099-01-01T00:00:00Z'))
      it.mirror.show(tree)
      return finish(scene, it, notes)
    }),
  judge: (observed) => mustKeepOut(observed),
}

const loot: Loot = { online: [], offline: ['root'] }

/** He has named his own keys in the next root: clients that have followed him are his. */
const ofUsedRoot: Attack = {
  row: 'A11',
  name: 'root is replaced too late: only a new root by hand helps',
  limit: 'whoever has used enough keys of root keeps the clients that have followed him',
  pips: 'machine',
  alone: noKeysAlone,
  behind: (scene) =>
    inStolenMirror(async (it) => {
      const { world } = it.mirror
      await publishProjects(it)
      const state = (await it.mirror.startProxy()).state
      const notes = [`at first: ${await it.look(projects.plain)}`]
      await forgeAll(it, await it.robOf([], ['root-1']), loot)
      notes.push(`the thief signs: ${await it.lookAgain(projects.plain)}`)
      await it.replaceKeys('root')
      it.mirror.show()
      notes.push(`after the new root: ${await it.lookAgain(projects.plain)}`)
      const observed = await it.mirror.addLog(await install(scene, projects.plain, { world }))
      await world.stopProxy()
      await cp(join(world.trial.published, 'metadata', '2.root.json'), world.trial.root)
      await it.mirror.startProxy({ state })
      notes.push(`given the new root by hand: ${await it.look(projects.plain)}`)
      return { ...observed, notes: [...notes, ...observed.notes] }
    }),
  judge: (observed) => [
    ...require(observed.happened === 'EVIL foo-plain 6.6 installed', observed.happened),
    ...requireNote(observed, 'after the new root: EVIL 6.6 offered'),
    ...requireNote(observed, 'given the new root by hand: 1.1 offered'),
  ],
}

async function finish(scene: Scene, it: StolenMirror, notes: string[]): Promise<Observed> {
  const { mirror } = it
  notes.push(`the thief signs again: ${await it.lookAgain(project)}`)
  const observed = await install(scene, project, { world: mirror.world })
  mirror.show()
  notes.push(`the mirror itself again: ${await it.lookAgain(project)}`)
  return mirror.addLog({ ...observed, notes: [...notes, ...observed.notes] })
}

const mustKeepOut: Judge = (observed) => [
  ...mustInstall('SIGNATURE_THRESHOLD')(observed),
  ...require(observed.happened === `${project} 1.2 installed`, observed.happened),
  ...requireNote(observed, 'after the new root: 1.2 offered'),
  ...requireNote(observed, 'the thief signs again: 1.2 offered'),
  ...requireNote(observed, 'the mirror itself again: 1.2 offered'),
]

export const revocation: readonly Attack[] = [
  stage({ role: 'timestamp', more: { isCore: true } }),
  stage({ role: 'snapshot' }),
  stage({ role: 'bins-nn' }),
  stage({ role: 'targets' }),
  ofRoot,
  ofUsedRoot,
]
