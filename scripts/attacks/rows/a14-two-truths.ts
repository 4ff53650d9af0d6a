/** A14: somebody who has all online keys shows one list to Alice and another one to Bob. */

import { join } from 'node:path'
import { runProgram, type Finished } from '../../../test/support/program.ts'
import type { Attack, Observed } from '../attack.ts'
import { installEvil } from '../evil-index.ts'
import { forgeRecord } from '../forged-record.ts'
import { inMirrorWorld, type HostileMirror } from '../hostile-mirror.ts'
import { buildReleases } from '../index-attack.ts'
import { install } from '../install.ts'
import { require } from '../judge.ts'

const project = 'foo'

/** Alice's is honest, Bob's has an evil wheel; `ahead`: by how many versions Bob's is further. */
async function showTwoLists(mirror: HostileMirror, ahead: number): Promise<void> {
  const { world } = mirror
  const releases = buildReleases(project)
  const newest = releases.at(-1)
  if (newest === undefined) throw new Error('there is no release')
  world.publish(project, releases)
  await world.sign()
  const thief = await mirror.rob()
  const { bin, path, target } = await forgeRecord(mirror, thief, [project, newest])
  const before = await mirror.keepTree()
  await thief.publish({ [bin]: ({ targets }) => void (targets[path] = target) })
  for (let count = 0; count < ahead; count += 1) await thief.publish({})
  const bob = await mirror.keepTree()
  await mirror.restoreTree(before)
  await thief.publish({})
  mirror.showMany({ alice: world.trial.published, bob })
}

/** What each of them does, on his own machine: a document, which they then hold against each other. */
async function compare(mirror: HostileMirror): Promise<Finished> {
  const { trial } = mirror.world
  const files: string[] = []
  for (const name of ['alice', 'bob']) {
    const { config } = await trial.writeSettings({ mirror: `${mirror.url}${name}/` })
    const file = join(trial.folder, `${name}.json`)
    const { code, stderr } = await runProgram('trust', 'show', '--config', config, '-o', file)
    if (code !== 0) throw new Error(`${name} has nothing to show: ${stderr}`)
    files.push(file)
  }
  return runProgram('trust', 'compare', ...files)
}

function observe({ code, stdout, stderr }: Finished, notes: readonly string[]): Observed {
  const [line = ''] = `${stdout}\n${stderr}`.split('\n').filter((one) => /^\w/.test(one))
  const happened = code === 3 ? 'the two lists are found out' : 'nobody can tell'
  const harm = code === 3 ? {} : { harm: 'two lists, and nobody can tell' }
  return { ...harm, happened, exitCode: code, line, codes: [], notes }
}

export const twoTruths: readonly Attack[] = [
  {
    row: 'A14',
    name: 'two lists of the same version, shown to two people by a thief of all online keys',
    isCore: true,
    pips: 'machine',
    alone: (scene) => installEvil(scene, 'foo-a14-same'),
    behind: (scene) =>
      inMirrorWorld(async (mirror) => {
        await showTwoLists(mirror, 0)
        const compared = await compare(mirror)
        const { world } = mirror
        await world.startProxy({ mirror: `${mirror.url}bob/` })
        const { happened } = await install(scene, project, { world })
        return observe(compared, [`until they compare: ${happened}, by whoever is shown that list`])
      }),
    judge: ({ exitCode, happened }) => require(exitCode === 3, happened),
  },
  {
    row: 'A14',
    name: 'two lists, and no version is used for both',
    pips: 'machine',
    alone: (scene) => installEvil(scene, 'foo-a14-apart'),
    behind: () =>
      inMirrorWorld(async (mirror) => {
        await showTwoLists(mirror, 2)
        return observe(await compare(mirror), [])
      }),
    limit:
      'lists that never have a version in common cannot be compared: that they never have one is the only sign',
    judge: ({ exitCode, line }) => require(exitCode === 1, `exit code ${exitCode}: ${line}`),
  },
]
