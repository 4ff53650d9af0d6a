/** The world around fails: clock, mirror, file host, port. What the user sees, and how it heals by itself. */

import { existsSync, readFileSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { buildWheel, sha256 } from '../support/build-wheel.ts'
import {
  reset,
  serve,
  silence,
  startHostileServer,
  status,
  type Behaviour,
} from '../support/hostile-server.ts'
import {
  createPipEnvironment,
  hasPip,
  warnWithoutPip,
  type PipEnvironment,
} from '../support/pip.ts'
import { collect, runProgram, spawnProgram, type Finished } from '../support/program.ts'
import { pathOf, recordAnswer } from '../support/proxy-witness.ts'
import { createMovableClock } from './movable-clock.ts'
import { problemOf, reasonOf, toTranscript } from './transcript.ts'
import { renderJsonPage, Trial, type TrialProxy } from './trial.ts'

warnWithoutPip()

const hourMs = 3_600_000
const names = ['e2e-one', 'e2e-two', 'e2e-three', 'e2e-four', 'e2e-five']
const newer = buildWheel({ name: 'e2e-one', version: '1.1' })
const wheels = new Map(names.map((name) => [name, buildWheel({ name, version: '1.0' })]))

let trial: Trial
let environment: PipEnvironment

beforeAll(async () => {
  trial = await Trial.create()
  for (const [name, wheel] of wheels) trial.publish(name, [wheel])
  expect(await trial.sync()).toMatchObject({ exitCode: 0 })
  if (hasPip) environment = await createPipEnvironment(join(trial.folder, 'venv'))
}, 120_000)

afterAll(() => trial.close())

/** A file by its address, as a lock file names it: pip shows why it is refused. */
function installFile(proxy: TrialProxy, project: string, of = trial): Promise<Finished> {
  const path = pathOf(of, project, wheels.get(project)?.filename ?? '')
  return environment.pip('install', '--no-deps', '--force-reinstall', `${proxy.origin}${path}`)
}

function askPage(proxy: TrialProxy, project: string) {
  return recordAnswer(proxy.port, `/simple/${project}/`)
}

async function refusedPage(proxy: TrialProxy, project: string): Promise<unknown> {
  const { status: code, body } = await askPage(proxy, project)
  return { status: code, ...(problemOf(body, trial.folder) as object) }
}

const createClock = (name: string, shiftMs: number) =>
  createMovableClock(trial.folder, name, shiftMs)

describe.runIf(hasPip)('a clock', () => {
  test('that is a day behind, at the first contact: refused, and right again by itself', async () => {
    const clock = await createClock('behind', -24 * hourMs)
    const proxy = await trial.startProxy({ environment: clock.environment })
    const { code, stderr } = await installFile(proxy, 'e2e-one')
    expect(code).toBe(1)
    expect(reasonOf(stderr, trial.folder)).toMatchInlineSnapshot(
      `"403 Client Error: Refused by tufgate: timestamp version 2 was signed 23 h ahead of the clock of this machine (<id>)"`,
    )
    expect(await refusedPage(proxy, 'e2e-one')).toMatchInlineSnapshot(`
      {
        "detail": "timestamp version 2 was signed 23 h ahead of the clock of this machine (<id>)",
        "expected": "at most <time>",
        "found": "<time>",
        "next": "Check the clock of this machine, then that of the mirror.",
        "status": 451,
      }
    `)
    await clock.set(0)
    await requireHealed(proxy)
    expect(toTranscript((await proxy.stop()).stderr, trial.folder)).toMatchInlineSnapshot(`
      "<time> warning trial: mirror <folder>/mirror/public: timestamp version 2 was signed 23 h ahead of the clock of this machine
          expected: at most <time>
          found:    <time>
          Check the clock of this machine, then that of the mirror.
      <time> warning trial: NO SIGNED LIST: every page is refused until the reason above is gone
      <time> warning refused e2e-one: timestamp version 2 was signed 23 h ahead of the clock of this machine (<id>)
          Check the clock of this machine, then that of the mirror.
      <time> info    trial: mirror <folder>/mirror/public: in order again after 1 d
      <time> info    SIGTERM: stopping; requests under way have 10 s to end"
    `)
  }, 60_000)

  test('that went back a day since the last refresh: refused, and right again by itself', async () => {
    const clock = await createClock('went-back', 0)
    const proxy = await trial.startProxy({ environment: clock.environment })
    await requireHealed(proxy)
    await clock.set(-24 * hourMs)
    const { code, stderr } = await installFile(proxy, 'e2e-one')
    expect(code).toBe(1)
    expect(reasonOf(stderr, trial.folder)).toMatchInlineSnapshot(
      `"403 Client Error: Refused by tufgate: the clock of this machine is 23 h behind a signed time that was already verified (<id>)"`,
    )
    await clock.set(0)
    await requireHealed(proxy)
    await proxy.stop()
  }, 60_000)

  test('that is ten days ahead: everything looks expired, and is right again by itself', async () => {
    const clock = await createClock('ahead', 240 * hourMs)
    const proxy = await trial.startProxy({ environment: clock.environment })
    const { code, stderr } = await installFile(proxy, 'e2e-one')
    expect(code).toBe(1)
    expect(reasonOf(stderr, trial.folder)).toMatchInlineSnapshot(
      `"403 Client Error: Refused by tufgate: timestamp version 2 expired 9 d ago (<id>)"`,
    )
    await clock.set(0)
    await requireHealed(proxy)
    await proxy.stop()
  }, 60_000)
})

/** After a failure the next look at the mirror waits a few seconds. */
async function requireHealed(proxy: TrialProxy, of = trial): Promise<void> {
  await expect
    .poll(async () => (await askPage(proxy, 'e2e-one')).status, { timeout: 20_000, interval: 250 })
    .toBe(200)
  expect(await installFile(proxy, 'e2e-one', of)).toMatchObject({ code: 0 })
}

describe.runIf(hasPip)('a mirror', () => {
  test('that is down for a day: refused with both reasons, and up again by itself', async () => {
    const mirror = await startHostileServer()
    const clock = await createClock('day', 0)
    // One of its own: what is signed tomorrow is of no use to the others.
    const own = await Trial.create()
    onTestFinished(() => own.close())
    onTestFinished(() => mirror.close())
    own.publish('e2e-one', [wheels.get('e2e-one')!])
    expect(await own.sync()).toMatchObject({ exitCode: 0 })
    const proxy = await own.startProxy({
      mirror: mirror.url('/'),
      environment: clock.environment,
    })
    const published = (path: string): Behaviour => {
      const file = join(own.published, path)
      return existsSync(file) ? serve(readFileSync(file)) : status(404)
    }
    mirror.use(published)
    await requireHealed(proxy, own)
    mirror.use(() => reset())
    await clock.set(25 * hourMs)
    const { code, stderr } = await installFile(proxy, 'e2e-one', own)
    expect(code).toBe(1)
    expect(reasonOf(stderr, own.folder)).toMatchInlineSnapshot(
      `"403 Client Error: Refused by tufgate: timestamp version 2 expired 1 h ago; no mirror could be reached for 1 d (<id>)"`,
    )
    expect(await refusedPage(proxy, 'e2e-one')).toMatchInlineSnapshot(`
      {
        "detail": "timestamp version 2 expired 1 h ago; no mirror could be reached for 1 d (<id>)",
        "expected": "after <time>",
        "found": "<time>",
        "next": "Check that the mirror is reachable and renewed, and that the clock of this machine is right.",
        "status": 451,
      }
    `)
    const later = Date.now() + 25 * hourMs
    // The index of the test lives today.
    expect(await own.sync({ clock: () => later, acceptClock: true })).toMatchObject({ exitCode: 0 })
    mirror.use(published)
    await requireHealed(proxy, own)
    await proxy.stop()
  }, 60_000)

  test('that lost a record: 503 for its project alone, until it is there again', async () => {
    const proxy = await trial.startProxy()
    const folder = join(trial.published, 'targets/simple/e2e-two')
    await rename(folder, `${folder}-lost`)
    expect(await refusedPage(proxy, 'e2e-two')).toMatchInlineSnapshot(`
      {
        "detail": "No mirror could be read: <folder>/mirror/public: there is no targets/simple/e2e-two/<sha256>.index.json (<id>)",
        "expected": undefined,
        "found": undefined,
        "next": "Check that the mirror is up, and that this machine can resolve its name and reach it.",
        "status": 503,
      }
    `)
    expect((await askPage(proxy, 'e2e-two')).headers).toMatch(/^retry-after: \d+$/im)
    expect((await askPage(proxy, 'e2e-one')).status).toBe(200)
    await rename(`${folder}-lost`, folder)
    expect((await askPage(proxy, 'e2e-two')).status).toBe(200)
    await proxy.stop()
  })
})

describe.runIf(hasPip)('a file host', () => {
  let proxy: TrialProxy

  beforeAll(async () => {
    proxy = await trial.startProxy({ settings: '[limits]\nidle = "1s"' })
  })

  async function refusedFile(project: string): Promise<unknown> {
    const path = pathOf(trial, project, wheels.get(project)?.filename ?? '')
    const { status: code, body } = await recordAnswer(proxy.port, path)
    return { status: code, ...(problemOf(body, trial.folder) as object) }
  }

  test.each<[string, string, Behaviour, object]>([
    ['that has a fault', 'e2e-three', status(500), { status: 504, found: '500' }],
    ['that hangs up', 'e2e-four', reset(), { status: 504, found: 'no answer' }],
    ['that does not answer', 'e2e-five', silence(), { status: 504, found: 'no answer' }],
  ])('%s: said, and forgotten once it works again', async (_, project, behaviour, expected) => {
    const { filename, bytes } = wheels.get(project)!
    trial.index.on(`/files/${filename}`, behaviour)
    const refused = await refusedFile(project)
    expect(refused).toMatchObject({
      ...expected,
      next: expect.stringMatching(/^\w.*\.$/) as string,
    })
    trial.index.on(`/files/${filename}`, serve(bytes))
    expect(await installFile(proxy, project)).toMatchObject({ code: 0 })
  })

  test('that is down: nobody answered, and where', async () => {
    // Not asked for yet; the server that has it goes away.
    const gone = await startHostileServer()
    const wheel = buildWheel({ name: 'e2e-gone', version: '1.0' })
    const page = renderJsonPage('e2e-gone', [wheel]) as { files: { url: string }[] }
    page.files[0]!.url = gone.url(`/files/${wheel.filename}`)
    trial.publish('e2e-gone', [wheel])
    trial.servePage('e2e-gone', page)
    const fileHosts = [new URL(gone.origin).host]
    expect(await trial.sync({ fileHosts })).toMatchObject({ exitCode: 0 })
    await gone.close()
    const other = await trial.startProxy({ fileHosts })
    const path = `/files/e2e-gone/${fileHosts[0]}/files/${wheel.filename}`
    const { status: code, body } = await recordAnswer(other.port, path)
    expect(code).toBe(504)
    expect(problemOf(body, trial.folder)).toMatchInlineSnapshot(`
      {
        "detail": "http://127.0.0.1:<port>/files/e2e_gone-1.0-py3-none-any.whl: could not connect (connect ECONNREFUSED 127.0.0.1:<port>) (<id>)",
        "expected": undefined,
        "found": "no answer",
        "next": "Look at the network, the name of the host and the proxy variables; then try again.",
      }
    `)
    await other.stop()
  }, 60_000)
})

describe('serve', () => {
  test('on a port that is taken: exit code 2 and the way out', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => {
      taken.listen(0, '127.0.0.1', resolve)
    })
    const listen = `127.0.0.1:${(taken.address() as AddressInfo).port}`
    const { config } = await trial.writeSettings()
    const start = () =>
      trial.watch(spawnProgram({}, 'serve', '--config', config, '--listen', listen))
    const failed = await collect(start())
    expect(failed).toMatchObject({ code: 2, stdout: '' })
    expect(toTranscript(failed.stderr, trial.folder)).toMatchInlineSnapshot(`
      "tufgate: cannot listen on 127.0.0.1:<port>: it is in use already
        stop the program that listens there, or listen elsewhere: --listen 127.0.0.1:PORT, or \`listen\` in the settings"
    `)
    await new Promise<void>((resolve) => {
      taken.close(() => resolve())
    })
    const started = start()
    started.stdout.once('data', () => started.kill())
    expect(await collect(started)).toMatchObject({ code: 0 })
  })

  test('twice on one state folder: both serve, and both go forward', async () => {
    const first = await trial.startProxy({ settings: 'refresh = "1s"' })
    const { state } = first
    const second = await trial.startProxy({ settings: 'refresh = "1s"', state })
    const both = [first, second]
    await Promise.all(both.map((proxy) => requireServed(proxy)))
    trial.publish('e2e-one', [wheels.get('e2e-one')!, newer])
    expect(await trial.sync()).toMatchObject({ exitCode: 0 })
    for (const proxy of both) {
      await expect
        .poll(async () => String((await askPage(proxy, 'e2e-one')).body), { timeout: 20_000 })
        .toContain(newer.filename)
    }
    await Promise.all(both.map((proxy) => requireServed(proxy)))
    for (const proxy of both) {
      const { code, stderr } = await proxy.stop()
      expect(code).toBe(0)
      expect(stderr).not.toMatch(/ (?:warning|error) /)
    }
    const verified = await runProgram('audit', 'verify', '--state-dir', state)
    expect(verified).toMatchObject({ code: 0, stderr: '' })
  }, 60_000)
})

async function requireServed(proxy: TrialProxy): Promise<void> {
  await Promise.all(
    Array.from(wheels, async ([project, { filename, sha256: digest }]) => {
      const { body } = await recordAnswer(proxy.port, pathOf(trial, project, filename))
      expect(sha256(body)).toBe(digest)
    }),
  )
}
