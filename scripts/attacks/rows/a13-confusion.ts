/** A13: dependency confusion: a name of the company's own index, with a higher version on the public one. */

import type { Wheel } from '../../../test/support/build-wheel.ts'
import { startWheelIndex, type WheelIndex } from '../../../test/support/wheel-index.ts'
import type { Attack, Observed, Scene } from '../attack.ts'
import { buildEvil, buildGenuine } from '../genuine.ts'
import { install } from '../install.ts'
import { mustInstall, require, requireNote } from '../judge.ts'
import { inWorld, type World } from '../world.ts'

export const confusion: readonly Attack[] = [
  stageConfusion({
    name: 'acme-internal 99 on the public index, 1.0 on the own one',
    project: 'acme-internal',
    own: [buildGenuine('acme-internal', '1.0')],
    judge: mustInstall(),
  }),
  stageConfusion({
    name: 'what a genuine project needs: acme-internal 99 on the public index',
    project: 'acme-tool',
    own: [
      buildGenuine('acme-tool', '1.0', { requires: ['acme-internal'] }),
      buildGenuine('acme-internal', '1.0'),
    ],
    judge: mustInstall(),
  }),
  stageConfusion({
    name: 'a name that the own index does not have (any more), and the public one has',
    project: 'acme-internal',
    own: [buildGenuine('acme-other', '1.0')],
    judge: ({ happened, exitCode }) => [
      ...require(exitCode === 1, `exit code ${exitCode}`),
      ...require(happened === 'nothing installed', happened),
    ],
  }),
]

interface Confusion extends Pick<Attack, 'name' | 'judge'> {
  readonly project: string
  readonly own: readonly Wheel[]
}

function stageConfusion({ name, project, own, judge }: Confusion): Attack {
  return {
    row: 'A13',
    name,
    pips: 'machine',
    alone: (scene) =>
      withIndexes(own, async ({ world, company }) =>
        install(scene, project, {
          world,
          indexUrl: company.url,
          args: ['install', '--extra-index-url', world.indexUrl, project],
        }),
      ),
    behind: (scene) => withIndexes(own, async (indexes) => installBehind(scene, project, indexes)),
    judge: (observed) => [
      ...judge(observed),
      ...requireNote(observed, /^acme-\*: the public index was asked 0 x$/),
    ],
  }
}

interface Indexes {
  readonly world: World
  readonly company: WheelIndex
}

/** The public index is signed by a mirror, the evil names with it: it shows what the index has. */
async function installBehind(
  scene: Scene,
  project: string,
  { world, company }: Indexes,
): Promise<Observed> {
  await world.sign()
  const before = countAsked(world)
  await world.startProxy({
    settings: `[[index]]\nname = "acme"\nurl = "${company.url}"\nprojects = ["acme-*"]\n`,
  })
  const observed = await install(scene, project, { world })
  const asked = countAsked(world) - before
  return {
    ...observed,
    notes: [...observed.notes, `acme-*: the public index was asked ${asked} x`],
  }
}

function countAsked({ trial }: World): number {
  return trial.index.requests.filter(({ path }) => path.includes('acme')).length
}

async function withIndexes(
  own: Confusion['own'],
  act: (indexes: Indexes) => Promise<Observed>,
): Promise<Observed> {
  const company = await startWheelIndex(own)
  try {
    return await inWorld(async (world) => {
      for (const file of own)
        world.publish((file.filename.split('-')[0] ?? '').replaceAll('_', '-'), [file])
      // In place of them; not by world.publish: they are evil from the beginning.
      for (const name of ['acme-internal', 'acme-tool']) {
        const { filename, bytes } = buildEvil(name, '99.0')
        world.trial.publish(name, [{ filename, bytes }])
      }
      return act({ world, company })
    })
  } finally {
    await company.server.close()
  }
}
