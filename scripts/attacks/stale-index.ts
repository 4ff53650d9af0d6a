/** Without tufgate nothing tells yesterday's page from today's: what a stale index does to pip. */

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { renderJsonPage } from '../../test/e2e/trial.ts'
import type { Observed, Scene } from './attack.ts'
import { buildReleases } from './index-attack.ts'
import { install } from './install.ts'

/** 1.1 is out; the page goes on showing 1.0. `project`: unique, as the world is shared. */
export async function installStale(scene: Scene, project: string): Promise<Observed> {
  showStale(scene, project)
  return install(scene, project)
}

/** He has 1.0 and asks for anything newer. */
export async function upgradeStale(scene: Scene, project: string): Promise<Observed> {
  const wheel = showStale(scene, project)
  const path = join(scene.folder, wheel.filename)
  await writeFile(path, wheel.bytes)
  return install(scene, project, { args: ['install', '--upgrade', project], before: [path] })
}

function showStale({ world }: Scene, project: string): { filename: string; bytes: Uint8Array } {
  const releases = buildReleases(project)
  const [older] = releases
  if (older === undefined) throw new Error('there is no older release')
  world.publish(project, releases)
  world.trial.servePage(project, renderJsonPage(project, [older]))
  return older
}
