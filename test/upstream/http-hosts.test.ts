import { describe, expect, test } from 'vitest'
import { AddressRefusedError } from '../../src/upstream/address-guard.ts'
import { createCredentials } from '../../src/upstream/credentials.ts'
import { createDispatcher } from '../../src/upstream/dispatchers.ts'
import {
  defaultHttpLimits,
  type HttpClient,
  type HttpResponse,
} from '../../src/upstream/http-client.ts'
import type { HostRules } from '../../src/upstream/host-rules.ts'
import { containing } from '../support/expecting.ts'
import {
  redirect,
  serve,
  startHostileServer,
  status,
  type HostileServer,
} from '../support/hostile-server.ts'
import {
  useHostileServer,
  createClient,
  clientThatResolves,
  get,
  download,
  server,
  text,
} from './http-fixture.ts'

useHostileServer()

/** The server's own host and another one, with credentials for the server. */
function rulesWith(other: HostileServer): HostRules {
  const credentials = createCredentials(server.origin, 'netrc', { user: 'ann', password: 'secret' })
  return {
    names: [`127.0.0.1:${server.port}`, `127.0.0.1:${other.port}`],
    allowPrivate: true,
    credentials,
  }
}

function fetchFrom(client: HttpClient, allowPrivate: boolean): Promise<HttpResponse> {
  const host = `files.test:${server.port}`
  const hosts = { names: [host], allowPrivate }
  return client.get(`http://${host}/page`, { hosts, maxBytes: 1000 })
}

describe('redirects', () => {
  test('are followed, and the answer says where it came from', async () => {
    server.on('/a', redirect('b?x=1', 301))
    server.on('/b', redirect('/c', 308))
    server.on('/c', serve(text))
    expect((await get('/a')).url).toBe(server.url('/c'))
  })

  test('loops end after five', async () => {
    server.on('/a', redirect('/b'))
    server.on('/b', redirect('/a'))
    await expect(get('/a')).rejects.toMatchObject({
      code: 'BAD_STATUS',
      message: `${server.url('/a')} redirects more than 5 times`,
    })
    expect(server.count()).toBe(6)
  })

  test.each([
    'http://169.254.169.254/latest/meta-data/',
    'http://evil.example/foo.whl',
    '//evil.example/foo.whl',
    'http://user:pw@127.0.0.1/',
    'file:///etc/passwd',
    'gopher://127.0.0.1/',
  ])('to %s are refused', async (location) => {
    server.on('/file', redirect(location))
    await expect(download('/file')).rejects.toMatchObject({ code: 'HOST_REFUSED' })
    expect(server.count()).toBe(1)
  })

  test('a redirect without a place is not one', async () => {
    server.on('/a', status(302))
    await expect(get('/a')).rejects.toMatchObject({ code: 'BAD_STATUS', status: 302 })
  })

  test('credentials go to their own origin and no further', async () => {
    const other = await startHostileServer()
    other.on('/b', serve(text))
    server.on('/a', redirect(other.url('/b')))
    await createClient().get(server.url('/a'), { hosts: rulesWith(other), maxBytes: 1000 })
    expect(server.requests[0]?.headers.authorization).toBe('Basic YW5uOnNlY3JldA==')
    expect(other.requests[0]?.headers.authorization).toBeUndefined()
    await other.close()
  })

  test('credentials do not come back with a redirect from elsewhere: no other host chooses what is asked with them', async () => {
    const other = await startHostileServer()
    server.on('/a', redirect(other.url('/b')))
    other.on('/b', redirect(server.url('/private')))
    server.on('/private', serve(text))
    await createClient().get(server.url('/a'), { hosts: rulesWith(other), maxBytes: 1000 })
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([
      'Basic YW5uOnNlY3JldA==',
      undefined,
    ])
    await other.close()
  })

  test.each([
    [401, 'to the credentials of "netrc"', 'Look at what "netrc" holds'],
    [403, 'to the credentials of "netrc"', 'Look at what "netrc" holds'],
  ])('a %i says which credentials were sent, not what they are', async (code, clause, next) => {
    const other = await startHostileServer()
    server.on('/a', status(code))
    await expect(
      createClient().get(server.url('/a'), { hosts: rulesWith(other), maxBytes: 1 }),
    ).rejects.toMatchObject({
      code: 'ACCESS_DENIED',
      message: `${server.origin}/a answered ${code} ${clause}`,
      facts: { next: containing(next) },
    })
    await other.close()
  })

  test('a 401 of another host says that the credentials are not for it', async () => {
    const other = await startHostileServer()
    server.on('/a', redirect(other.url('/b')))
    other.on('/b', status(401))
    await expect(
      createClient().get(server.url('/a'), { hosts: rulesWith(other), maxBytes: 1 }),
    ).rejects.toMatchObject({
      code: 'ACCESS_DENIED',
      message: `${other.origin}/b answered 401`,
      facts: { next: containing(`are sent to ${server.origin} alone`) },
    })
    await other.close()
  })

  test('a file on another host, or on another port of the same host, is asked for without credentials', async () => {
    const other = await startHostileServer()
    other.on('/file', serve(text))
    const sink = { write: () => undefined }
    const options = { hosts: rulesWith(other), maxBytes: 1000 }
    await createClient().download(other.url('/file'), sink, options)
    expect(other.requests[0]?.headers.authorization).toBeUndefined()
    await other.close()
  })
})

describe('addresses', () => {
  test('DNS rebinding: an allowed name at a private address is refused when connecting', async () => {
    server.on('/page', serve(text))
    await expect(fetchFrom(clientThatResolves('127.0.0.1'), false)).rejects.toMatchObject({
      code: 'HOST_REFUSED',
      message: `refused to connect to http://files.test:${server.port}/page: files.test is at the loopback address 127.0.0.1`,
      facts: { found: '127.0.0.1', next: containing('file-hosts') },
    })
    expect(server.connections).toBe(0)
  })

  test('the same name is reached where the index itself is private', async () => {
    server.on('/page', serve(text))
    expect((await fetchFrom(clientThatResolves('127.0.0.1'), true)).status).toBe(200)
  })

  test.each([
    '169.254.169.254',
    '::ffff:127.0.0.1',
    '0.0.0.0',
    '10.0.0.1',
    '100.64.0.1',
    'fd00::1',
  ])('a name at %s is refused', async (address) => {
    await expect(fetchFrom(clientThatResolves(address), false)).rejects.toMatchObject({
      code: 'HOST_REFUSED',
      facts: { found: address },
    })
  })

  test('cloud metadata stays out of reach even where the index is private', async () => {
    await expect(fetchFrom(clientThatResolves('169.254.169.254'), true)).rejects.toMatchObject({
      code: 'HOST_REFUSED',
    })
  })

  test('a name that does not resolve', async () => {
    const client = createClient({
      lookup: (_host, _options, callback) => {
        callback(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' }), '')
      },
    })
    await expect(fetchFrom(client, false)).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: containing('the host name does not resolve'),
      facts: {
        next: containing('Check the name of the host, and that this machine can resolve it'),
      },
    })
  })
})

const ignore = (): void => undefined

test('a written address is checked by the socket too, whoever asks for it', async () => {
  const dispatcher = createDispatcher(false, {
    ...defaultHttpLimits,
    environment: {},
  })
  const failure = await new Promise((resolve) => {
    dispatcher.dispatch(
      { origin: server.origin, path: '/', method: 'GET' },
      {
        onRequestStart: ignore,
        onResponseStart: ignore,
        onResponseData: ignore,
        onResponseEnd: ignore,
        onResponseError: (_, error) => resolve(error),
      },
    )
  })
  expect(failure).toBeInstanceOf(AddressRefusedError)
  await dispatcher.close()
})
