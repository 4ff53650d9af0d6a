/** Attacks by an index or a file host that was honest when the mirror looked: staged in the shared world. */

import type { TrialFile } from '../../test/e2e/trial.ts'
import type { Attack, Observed, Scene } from './attack.ts'
import { buildGenuine } from './genuine.ts'
import { install, type InstallOptions } from './install.ts'
import type { Judge } from './judge.ts'
import type { World } from './world.ts'

export interface IndexAttack extends Pick<Attack, 'row' | 'name' | 'isCore' | 'isWaiting'> {
  /** Unique: `foo-a1b`. */
  readonly project: string
  /** Honest files, the newest last. Default: wheels 1.0 and 1.1. */
  readonly files?: (project: string) => readonly TrialFile[]
  /** Other honest projects that belong to it. */
  readonly more?: (world: World) => void
  readonly turn: (world: World, project: string, files: readonly TrialFile[]) => void
  readonly install?: InstallOptions
  readonly judge: Judge
}

export function stageIndexAttack(attack: IndexAttack): Attack {
  const { row, name, project, isCore, isWaiting, judge } = attack
  const files = attack.files?.(project) ?? buildReleases(project)
  const run = (scene: Scene): Promise<Observed> => install(scene, project, attack.install)
  return {
    row,
    name,
    ...(isCore && { isCore }),
    ...(isWaiting && { isWaiting }),
    pips: 'each',
    publish: (world) => {
      world.publish(project, files)
      attack.more?.(world)
    },
    turn: (world) => attack.turn(world, project, files),
    alone: run,
    behind: run,
    judge,
  }
}

export function buildReleases(project: string): readonly TrialFile[] {
  return [buildGenuine(project, '1.0'), buildGenuine(project, '1.1')]
}
