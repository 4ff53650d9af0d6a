/** Without tufgate whoever writes the page decides what is installed, and nobody can tell afterwards. */

import { renderJsonPage } from '../../test/e2e/trial.ts'
import type { Observed, Scene } from './attack.ts'
import { buildEvil } from './genuine.ts'
import { buildReleases } from './index-attack.ts'
import { install } from './install.ts'
import { offerFile } from './page-lies.ts'

/** Page and file host agree on an evil 1.1. `project`: unique, as the world is shared. */
export function installEvil(scene: Scene, project: string): Promise<Observed> {
  const files = buildReleases(project)
  const { world } = scene
  world.publish(project, files)
  const evil = offerFile(world, buildEvil(project, '1.1'))
  world.trial.servePage(project, renderJsonPage(project, [...files.slice(0, -1), evil]))
  return install(scene, project)
}
