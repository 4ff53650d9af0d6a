/** A10: versions are driven as far up as they go, so that everything honest looks old. */

import { renderJsonPage } from '../../../test/e2e/trial.ts'
import { farVersion } from '../../../test/ceremony/thief.ts'
import { status } from '../../../test/support/hostile-server.ts'
import type { OnlineRole } from '../../../src/mirror/role-names.ts'
import type { Signed } from '../../../test/mirror/online-thief.ts'
import type { Attack, Observed } from '../attack.ts'
import { buildGenuine } from '../genuine.ts'
import { stageIndexAttack } from '../index-attack.ts'
import { install } from '../install.ts'
import { mustInstall, require, requireNote, type Judge } from '../judge.ts'
import {
  inStolenMirror,
  noKeysAlone,
  type Robbery,
  type StolenMirror,
} from '../keys/stolen-mirror.ts'

const project = 'foo'

const listed = stageIndexAttack({
  row: 'A10',
  name: 'the index lists a release 9999 that cannot be had',
  project: 'foo-a10',
  isCore: true,
  turn: ({ trial }, name, files) => {
    const far = buildGenuine(name, '9999')
    trial.index.on(`/files/${far.filename}`, status(404))
    trial.servePage(name, renderJsonPage(name, [...files, far]))
  },
  look: (observed) => ({
    ...observed,
    // Nothing false is installed, and nothing else can be any more.
    ...(observed.exitCode !== 0 && { harm: 'DENIED: nothing can be installed' }),
  }),
  judge: mustInstall(),
})

interface FastForward {
  readonly stolen: readonly OnlineRole[]
  readonly forward: (robbery: Robbery) => Promise<void>
  /** The proxy is down while the keys are replaced. */
  readonly isRestarted?: true
}

const raiseTo =
  (version: number) =>
  (signed: Signed): void => {
    signed.version = version
  }
const raiseTimestamp = raiseTo(farVersion)
/** Counted up by one when it is published. */
const raise = raiseTo(farVersion - 1)

/** As published, but for the version. */
async function raiseAll({ thief }: Robbery): Promise<void> {
  const { meta } = await thief.read('snapshot')
  const bins = Object.keys(meta)
    .filter((name) => name.startsWith('bins-'))
    .map((name) => [name.replace('.json', ''), raise] as const)
  await thief.publish(Object.fromEntries(bins), raise, raiseTimestamp)
}

function stageTheft({ stolen, forward, isRestarted }: FastForward): Attack {
  const when = isRestarted === true ? 'a restarted proxy' : 'a running proxy'
  return {
    row: 'A10',
    name: `${when} recovers: ${stolen.join(', ')} stolen, version 2^31 signed`,
    pips: 'machine',
    alone: noKeysAlone,
    behind: (scene) =>
      inStolenMirror(async (it) => {
        const { mirror } = it
        await it.release(project, '1.0', '1.1')
        await mirror.startProxy()
        const notes = [`at first: ${await it.look(project)}`]
        const robbery = await it.rob()
        await forward(robbery)
        mirror.show(robbery.tree)
        notes.push(`with version 2^31: ${await it.lookAgain(project)}`)
        await it.release(project, '1.0', '1.1', '1.2')
        mirror.show()
        notes.push(`the mirror itself again: ${await it.lookAgain(project)}`)
        await recover(it, stolen, isRestarted === true)
        const observed = await mirror.addLog(await install(scene, project, { world: mirror.world }))
        return { ...observed, notes: [...notes, ...observed.notes] }
      }),
    judge: mustRecover,
  }
}

/** Nobody touches the state of the proxy. */
async function recover(
  it: StolenMirror,
  stolen: readonly OnlineRole[],
  isRestarted: boolean,
): Promise<void> {
  const { mirror } = it
  const state = mirror.world.proxy?.state ?? ''
  if (isRestarted) await mirror.world.stopProxy()
  await it.replaceKeys(...stolen)
  if (isRestarted) await mirror.startProxy({ state })
  await mirror.passTime()
}

/** In between it is kept at what it has seen: that is what the stolen keys are worth. */
const mustRecover: Judge = (observed: Observed) => [
  ...mustInstall('VERSION_ROLLBACK')(observed),
  ...require(observed.happened === `${project} 1.2 installed`, observed.happened),
  // Otherwise the proxy has not followed.
  ...requireNote(observed, String(farVersion)),
]

export const fastForward: readonly Attack[] = [
  listed,
  stageTheft({
    stolen: ['timestamp'],
    forward: ({ thief }) => thief.publish({}, undefined, raiseTimestamp),
  }),
  stageTheft({
    stolen: ['timestamp', 'snapshot', 'bins-nn'],
    forward: (robbery) => raiseAll(robbery),
  }),
  stageTheft({
    stolen: ['timestamp', 'snapshot', 'bins-nn'],
    forward: (robbery) => raiseAll(robbery),
    isRestarted: true,
  }),
]
