import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { encodeUtf8 } from '../../src/base/bytes.ts'
import { sha256Hex } from '../../src/base/digest.ts'
import { UpstreamError, VerifyError, StorageError } from '../../src/base/errors.ts'
import { parseDenyRule } from '../../src/policy/deny-rule.ts'
import { filePath, openPolicy } from '../support/memory-gateway.ts'
import { RunningProxy } from '../support/running-proxy.ts'

const content = Buffer.from(Array.from({ length: 1000 }, (_, at) => at % 251))
const etag = `"sha256-${sha256Hex(content)}"`
const filename = 'foo-1.0-py3-none-any.whl'
const path = filePath('foo', filename)

let proxy: RunningProxy
beforeEach(async () => {
  proxy = await RunningProxy.start()
  proxy.gateway.addProject('foo', [{ filename, content }])
})
afterEach(async () => {
  expect(proxy.gateway.openFiles).toBe(0)
  await proxy.stop()
})

test('a file that is newer than the record at hand is looked for in the one that a page would have', async () => {
  const { gateway } = proxy
  const newer = gateway.lookups.get('foo')!
  gateway.store(content)
  gateway.addProject('foo', [{ filename: 'foo-0.9.tar.gz', content }])
  const older = gateway.lookups.get('foo')!
  const purposes: string[] = []
  gateway.findRecord = async (_project: string, purpose?: 'page' | 'file') => {
    purposes.push(purpose ?? '')
    return purpose === 'page' ? newer : older
  }
  expect((await proxy.get(path)).status).toBe(200)
  expect((await proxy.get(filePath('foo', 'foo-0.9.tar.gz'))).status).toBe(200)
  expect((await proxy.get(filePath('foo', 'foo-7.0.tar.gz'))).status).toBe(404)
  expect(purposes).toEqual(['file', 'page', 'file', 'file', 'page'])
})

describe('a file from the vault', () => {
  beforeEach(() => proxy.gateway.store(content))

  test('is sent whole, with its length, its ETag and nothing around it', async () => {
    const { status, headers, body } = await proxy.get(path)
    expect(status).toBe(200)
    expect(body.equals(content)).toBe(true)
    expect(headers.get('content-length')).toBe('1000')
    expect(headers.get('etag')).toBe(etag)
    expect(headers.get('accept-ranges')).toBe('bytes')
    expect(headers.get('cache-control')).toBe('no-cache')
    expect(headers.has('content-encoding')).toBe(false)
    expect(headers.has('transfer-encoding')).toBe(false)
    expect(proxy.gateway.downloads).toEqual([])
  })

  test('is never compressed, whatever the client accepts', async () => {
    const { headers, body } = await proxy.get(path, ['Accept-Encoding: gzip'])
    expect(headers.has('content-encoding')).toBe(false)
    expect(body.equals(content)).toBe(true)
  })

  test.each([
    ['bytes=10-19', 10, 20],
    ['bytes=990-', 990, 1000],
    ['bytes=-48', 952, 1000],
    ['bytes=0-0', 0, 1],
    ['bytes=0-', 0, 1000],
    ['bytes=990-99999', 990, 1000],
  ])('gives the range %s', async (range, start, end) => {
    const { status, headers, body } = await proxy.get(path, [
      `Range: ${range}`,
      `If-Range: ${etag}`,
    ])
    expect(status).toBe(206)
    expect(headers.get('content-range')).toBe(`bytes ${start}-${end - 1}/1000`)
    expect(body.equals(content.subarray(start, end))).toBe(true)
  })

  test.each([['bytes=0-1,5-6'], ['bytes=5-2'], ['pages=1-2']])(
    'gives the whole for %s',
    async (range) => {
      const { status, body } = await proxy.get(path, [`Range: ${range}`])
      expect([status, body.length]).toEqual([200, 1000])
    },
  )

  test('gives the whole to two Range headers', async () => {
    const { status } = await proxy.get(path, ['Range: bytes=100-101', 'Range: bytes=200-201'])
    expect(status).toBe(200)
  })

  test('gives the whole when If-Range names another file or a date', async () => {
    for (const value of ['"sha256-other"', 'Fri, 20 Nov 2026 12:00:00 GMT', `W/${etag}`]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { status } = await proxy.get(path, ['Range: bytes=500-', `If-Range: ${value}`])
      expect(status).toBe(200)
    }
  })

  test('says how long it is when a range lies behind its end', async () => {
    const { status, headers } = await proxy.get(path, ['Range: bytes=1000-'])
    expect(status).toBe(416)
    expect(headers.get('content-range')).toBe('bytes */1000')
    expect(proxy.gateway.events).toMatchObject([{ kind: 'refused', code: 'RANGE_NOT_SATISFIABLE' }])
  })

  test('is not sent again to a client that has it', async () => {
    const { status, headers, body } = await proxy.get(path, [`If-None-Match: ${etag}`])
    expect([status, headers.get('etag'), body.length]).toEqual([304, etag, 0])
  })

  test('answers HEAD with its length and ETag, without a body', async () => {
    const client = await proxy.connect()
    client.ask(path, ['Range: bytes=5-6'], 'HEAD')
    const { status, headers } = await client.response({ head: true })
    expect([status, headers.get('content-length'), headers.get('etag')]).toEqual([
      200,
      '1000',
      etag,
    ])
    client.ask('/-/health')
    expect((await client.response()).body.toString()).toBe('{"status":"ok"}\n')
  })

  test('serves the .metadata under its own signed digest', async () => {
    const metadata = encodeUtf8('Name: foo')
    proxy.gateway.addProject('foo', [{ filename, content: encodeUtf8('not here'), metadata }])
    proxy.gateway.store(metadata)
    const { status, body } = await proxy.get(`${path}.metadata`)
    expect([status, body.toString()]).toEqual([200, 'Name: foo'])
  })

  test.each([0, 1, 262_143, 262_144, 262_145, 3_000_000])(
    'of %d bytes arrives unchanged',
    async (size) => {
      const big = Buffer.alloc(size)
      for (let at = 0; at < size; at += 1) big[at] = (at * 31) % 253
      proxy.gateway.addProject('foo', [{ filename, content: big }])
      proxy.gateway.store(big)
      const { status, body } = await proxy.get(path)
      expect(status).toBe(200)
      expect(body.equals(big)).toBe(true)
      expect(proxy.gateway.events).toMatchObject([
        { kind: 'released', bytes: size, file: filename },
      ])
    },
  )

  test('is refused where its length is not the signed one', async () => {
    proxy.gateway.addProject('foo', [{ filename, content, size: 999 }])
    const { status, reason } = await proxy.get(path)
    expect(status).toBe(403)
    expect(reason).toContain('the length of the file is not the one in its record')
    expect(proxy.gateway.events).toMatchObject([
      { code: 'LENGTH_MISMATCH', expected: '999 bytes', found: '1000 bytes' },
    ])
  })

  test('that was cut short on disk ends in 507, and standard error says so', async () => {
    const open = proxy.gateway.openVerified.bind(proxy.gateway)
    proxy.gateway.openVerified = async (sha256) => {
      const file = await open(sha256)
      return file && { ...file, size: 1000, read: async () => 0 }
    }
    expect((await proxy.get(path)).status).toBe(507)
    expect(proxy.faults.join()).toContain('is cut short')
  })
})

describe('a file that is not served', () => {
  test.each([
    ['no record lists its URL', '/files/foo/files.test/packages/other-1.0.tar.gz'],
    ['the host is another', `/files/foo/evil.test/packages/${filename}`],
    ['the path differs in case', `/files/foo/files.test/Packages/${filename}`],
    ['it is encoded twice', `/files/foo/files.test/packages/foo-1%252E0-py3-none-any.whl`],
    ['the project has no record', `/files/bar/files.test/packages/${filename}`],
    ['the project is another name', `/files/constructor/files.test/packages/${filename}`],
    ['.metadata of .metadata', `${path}.metadata.metadata`],
    ['a signature', `${path}.asc`],
    ['a query stands behind it', `${path}?download=1`],
  ])('404 when %s', async (_, target) => {
    proxy.gateway.store(content)
    const { status, body } = await proxy.get(target)
    expect(status).toBe(404)
    expect(JSON.parse(body.toString())).toMatchObject({ code: 'NOT_FOUND' })
    expect(proxy.gateway.downloads).toEqual([])
  })

  test('403 when policy denies it, even though it is in the vault, and for HEAD and its .metadata', async () => {
    proxy.gateway.addProject('foo', [{ filename, content, metadata: content }])
    proxy.gateway.store(content)
    proxy.gateway.policy = { ...openPolicy, deny: [parseDenyRule('foo')] }
    const { status, reason } = await proxy.get(path, [`If-None-Match: ${etag}`])
    expect(status).toBe(403)
    expect(reason).toMatch(/^Refused by tufgate: the policy denies foo \(r-/)
    expect((await proxy.get(path, [], 'HEAD')).status).toBe(403)
    expect((await proxy.get(`${path}.metadata`)).status).toBe(403)
    expect(proxy.gateway.events.map(({ code }) => code)).toEqual(['DENIED', 'DENIED', 'DENIED'])
  })

  test('403 when the index has removed it', async () => {
    proxy.gateway.addProject('foo', [{ filename, content, removed: '2026-11-01T00:00:00Z' }])
    proxy.gateway.store(content)
    expect((await proxy.get(path)).status).toBe(403)
    expect(proxy.gateway.events).toMatchObject([{ code: 'REMOVED' }])
  })

  test('403 when policy hides it as too young', async () => {
    proxy.gateway.policy = { ...openPolicy, minAgeMs: 1000 }
    expect((await proxy.get(path)).status).toBe(403)
    expect(proxy.gateway.events).toMatchObject([{ code: 'TOO_YOUNG' }])
  })

  test('403 when another digest is pinned, with both and the name of the pins file', async () => {
    const projects = new Map([['foo', new Map([[filename, 'b'.repeat(64)]])]])
    proxy.gateway.policy = { ...openPolicy, pins: { source: 'pins.txt', projects, count: 1 } }
    proxy.gateway.store(content)
    const { status, reason } = await proxy.get(path)
    expect(status).toBe(403)
    expect(reason).toContain(`sha256 of ${filename} is not the one in the pins file pins.txt`)
    expect(proxy.gateway.events).toMatchObject([
      { code: 'CONFLICT', expected: 'b'.repeat(64), found: sha256Hex(content) },
    ])
  })

  test('403 for a file that is not pinned, and for the metadata of one that is', async () => {
    const pins = { source: 'pins.txt', projects: new Map(), count: 0 }
    proxy.gateway.policy = { ...openPolicy, pins }
    expect((await proxy.get(path)).status).toBe(403)
    const files = new Map([[filename, sha256Hex(content)]])
    const projects = new Map([['foo', files]])
    proxy.gateway.policy = { ...openPolicy, pins: { ...pins, projects } }
    proxy.gateway.addProject('foo', [{ filename, content, metadata: content }])
    expect((await proxy.get(`${path}.metadata`)).status).toBe(403)
    expect(proxy.gateway.events).toMatchObject([{ code: 'NOT_PINNED' }, { code: 'NOT_PINNED' }])
  })

  test('403 when the project is in quarantine', async () => {
    const members = { 'project-status': { status: 'quarantined' } }
    proxy.gateway.addProject('foo', [{ filename, content }], members)
    proxy.gateway.store(content)
    const { status, reason } = await proxy.get(path)
    expect(status).toBe(403)
    expect(reason).toContain('quarantine')
  })

  test('403 when the list has expired, even though the file is in the vault', async () => {
    proxy.gateway.store(content)
    proxy.gateway.lookupFault = new VerifyError('EXPIRED', 'signed list expired 3 h ago')
    for (const method of ['GET', 'HEAD'] as const) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { status } = await proxy.get(
        path,
        [`If-None-Match: ${etag}`, 'Range: bytes=0-1'],
        method,
      )
      expect(status).toBe(403)
    }
  })

  test.each([
    [
      new VerifyError('DIGEST_MISMATCH', `sha256 of ${filename} is not the signed one`, {
        found: 'sha256:00',
      }),
      403,
    ],
    [new VerifyError('LENGTH_MISMATCH', `${filename} is shorter than signed`), 403],
    [new UpstreamError('TOO_LARGE', `${filename} is longer than signed`), 403],
    [new UpstreamError('HOST_REFUSED', 'redirected to a host that is not allowed'), 403],
    [new UpstreamError('UNREACHABLE', 'files.test cannot be reached'), 504],
    [new UpstreamError('BAD_STATUS', 'files.test answered 500'), 504],
    [new UpstreamError('BROKEN_OFF', 'files.test broke off'), 504],
    [new UpstreamError('TIMED_OUT', 'files.test did not answer'), 504],
    [new UpstreamError('TOO_SLOW', 'files.test sent 4 B/s'), 504],
    [new StorageError('DISK_FULL', 'the disk is full'), 507],
    [new StorageError('STATE_BUSY', 'another process writes'), 503],
  ])('a fetch that fails: %s -> %d', async (error, expected) => {
    const answer = proxy.get(path)
    await proxy.timers.waitFor(8000)
    proxy.gateway.fetches[0]!.fail(error)
    const { status, reason, headers } = await answer
    expect(status).toBe(expected)
    expect(reason).toMatch(/^(?:Refused|Not served) by tufgate: /)
    expect(reason).toContain(error.message)
    expect(reason.endsWith(`(${headers.get('x-request-id')!})`)).toBe(true)
    expect(headers.get('content-type')).toBe('application/problem+json')
    expect(proxy.gateway.events).toMatchObject([
      { kind: 'refused', code: error.code, file: filename },
    ])
    expect(proxy.faults.length).toBe(error instanceof StorageError ? 1 : 0)
  })
})

test('a reason is one line of printable ASCII, whatever the index calls its files', async () => {
  proxy.gateway.lookupFault = new VerifyError(
    'MALFORMED',
    'bad\r\nSet-Cookie: x=1\u0000\u202e\u00e9 name',
  )
  const { status, reason, headers } = await proxy.get('/simple/foo/')
  expect(status).toBe(451)
  expect(reason).toMatch(/^Refused by tufgate: bad\?\?Set-Cookie: x=1\?\?\? name \(r-/)
  expect(headers.has('set-cookie')).toBe(false)
})
