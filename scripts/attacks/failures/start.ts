/** F10, F12 and F14: the port is taken, two proxies share a state, the index wants a password. */

import { writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { serve, status, type Behaviour } from '../../../test/support/hostile-server.ts'
import type { Attack, Observed } from '../attack.ts'
import { mustServeOn, mustTellAndRecover, stageFailure } from './failure.ts'
import { nothingSaid, notRunning, project, type Place } from './place.ts'

async function takePort(place: Place): Promise<Observed> {
  const taken = createServer()
  await new Promise<void>((resolve) => {
    taken.listen(0, '127.0.0.1', resolve)
  })
  const { port } = taken.address() as AddressInfo
  const { code, told } = await place.failToStart({}, `127.0.0.1:${port}`)
  await new Promise((resolve) => {
    taken.close(resolve)
  })
  await place.startProxy()
  const healed = await place.recover()
  return place.conclude({ ...notRunning, exitCode: code }, told, healed)
}

async function shareState(place: Place): Promise<Observed> {
  const options = { state: join(place.world.trial.folder, 'state') }
  const [first] = await Promise.all([
    place.startProxy(options),
    place.world.trial.startProxy(options),
  ])
  const seen = await place.install({ indexUrl: `${first.origin}/simple/` })
  return place.conclude(seen, nothingSaid, await place.recover())
}

/** Page and files only for whoever knows the password. */
function wantPassword({ world: { trial }, files }: Place, password: string | undefined): void {
  const expected = `Basic ${Buffer.from(`user:${password ?? ''}`).toString('base64')}`
  const guard =
    (behaviour: Behaviour): Behaviour =>
    (request, response, earlier) => {
      const isLetIn = password !== undefined && request.headers.authorization === expected
      const denied = status(401, { 'www-authenticate': 'Basic realm="index"' })
      return (isLetIn ? behaviour : denied)(request, response, earlier)
    }
  for (const { filename, bytes, metadata } of files) {
    trial.index.on(`/files/${filename}`, guard(serve(bytes)))
    if (metadata !== undefined)
      trial.index.on(`/files/${filename}.metadata`, guard(serve(metadata)))
  }
  trial.index.on(`/simple/${project}/`, status(401, { 'www-authenticate': 'Basic realm="index"' }))
}

async function giveNoPassword(place: Place): Promise<Observed> {
  wantPassword(place, 'secret')
  const state = join(place.world.trial.folder, 'state')
  await place.startProxy({ state })
  const failed = await place.install()
  const told = await place.ask('file')
  await place.world.stopProxy()
  const { setting } = await writeNetrc(place)
  await place.startProxy({ state, index: setting })
  return place.conclude(failed, told, await place.recover(), ['started again with the password'])
}

async function loseNetrc(place: Place): Promise<Observed> {
  wantPassword(place, 'secret')
  const path = join(place.world.trial.folder, 'netrc')
  const index = `credentials = ${JSON.stringify(`netrc:${path}`)}`
  const { code, told } = await place.failToStart({ index })
  await writeNetrc(place)
  await place.startProxy({ index })
  const healed = await place.recover()
  return place.conclude({ ...notRunning, exitCode: code }, told, healed)
}

async function withdrawPassword(place: Place): Promise<Observed> {
  const { setting } = await writeNetrc(place)
  await place.startProxy({ index: setting })
  wantPassword(place, undefined)
  const failed = await place.install()
  const told = await place.ask('file')
  wantPassword(place, 'secret')
  return place.conclude(failed, told, await place.recover())
}

async function writeNetrc({ world: { trial } }: Place): Promise<{ readonly setting: string }> {
  const path = join(trial.folder, 'netrc')
  await writeFile(path, 'machine 127.0.0.1 login user password secret\n', { mode: 0o600 })
  return { setting: `credentials = ${JSON.stringify(`netrc:${path}`)}` }
}

export const portTaken: Attack = stageFailure({
  row: 'F10',
  name: 'the port is taken',
  behind: takePort,
  judge: mustTellAndRecover({
    line: /^tufgate: cannot listen on 127\.0\.0\.1:<port>: it is in use already/,
    next: /stop the program that listens there, or listen elsewhere: --listen/,
  }),
})

export const sharedState: Attack = stageFailure({
  row: 'F12',
  name: 'two proxies have one state folder',
  behind: shareState,
  judge: mustServeOn(),
})

export const passwords: readonly Attack[] = [
  stageFailure({
    row: 'F14',
    name: 'the index wants a password that nobody gave',
    alone: (place) => {
      wantPassword(place, 'secret')
      return place.install()
    },
    behind: giveNoPassword,
    judge: mustTellAndRecover({ line: /answered 401/, next: /credentials/ }),
  }),
  stageFailure({
    row: 'F14',
    name: 'the file with the password is gone when it starts',
    behind: loseNetrc,
    judge: mustTellAndRecover({
      line: /^tufgate: The netrc file \S+ does not exist/,
      next: /Put a line into it, for yourself alone: .*machine 127\.0\.0\.1 login USER/,
    }),
  }),
  stageFailure({
    row: 'F14',
    name: 'the password is withdrawn for a while',
    behind: withdrawPassword,
    judge: mustTellAndRecover({ line: /answered 401/, next: /credentials|password/ }),
  }),
]
