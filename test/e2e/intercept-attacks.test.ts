/** What goes on inside of CONNECT: nobody gets more than a verified answer of the host that he connected to. */

import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ConnectionOptions } from 'node:tls'
import { findFilePath } from '../support/pretend-pypi.ts'
import { beginTls, exchange, sendConnect } from '../support/inner-client.ts'
import { startInterceptTrial, tool, victim, type InterceptTrial } from './intercept-trial.ts'

let trial: InterceptTrial
let ca: string

beforeAll(async () => {
  trial = await startInterceptTrial()
  ca = await readFile(trial.caFile, 'utf8')
}, 120_000)

afterAll(async () => {
  await trial.close()
})

const closing = ['Connection: close']

async function ask(
  host: string,
  lines: readonly string[],
  options: ConnectionOptions = {},
): Promise<string> {
  const { socket } = await sendConnect(trial.proxy.origin, `${host}:443`)
  const inner = await beginTls(socket, { servername: host, ca, ...options })
  return exchange(inner, [...lines, ...closing])
}

test('shows a certificate for exactly the host, of the authority that was exported', async () => {
  const { socket } = await sendConnect(trial.proxy.origin, 'pypi.org:443')
  const inner = await beginTls(socket, { servername: 'pypi.org', ca, ALPNProtocols: ['http/1.1'] })
  const leaf = inner.getPeerX509Certificate()
  inner.destroy()

  expect(leaf?.subjectAltName).toBe('DNS:pypi.org')
  expect(leaf?.verify(new X509Certificate(ca).publicKey)).toBe(true)
  expect(inner.alpnProtocol).toBe('http/1.1')
  const daysLeft = ((leaf?.validToDate.getTime() ?? Infinity) - Date.now()) / 86_400_000
  expect(daysLeft).toBeLessThanOrEqual(3)
})

test('answers a page and a file inside, from signed records', async () => {
  const page = await ask('pypi.org', ['GET /simple/client-tool/ HTTP/1.1', 'Host: pypi.org'])
  const file = await ask('files.pythonhosted.org', [
    `GET ${findFilePath(tool)} HTTP/1.1`,
    'Host: files.pythonhosted.org:443',
  ])

  expect(page).toMatch(/^HTTP\/1\.1 200 /)
  expect(page).toContain(`https://files.pythonhosted.org${findFilePath(tool)}`)
  expect(file).toMatch(/^HTTP\/1\.1 200 /)
  expect(file).toContain(`Content-Length: ${tool.bytes.length}\r\n`)
})

test.each([
  ['example.org:443'],
  ['www.pypi.org:443'],
  ['pypi.org:22'],
  ['pypi.org:8443'],
  ['127.0.0.1:443'],
  ['169.254.169.254:80'],
  ['localhost:22'],
])('begins no TLS and opens no tunnel for %s', async (target) => {
  const { status, refusal } = await sendConnect(trial.proxy.origin, target)

  expect(status).toBe(403)
  expect(refusal).toContain('"code":"FORWARD_REFUSED"')
  expect(trial.pypi.connects).not.toContain(target)
})

test.each([
  ['another intercepted host', 'files.pythonhosted.org'],
  ['a host that is not intercepted', 'example.org'],
  ['another port', 'pypi.org:8443'],
  ['the proxy itself', 'localhost'],
])('refuses a request inside that is for %s: 421', async (_what, host) => {
  const answer = await ask('pypi.org', ['GET /simple/client-tool/ HTTP/1.1', `Host: ${host}`])

  expect(answer).toMatch(/^HTTP\/1\.1 421 /)
  expect(answer).not.toContain(findFilePath(tool))
})

test.each([
  ['no Host', ['GET /simple/client-tool/ HTTP/1.1']],
  ['two Hosts', ['GET /simple/ HTTP/1.1', 'Host: pypi.org', 'Host: pypi.org']],
  ['a whole URL', ['GET https://pypi.org/simple/client-tool/ HTTP/1.1', 'Host: pypi.org']],
  ['a URL of another host', ['GET http://example.org/ HTTP/1.1', 'Host: example.org']],
])('refuses a request inside with %s: 400', async (_what, lines) => {
  const answer = await ask('pypi.org', lines)

  expect(answer).toMatch(/^HTTP\/1\.1 400 /)
})

test('refuses TLS that names another host than CONNECT did, before any request is read', async () => {
  const { socket } = await sendConnect(trial.proxy.origin, 'pypi.org:443')

  const answered = await beginTls(socket, {
    servername: 'files.pythonhosted.org',
    checkServerIdentity: () => undefined,
    ca,
  }).then(
    (inner) => exchange(inner, ['GET /simple/client-tool/ HTTP/1.1', 'Host: pypi.org', ...closing]),
    () => '',
  )

  expect(answered).toBe('')
})

test.each(['TLSv1', 'TLSv1.1'] as const)('refuses %s', async (version) => {
  const old = { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' } as const

  await expect(ask('pypi.org', [], old)).rejects.toThrow(/protocol version|unsupported protocol/)
})

test('speaks TLS 1.2', async () => {
  const answer = await ask('pypi.org', ['HEAD /simple/client-tool/ HTTP/1.1', 'Host: pypi.org'], {
    maxVersion: 'TLSv1.2',
  })

  expect(answer).toMatch(/^HTTP\/1\.1 200 /)
})

test('offers no HTTP/2: what is inside is read as HTTP/1.1', async () => {
  const options = { ALPNProtocols: ['h2'] }

  await expect(ask('pypi.org', [], options)).rejects.toThrow(/no application protocol/)
})

test('a client that does not trust the authority sends no request, and gets nothing', async () => {
  const asked = trial.pypi.server.count()

  await expect(
    ask('pypi.org', ['GET /simple/client-tool/ HTTP/1.1', 'Host: pypi.org'], { ca: [] }),
  ).rejects.toThrow('unable to verify the first certificate')

  expect(trial.pypi.server.count()).toBe(asked)
})

test('what comes in the clear after CONNECT is no request', async () => {
  const { socket } = await sendConnect(trial.proxy.origin, 'pypi.org:443')
  const received: Buffer[] = []
  socket.on('data', (chunk) => received.push(chunk))
  socket.on('error', () => undefined)

  socket.write('GET /simple/client-tool/ HTTP/1.1\r\nHost: pypi.org\r\n\r\n')
  await new Promise((resolve) => {
    socket.once('close', resolve)
  })

  expect(Buffer.concat(received).toString('latin1')).not.toContain('client')
})

test('CONNECT inside of CONNECT leads nowhere', async () => {
  const answer = await ask('pypi.org', [
    'CONNECT example.org:443 HTTP/1.1',
    'Host: example.org:443',
  ])

  expect(answer).toMatch(/^HTTP\/1\.1 405 /)
})

test.each(['/-/health', '/-/', '/pypi/client-tool/', '/search', '/packages/', '/'])(
  'serves nothing but pages and files as the host of an index: %s',
  async (path) => {
    const answer = await ask('pypi.org', [`GET ${path} HTTP/1.1`, 'Host: pypi.org'])

    expect(answer).toMatch(/^HTTP\/1\.1 404 /)
  },
)

test('a file that was changed is refused inside as outside', async () => {
  for (const more of [[], ['Range: bytes=0-10']]) {
    const answer = await ask('files.pythonhosted.org', [
      `GET ${findFilePath(victim)} HTTP/1.1`,
      'Host: files.pythonhosted.org',
      ...more,
    ])

    expect(answer).toMatch(/^HTTP\/1\.1 403 Refused by tufgate: sha256 of client_victim-1\.0/)
    expect(answer).not.toContain('EVIL')
  }
})

test('a file of one host is not to be had from the other', async () => {
  const answer = await ask('pypi.org', [`GET ${findFilePath(tool)} HTTP/1.1`, 'Host: pypi.org'])

  expect(answer).toMatch(/^HTTP\/1\.1 404 /)
})

test('requests one after the other in one connection are answered each', async () => {
  const { socket } = await sendConnect(trial.proxy.origin, 'pypi.org:443')
  const inner = await beginTls(socket, { servername: 'pypi.org', ca })

  const answers = await exchange(inner, [
    'GET /simple/client-tool/ HTTP/1.1',
    'Host: pypi.org',
    '',
    'GET /simple/nobody-has-this/ HTTP/1.1',
    'Host: pypi.org',
    '',
    'GET /simple/client-victim/ HTTP/1.1',
    'Host: pypi.org',
    ...closing,
  ])

  expect(Array.from(answers.matchAll(/HTTP\/1\.1 (\d+)/g), ([, status]) => status)).toEqual([
    '200',
    '404',
    '200',
  ])
})
