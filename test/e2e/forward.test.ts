/**
 * The proxy as an HTTP proxy, with real pip: index pages and files by their own URLs, what is let pass, and
 * what is refused. What other clients do is in clients/.
 */

import { createServer, type AddressInfo, type Server } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { buildWheel, type Wheel } from '../support/build-wheel.ts'
import { serve, startHostileServer, type HostileServer } from '../support/hostile-server.ts'
import {
  createPipEnvironment,
  hasPip,
  warnWithoutPip,
  type PipEnvironment,
} from '../support/pip.ts'
import { collect, runProgram, spawnProgram, type Finished } from '../support/program.ts'
import { RawClient } from '../support/raw-client.ts'
import { renderJsonPage, Trial, type TrialProxy } from './trial.ts'

warnWithoutPip()
vi.setConfig({ testTimeout: 120_000 })

const greeting = buildWheel({ name: 'forward-greeting', version: '1.0' })
const newer = buildWheel({ name: 'forward-greeting', version: '2.0' })
const app = buildWheel({
  name: 'forward-app',
  version: '1.0',
  requires: ['forward-greeting'],
  code: 'answer = 42\n',
})
const victim = buildWheel({ name: 'forward-victim', version: '1.0', code: 'answer = "good"\n' })

let trial: Trial
let proxy: TrialProxy
let other: HostileServer
let echo: Server

beforeAll(async () => {
  trial = await Trial.create()
  trial.publish('forward-greeting', [greeting])
  trial.publish('forward-app', [app])
  trial.publish('forward-victim', [victim])
  await trial.sync()
  // After that the index turns: another page, and another file under a name that was signed.
  trial.servePage('forward-greeting', renderJsonPage('forward-greeting', [newer]))
  trial.index.on(`/files/${newer.filename}`, serve(newer.bytes))
  trial.index.on(`/files/${victim.filename}`, serve(tamper(victim)))
  other = await startHostileServer()
  other.on('/x', serve(Buffer.from('as it is')))
  echo = createServer((socket) => socket.on('error', () => undefined).pipe(socket))
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve))
  const allow = [`127.0.0.1:${other.port}`, `127.0.0.1:${portOf(echo)}`]
  proxy = await trial.startProxy({ settings: `[forward]\nallow = ${JSON.stringify(allow)}` })
}, 120_000)

afterAll(async () => {
  await trial.close()
  await other.close()
  echo.close()
})

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

function tamper({ bytes }: Wheel): Buffer {
  return Buffer.from(bytes.toString('latin1').replace('"good"', '"EVIL"'), 'latin1')
}

/** Lines of the audit log, the last first. */
async function readLog(): Promise<readonly Record<string, unknown>[]> {
  const shown = await runProgram('audit', 'show', '--state-dir', proxy.state, '--json')
  return shown.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .toReversed()
}

describe.runIf(hasPip)('pip --proxy', () => {
  let environment: PipEnvironment
  beforeAll(async () => {
    environment = await createPipEnvironment(join(trial.folder, 'venv'))
  }, 120_000)

  function install(...wanted: readonly string[]): Promise<Finished> {
    const { indexUrl } = trial
    return environment.pip('install', '--proxy', proxy.origin, '--index-url', indexUrl, ...wanted)
  }

  test('installs from the index that it names, verified, and without asking it', async () => {
    const asked = trial.index.requests.length
    const done = await install('forward-app')
    expect(done.stderr).toBe('')
    expect(done).toMatchObject({ code: 0 })
    // The page that the index shows by now is another one.
    expect(done.stdout).toContain('Successfully installed forward-app-1.0 forward-greeting-1.0')
    const agents = trial.index.requests.slice(asked).map(({ headers }) => headers['user-agent'])
    expect(agents.length).toBeGreaterThan(0)
    for (const agent of agents) expect(agent).toMatch(/^tufgate\//)
    const run = await environment.run('-c', 'import forward_app; print(forward_app.answer)')
    expect(run.stdout).toBe('42\n')
  })

  test('is told why a file is refused that was tampered with', async () => {
    const done = await install('forward-victim')
    expect(done.code).toBe(1)
    expect(done.stderr).toMatch(
      /403 Client Error: Refused by tufgate: sha256 of forward_victim-1\.0-py3-none-any\.whl is not the signed one/,
    )
    const [refused] = (await readLog()).filter(({ kind }) => kind === 'refused')
    expect(refused).toMatchObject({
      code: 'DIGEST_MISMATCH',
      project: 'forward-victim',
      request: `GET ${trial.index.url(`/files/${victim.filename}`)}`,
    })
  })

  test('gets no release that only the index shows', async () => {
    const done = await install('forward-greeting==2.0')
    expect(done.code).toBe(1)
    expect(done.stderr).toContain('(from versions: 1.0)')
    const url = trial.index.url(`/files/${newer.filename}`)
    const direct = await install(url)
    expect(direct.code).toBe(1)
    expect(direct.stderr).toContain('404 Client Error')
    expect(direct.stderr).toContain('lists no such file')
  })

  test('is told why an index over HTTPS is not reached', async () => {
    const args = ['--retries', '1', '--index-url', 'https://pypi.org/simple/']
    const done = await environment.pip('install', '--proxy', proxy.origin, ...args, 'x-y-z')
    expect(done.code).toBe(1)
    expect(done.stderr).toContain(
      'Tunnel connection failed: 403 Refused by tufgate: pypi.org:443 is neither a host of an index nor on the list',
    )
  })
})

describe('other hosts', () => {
  test('that are on the list are let pass, and the log says that it was not verified', async () => {
    const client = await RawClient.open(proxy.port)
    const host = `127.0.0.1:${other.port}`
    client.send(`GET http://${host}/x HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
    expect((await client.response()).status).toBe(200)
    client.close()
    const log = await readLog()
    expect(log.filter(({ code }) => code === 'PASSED_UNVERIFIED')).toMatchObject([
      { kind: 'page', found: host, message: `${host} answered 200, unverified`, bytes: 8 },
      { kind: 'page', found: host, message: `let pass to ${host}, unverified` },
    ])
  })

  test('are reached by CONNECT as by a wire', async () => {
    const client = await RawClient.open(proxy.port)
    const host = `127.0.0.1:${portOf(echo)}`
    client.send(`CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
    expect((await client.response()).status).toBe(200)
    client.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    expect((await client.response()).body.toString()).toBe('ok')
    client.close()
  })

  test('that are not on the list are refused, private ones and this proxy above all', async () => {
    for (const host of ['169.254.169.254', 'evil.test', `127.0.0.1:${portOf(echo) - 1}`]) {
      const client = await RawClient.open(proxy.port)
      client.send(`CONNECT ${host.includes(':') ? host : `${host}:80`} HTTP/1.1\r\n\r\n`)
      expect((await client.response()).status).toBe(403)
      client.close()
    }
    const client = await RawClient.open(proxy.port)
    client.send(`CONNECT 127.0.0.1:${proxy.port} HTTP/1.1\r\n\r\n`)
    const { status, reason } = await client.response()
    expect(status).toBe(403)
    expect(reason).toContain('CONNECT would lead to this proxy itself')
    client.close()
  })
})

test('a proxy that is to fetch through itself is refused at the start', async () => {
  const { config } = await trial.writeSettings()
  const { code, stderr } = await serveWith(config)
  expect(code).toBe(2)
  expect(stderr).toContain('HTTP_PROXY leads to this proxy itself.')
  expect(stderr).toContain('env -u HTTP_PROXY -u http_proxy tufgate serve')
})

/** It ends before it listens anywhere. */
async function serveWith(config: string): Promise<Finished> {
  const environment = { HTTP_PROXY: 'http://localhost:8642' }
  const listen = ['--listen', '127.0.0.1:8642']
  return collect(spawnProgram(environment, 'serve', ...listen, '--config', config))
}
