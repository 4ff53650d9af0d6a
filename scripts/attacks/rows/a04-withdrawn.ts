/** A4: the new list, but for the part that withdraws a release: it was malware, and it shall go on. */

import { denyFiles } from '../../../src/mirror/deny-work.ts'
import { status } from '../../../test/support/hostile-server.ts'
import type { Attack, Observed, Scene } from '../attack.ts'
import { buildEvil, buildGenuine } from '../genuine.ts'
import { inMirrorWorld } from '../hostile-mirror.ts'
import { install } from '../install.ts'
import { mustRefuse } from '../judge.ts'
import type { World } from '../world.ts'

const project = 'foo'

/** 1.1 is what its author has published. */
function publish(world: World, name: string): void {
  world.publish(name, [buildGenuine(name, '1.0'), buildEvil(name, '1.1')])
}

function installAlone(scene: Scene, name: string): Promise<Observed> {
  publish(scene.world, name)
  return install(scene, name)
}

function stageWithdrawn(name: string, about: RegExp, suffix: string): Attack {
  return {
    row: 'A4',
    name,
    // pip asks again and again where it is told to come later.
    waitS: 50,
    pips: 'machine',
    alone: (scene) => installAlone(scene, `foo-a4-${suffix}`),
    behind: (scene) =>
      inMirrorWorld(async (mirror) => {
        const { trial } = mirror.world
        publish(mirror.world, project)
        await mirror.world.sign()
        const context = { directory: trial.mirror, clock: Date.now, report: () => undefined }
        await denyFiles({ ...context, project, version: '1.1', reason: 'malware' })
        mirror.lie({ about, behaviour: status(404) })
        await mirror.startProxy()
        return mirror.addLog(await install(scene, project, { world: mirror.world }))
      }),
    judge: mustRefuse({ code: 'METADATA_UNAVAILABLE' }),
  }
}

export const withdrawn: readonly Attack[] = [
  stageWithdrawn('the role that withdraws is left out', /^metadata\/\d+\.deny\.json$/, 'role'),
  stageWithdrawn('what is withdrawn of the project is left out', /^targets\/deny\//, 'denial'),
]
