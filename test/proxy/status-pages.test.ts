import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { encodeUtf8 } from '../../src/base/bytes.ts'
import { VerifyError } from '../../src/base/errors.ts'
import type { ProxyState } from '../../src/proxy/proxy-state.ts'
import { isLocalClient } from '../../src/proxy/local-client.ts'
import { failToAppend, filePath, openPolicy, trust } from '../support/memory-gateway.ts'
import { RunningProxy } from '../support/running-proxy.ts'
import type { RawResponse } from '../support/raw-client.ts'

const asJson = ['Accept: application/json']
const asBrowser = ['Accept: text/html,application/xhtml+xml', 'Sec-Fetch-Mode: navigate']

let proxy: RunningProxy
beforeEach(async () => {
  proxy = await RunningProxy.start()
})
afterEach(async () => proxy.stop())

async function readJson(target: string): Promise<Record<string, unknown>> {
  return JSON.parse((await proxy.get(target, asJson)).body.toString()) as Record<string, unknown>
}

/** A file of which the host sends something else. */
async function refuseFile(filename = 'foo-1.1-py3-none-any.whl'): Promise<RawResponse> {
  proxy.gateway.addProject('foo', [{ filename, content: encodeUtf8('genuine') }])
  const refusing = proxy.get(filePath('foo', filename))
  while (proxy.gateway.fetches.length === 0) await new Promise(setImmediate)
  proxy.gateway.fetches.pop()!.fail(
    new VerifyError('DIGEST_MISMATCH', `sha256 of ${filename} is not the signed one`, {
      expected: 'a'.repeat(64),
      found: 'b'.repeat(64),
      next: 'Do not install it.',
    }),
  )
  return refusing
}

const index: ProxyState['indexes'][number] = {
  name: 'pypi',
  url: 'https://pypi.org/simple/',
  trustKind: 'signed',
  roles: [
    { role: 'root', version: 3, expires: Date.parse('2027-11-20T12:00:00Z') },
    { role: 'timestamp', version: 41, expires: Date.parse('2026-11-21T10:00:00Z') },
  ],
  indexSeenAt: Date.parse('2026-11-20T11:55:00Z'),
}

describe('the status page', () => {
  beforeEach(() => {
    proxy.gateway.state = { ...proxy.gateway.state, indexes: [index] }
  })

  test('says which list is trusted, until when, and when the index was last seen', async () => {
    const { status, headers, body } = await proxy.get('/-/')
    expect(status).toBe(200)
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8')
    const page = body.toString()
    expect(page).toContain('https://pypi.org/simple/')
    expect(page).toMatch(/timestamp.*?41.*?in 22 h.*?2026-11-21.{0,40}10:00:00 UTC/s)
    expect(page).toMatch(/The mirror last saw the index 5 min ago/)
    expect(page).toContain('Version 1.2.3, running for 1 h')
    expect(page).toContain('1.5 MB of at most 20.0 GB')
    expect(page).toContain('/var/lib/tufgate/audit')
  })

  test('is not kept, runs nothing and loads nothing', async () => {
    const { headers, body } = await proxy.get('/-/')
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/,
    )
    expect(headers.get('cross-origin-resource-policy')).toBe('same-origin')
    const page = body.toString()
    expect(page).not.toMatch(/<script|\son[a-z]+=|javascript:|(?:src|href)="(?:https?:)?\/\//i)
    // Relative, so that they hold behind an access token.
    expect(page).not.toMatch(/href="\//)
  })

  test('says of an index without a mirror that nobody vouches for the first time', async () => {
    const firstUse = { ...index, trustKind: 'first-use' as const }
    proxy.gateway.state = { ...proxy.gateway.state, indexes: [firstUse] }
    const page = (await proxy.get('/-/')).body.toString()
    expect(page).toContain('Nobody vouches for that first time')
    expect(page).not.toMatch(/\b(?:signed|verified)\b/i)
  })

  test('says what expired, and what is not served', async () => {
    proxy.gateway.ready = false
    proxy.gateway.time = Date.parse('2026-11-22T10:00:00Z')
    const page = (await proxy.get('/-/')).body.toString()
    expect(page).toContain('Not serving everything')
    expect(page).toContain('expired 1 d ago')
  })

  test('lists what was refused and hidden, the newest first, each with its explanation', async () => {
    await refuseFile()
    proxy.gateway.policy = { ...openPolicy, minAgeMs: 86_400_000 }
    await proxy.get('/simple/foo/')
    const page = (await proxy.get('/-/')).body.toString()
    const links = Array.from(page.matchAll(/href="refused\/(r-[a-z2-7]{8})"/g), ([, id]) => id)
    expect(links).toHaveLength(2)
    expect(page.indexOf('policy hides')).toBeLessThan(page.indexOf('is not the signed one'))
    expect((await proxy.get(`/-/refused/${links[1]!}`)).body.toString()).toContain(
      'Do not install it.',
    )
  })

  test('counts equal refusals as one line with a number', async () => {
    await refuseFile()
    await refuseFile()
    const { refused } = (await readJson('/-/')) as { refused: { times: number }[] }
    expect(refused).toMatchObject([{ times: 2, code: 'DIGEST_MISMATCH' }])
  })

  test('as JSON carries no control character of a client to a terminal', async () => {
    const client = await proxy.connect()
    client.send('GET / HTTP/1.1\r\nHost: \u009b2J\u0085evil\r\n\r\n')
    await client.ended()
    const [{ id = '' } = {}] = proxy.gateway.events
    for (const target of ['/-/', `/-/refused/${id}`]) {
      const text = (await proxy.get(target, asJson)).body.toString()
      expect(text).toContain(String.raw`\u009b2J\u0085evil`)
      expect(text).not.toMatch(/[\u007f-\u009f]/)
    }
  })

  test('keeps a refusal in sight, however many names a client makes up', async () => {
    await refuseFile()
    for (let at = 0; at < 120; at += 1) await proxy.get(`/simple/made-up-${at}/`)
    const { refused, failed } = (await readJson('/-/')) as Record<string, unknown[]>
    expect(refused).toMatchObject([{ code: 'DIGEST_MISMATCH' }])
    expect(failed).toHaveLength(50)
    const page = (await proxy.get('/-/')).body.toString()
    expect(page).toContain('foo-1.1-py3-none-any.whl')
    expect(page).toContain('made-up-119')
  })

  test('shows hostile names as text, cut, with hidden letters spelled out', async () => {
    const name = `foo-1.0-<script>alert(1)</script>"'\u202e${'x'.repeat(120)}.whl`
    const message = '</style><img src=x onerror=alert(1)>\u0000\u2028'
    const event = { kind: 'refused', code: 'DIGEST_MISMATCH', id: 'r-aaaaaaaa' } as const
    proxy.gateway.entries.set('r-aaaaaaaa', {
      entries: [
        { ...event, project: 'foo', file: name, message, found: 'y'.repeat(9000), time: 0 },
      ],
      searched: 'whole',
    })
    const page = (await proxy.get('/-/refused/r-aaaaaaaa')).body.toString()
    expect(page).not.toMatch(/<script|<img|\u202e|\u2028|\0/)
    expect(page).toContain('&lt;script&gt;')
    expect(page).toContain(String.raw`\u202e`)
    expect(page).not.toContain('y'.repeat(2000))
  })

  test('is JSON for a program, without the addresses of clients', async () => {
    await refuseFile()
    const status = await readJson('/-/')
    expect(status).toMatchObject({
      version: '1.2.3',
      ready: true,
      indexes: [{ name: 'pypi', trust: 'signed', roles: [{ role: 'root' }, { version: 41 }] }],
      counts: { answers: { refused: { count: 1 } }, refused: { DIGEST_MISMATCH: 1 } },
      vault: { bytes: 1_500_000 },
    })
    expect(JSON.stringify(status)).not.toContain('127.0.0.1')
  })

  test('stands in the audit log like every answer, and is refused when the log fails', async () => {
    await proxy.get('/-/')
    expect(proxy.gateway.events.at(-1)).toMatchObject({ kind: 'page', request: 'GET /-/' })
    proxy.gateway.appendGate = failToAppend
    await proxy.get('/-/')
    expect((await proxy.get('/-/')).status).toBe(507)
  })

  test('is reached without its last slash too, and behind an access token', async () => {
    expect((await proxy.get('/-')).headers.get('location')).toBe('-/')
    const token = await RunningProxy.start({ accessToken: 'secret' })
    expect((await token.get('/-/')).status).toBe(404)
    const page = await token.get('/secret/-/')
    expect(page.status).toBe(200)
    expect(page.body.toString()).not.toContain('secret')
    await token.stop()
  })
})

describe('an explanation', () => {
  test('of what was just refused comes from memory', async () => {
    const { headers } = await refuseFile()
    const id = headers.get('x-request-id')!
    const { status, body } = await proxy.get(`/-/refused/${id}`)
    expect(status).toBe(200)
    const page = body.toString()
    expect(page).toContain('sha256 of foo-1.1-py3-none-any.whl is not the signed one')
    expect(page).toContain('a'.repeat(64))
    expect(page).toContain('b'.repeat(64))
    expect(page).toContain('tufgate mirror verify-files MIRROR --project foo')
    expect(page).toContain('root 3, timestamp 41, snapshot 40')
    expect(proxy.gateway.searches).toEqual([])
    expect(await readJson(`/-/refused/${id}`)).toMatchObject({
      id,
      outcome: 'refused',
      code: 'DIGEST_MISMATCH',
      advice: 'Do not install it.',
    })
  })

  test('of a file that was handed out comes from the log', async () => {
    const digest = `sha256:${'c'.repeat(64)}`
    const event = {
      kind: 'released',
      id: 'r-bbbbbbbb',
      project: 'foo',
      file: 'foo-1.0.tar.gz',
    } as const
    proxy.gateway.entries.set('r-bbbbbbbb', {
      entries: [{ ...event, expected: digest, found: digest, time: 0, trust, bytes: 7 }],
      searched: 'whole',
    })
    const page = (await proxy.get('/-/refused/r-bbbbbbbb')).body.toString()
    expect(page).toContain('Delivered')
    expect(page).toContain(digest)
    expect(page).toContain('tufgate audit verify --log /var/lib/tufgate/audit')
  })

  test('of an id that nobody knows says so, and is no refusal', async () => {
    const { status, headers, body } = await proxy.get('/-/refused/r-zzzzzzzz')
    expect(status).toBe(404)
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(body.toString()).toContain('Nothing is known of r-zzzzzzzz')
    expect(await readJson('/-/refused/r-zzzzzzzz')).toMatchObject({
      status: 404,
      next: 'tufgate explain r-zzzzzzzz',
    })
    expect(proxy.gateway.events.map(({ kind }) => kind)).toEqual(['page', 'page'])
  })

  test.each([
    ['partly', 404, 'Older parts are not looked at for a page'],
    ['busy', 503, 'is being looked at for somebody else'],
  ] as const)('says where it did not look: %s', async (searched, expected, detail) => {
    proxy.gateway.entries.set('r-zzzzzzzz', { entries: [], searched })
    const { status, body } = await proxy.get('/-/refused/r-zzzzzzzz')
    expect(status).toBe(expected)
    expect(body.toString()).toContain(detail)
    expect(body.toString()).toContain('tufgate explain r-zzzzzzzz')
  })

  test('of first use says neither "signed" nor "verified", even where nothing was found', async () => {
    proxy.gateway.trusted = { root: 1, firstUse: true }
    proxy.gateway.lookupFault = new VerifyError(
      'INDEX_UNSEEN',
      'https://pypi.org/simple/ has not answered for too long',
    )
    const { headers } = await proxy.get('/simple/foo/')
    expect(headers.get('x-tufgate-trust')).toBe('first-use')
    const page = (await proxy.get(`/-/refused/${headers.get('x-request-id')!}`)).body.toString()
    expect(page).toContain('first-use record')
    expect(page).not.toMatch(/\b(?:signed|verified)\b/i)
  })
})

describe('what is not for everybody', () => {
  const entry = { kind: 'refused', id: 'r-aaaaaaaa', code: 'DENIED', time: 0 } as const

  test.each([
    ['127.0.0.1', true],
    ['192.0.2.7', false],
  ])('the address of a client (%s) is shown to that client alone', async (client, isShown) => {
    const entries = [{ ...entry, client }]
    proxy.gateway.entries.set('r-aaaaaaaa', { entries, searched: 'whole' })
    const page = (await proxy.get('/-/refused/r-aaaaaaaa')).body.toString()
    expect(page.includes(client)).toBe(isShown)
    expect('who' in (await readJson('/-/refused/r-aaaaaaaa'))).toBe(isShown)
  })

  test.each([
    ['127.0.0.1', true],
    ['::1', true],
    ['::ffff:127.0.0.1', true],
    ['192.0.2.7', false],
    ['::ffff:192.0.2.7', false],
    ['fe80::1', false],
    [undefined, false],
  ])('folders are shown on this machine alone (%s)', (remoteAddress, isShown) => {
    expect(isLocalClient({ remoteAddress } as Socket)).toBe(isShown)
  })
})

describe('somebody whose browser is refused something', () => {
  test('after a link on another web site gets a page that says how to go on', async () => {
    const from = [...asBrowser, 'Sec-Fetch-Site: cross-site']
    const { status, reason, headers, body } = await proxy.get('/-/refused/r-aaaaaaaa', from)
    expect(status).toBe(403)
    expect(reason).toMatch(/^Refused by tufgate: /)
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(body.toString()).toContain('paste it into the address bar of a new tab')
    expect(body.toString()).not.toContain('href="/')
    expect(proxy.gateway.events).toMatchObject([{ kind: 'refused', code: 'ORIGIN_NOT_ALLOWED' }])
  })

  test('by an address that is not there gets a page too, and an installer the document', async () => {
    const page = await proxy.get('/pypi/', [...asBrowser, 'Sec-Fetch-Site: none'])
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(page.status).toBe(404)
    const pip = await proxy.get('/pypi/', ['Accept: text/html; q=0.01'])
    expect(pip.headers.get('content-type')).toBe('application/problem+json')
  })

  test.each(['none', 'same-origin'])('opens the status page by hand (%s)', async (site) => {
    expect((await proxy.get('/-/', [...asBrowser, `Sec-Fetch-Site: ${site}`])).status).toBe(200)
  })

  test.each([
    [['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: no-cors'], 403],
    [['Origin: https://evil.test'], 403],
    [['Host: evil.test'], 400],
  ])('does not show it to another site (%s)', async (headers, expected) => {
    const { status, body } = await proxy.get('/-/', headers)
    expect(status).toBe(expected)
    expect(body.toString()).not.toContain('running for')
  })
})
