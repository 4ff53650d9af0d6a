/** Attacks by an index or a file host that was honest when the mirror looked: staged in the shared world. */

import type { TrialFile } from '../../test/e2e/trial.ts'
import type { Attack, Observed, Scene } from './attack.ts'
import { buildGenuine } from './genuine.ts'
import { install, type InstallOptions } from './install.ts'
import type { Judge } from './judge.ts'
import type { World } from './world.ts'

export type Staging = (world: World, project: string, files: readonly TrialFile[]) => void

export interface IndexAttack extends Pick<Attack, 'row' | 'name' | 'isCore' | 'waitS' | 'limit'> {
  /** `machine`: where it is not pip that matters. Default: each. */
  readonly pips?: Attack['pips']
  /** Unique: `foo-a1b`. */
  readonly project: string
  /** Honest files, the newest last. Default: wheels 1.0 and 1.1. */
  readonly files?: (project: string) => readonly TrialFile[]
  /** Other honest projects that belong to it. */
  readonly more?: (world: World) => void
  /** Before the mirror looks for the second time. */
  readonly change?: Staging
  /** Afterwards. */
  readonly turn?: Staging
  readonly install?: InstallOptions | ((scene: Scene, project: string) => InstallOptions)
  /** What else was seen, once pip has ended. */
  readonly look?: (observed: Observed, scene: Scene, project: string) => Observed
  readonly judge: Judge
}

export function stageIndexAttack(attack: IndexAttack): Attack {
  const { row, name, project, isCore, waitS, judge } = attack
  const files = attack.files?.(project) ?? buildReleases(project)
  const { change, turn, limit } = attack
  const run = async (scene: Scene): Promise<Observed> => {
    const options =
      typeof attack.install === 'function' ? attack.install(scene, project) : attack.install
    const observed = await install(scene, project, options)
    const told = { ...observed, notes: [...observed.notes, ...scene.world.listSaid(project)] }
    return attack.look?.(told, scene, project) ?? told
  }
  return {
    row,
    name,
    ...(isCore && { isCore }),
    ...(waitS !== undefined && { waitS }),
    ...(limit !== undefined && { limit }),
    pips: attack.pips ?? 'each',
    publish: (world) => {
      world.publish(project, files)
      attack.more?.(world)
    },
    ...(change && { change: (world: World) => change(world, project, files) }),
    ...(turn && { turn: (world: World) => turn(world, project, files) }),
    alone: run,
    behind: run,
    judge,
  }
}

export function buildReleases(project: string): readonly TrialFile[] {
  return [buildGenuine(project, '1.0'), buildGenuine(project, '1.1')]
}
