/** What a client brings through the proxy, and what its user reads where something is refused: the same for all. */

import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import {
  expectDone,
  findText,
  isTestable,
  listInstalled,
  makeMachine,
  type Client,
  type ClientProject,
} from './client.ts'
import { evil, startClientTrial, type ClientTrial } from './client-trial.ts'
import { canTrace, readAddresses, traceInto } from './connect-trace.ts'

/** A resolver written in Python takes its time on a busy machine. */
vi.setConfig({ testTimeout: 180_000 })

/** How it is told of the proxy: as its index, or as its HTTP proxy on the way to an index that it knows. */
export type Way = 'index-url' | 'http-proxy'

export function describeClient(client: Client, way: Way = 'index-url'): void {
  describe.runIf(isTestable(client.name, client.isPresent))(`${client.name}, by ${way}`, () => {
    const bench = useBench(client, way)
    describeInstalls(bench)
    describeRefusals(bench)
    if (way === 'index-url') describeTheRest(bench, client)
    // At the end: of all that was done above.
    test.runIf(isTestable('strace', canTrace))('asks nobody but the proxy, ever', async () => {
      expect(await readAddresses(bench.traces)).toEqual([`127.0.0.1:${bench.trial.proxy.port}`])
    })
  })
}

interface Bench {
  readonly trial: ClientTrial
  readonly traces: string
  open(...requirements: readonly string[]): Promise<ClientProject>
}

function useBench(client: Client, way: Way): Bench {
  let trial: ClientTrial
  let count = 0
  beforeAll(async () => {
    trial = await startClientTrial()
  })
  afterAll(async () => {
    await trial.close()
  })
  const bench: Bench = {
    get trial() {
      return trial
    },
    get traces() {
      return join(trial.folder, 'traces')
    },
    open: async (...requirements) => {
      count += 1
      const trace = canTrace ? await traceInto(bench.traces) : []
      const { folder, indexUrl, originUrl } = trial
      const machine = await (way === 'index-url'
        ? makeMachine({ folder, indexUrl }, String(count), trace)
        : makeMachine({ folder, indexUrl: originUrl }, String(count), [
            ...trace,
            ...setProxy(trial),
          ]))
      return client.open(machine, requirements)
    },
  }
  return bench
}

function setProxy({ proxy: { origin } }: ClientTrial): readonly string[] {
  return ['env', `http_proxy=${origin}`, `https_proxy=${origin}`]
}

const newest = ['client-app 1.0', 'client-lib 1.1']

function describeInstalls(bench: Bench): void {
  test('installs a program with its dependency, in the newest version that is old enough', async () => {
    const project = await bench.open('client-app')
    expectDone(await project.install())
    expect(await listInstalled(project.machine)).toEqual(newest)
  })

  test('locks the signed digests, and installs from the lock file', async () => {
    const project = await bench.open('client-app')
    expectDone(await project.lock())
    expect(await listInstalled(project.machine)).toEqual([])
    const lock = await project.readLock()
    for (const name of ['client_app-1.0', 'client_lib-1.1']) {
      expect(lock).toContain(bench.trial.digests.get(`${name}-py3-none-any.whl`))
    }
    expectDone(await project.sync())
    expect(await listInstalled(project.machine)).toEqual(newest)
  })
}

function describeRefusals(bench: Bench): void {
  test('shows why a file is refused that was tampered with, and keeps nothing of it', async () => {
    const project = await bench.open('client-victim')
    expect(await failToInstall(project)).toMatch(
      /403 Client Error: Refused by tufgate: sha256 of client_victim-1\.0-py3-none-any\.whl is not the signed one \(r-[a-z2-7]{8}\)/,
    )
    expect(await findText(join(project.machine.folder, '..'), evil)).toEqual([])
  })
}

/** Of one way alone: each answer is the same, whichever way it was asked for. */
function describeTheRest(bench: Bench, client: Client): void {
  test('upgrades, and not to what is too young', async () => {
    const project = await bench.open('client-app', 'client-lib==1.0')
    expectDone(await project.install())
    expect(await listInstalled(project.machine)).toEqual(['client-app 1.0', 'client-lib 1.0'])
    await project.require(['client-app', 'client-lib>=1.0'])
    expectDone(await project.upgrade())
    expect(await listInstalled(project.machine)).toEqual(newest)
  })

  test('does not install from a lock file what was tampered with since it was written', async () => {
    const project = await bench.open('client-twin')
    expectDone(await project.lock())
    const lock = await project.readLock()
    await project.require(['client-victim'])
    await project.writeLock(putVictimInPlaceOfTwin(lock, bench.trial.digests))
    const { code, stdout, stderr } = await project.sync()
    expect(code).not.toBe(0)
    expect(`${stdout}\n${stderr}`.replaceAll(/\s+/g, ' ')).toMatch(client.saysOfRefusedSync)
    expect(await listInstalled(project.machine)).toEqual([])
  })

  test('shows why a file is refused that the policy denies', async () => {
    expect(await failToInstall(await bench.open('client-denied'))).toMatch(
      /403 Client Error: Refused by tufgate: the policy denies client-denied \(r-[a-z2-7]{8}\)/,
    )
  })

  test('finds no version where the policy hides them all', async () => {
    expect(await failToInstall(await bench.open('client-new'))).toMatch(client.saysOfHidden)
  })

  test('does not find a version that the policy hides', async () => {
    const said = await failToInstall(await bench.open('client-lib==1.2'))
    expect(said).toMatch(client.saysOfHiddenVersion)
  })
}

/** A lock file as it was when the one file was still the one that is signed. */
function putVictimInPlaceOfTwin(lock: string, digests: ReadonlyMap<string, string>): string {
  const digestOf = (name: string): string => digests.get(`${name}-1.0-py3-none-any.whl`) ?? ''
  return lock
    .replaceAll(digestOf('client_twin'), digestOf('client_victim'))
    .replaceAll('client-twin', 'client-victim')
    .replaceAll('client_twin', 'client_victim')
}

/** What the user reads, on one line; nothing is installed. */
async function failToInstall(project: ClientProject): Promise<string> {
  const { code, stdout, stderr } = await project.install()
  expect(code).not.toBe(0)
  expect(await listInstalled(project.machine)).toEqual([])
  return `${stdout}\n${stderr}`.replaceAll(/\s+/g, ' ')
}
