/** Raw bytes on a real socket, to a proxy whose index and files are in memory. */

import { connect } from 'node:net'
import type { Bytes } from '../../../src/base/bytes.ts'
import { filePath } from '../../../test/support/memory-gateway.ts'
import { MemoryForward } from '../../../test/support/memory-forward.ts'
import { RunningProxy } from '../../../test/support/running-proxy.ts'
import { requireRule, requireSame, type FuzzTarget } from '../target.ts'

const content = Buffer.alloc(3000, 'genuine ')
const unverified = Buffer.alloc(3000, 'forged! ')
const filename = 'foo-1.0.tar.gz'

let proxy: RunningProxy | undefined

async function open(): Promise<() => Promise<void>> {
  const started = await RunningProxy.start({ forward: new MemoryForward() })
  started.gateway.addProject('foo', [
    { filename, content },
    { filename: 'foo-2.0.tar.gz', content: Buffer.from('other') },
  ])
  started.gateway.store(content)
  // The only one whose file is not there yet: what is sent of it before it is verified is counted.
  started.gateway.nextFetch = () => ({
    done: Promise.reject(new Error('unexpected')).catch(() => undefined),
    progress: () => ({
      attempt: 1,
      head: unverified.subarray(0, 64),
      length: 3000,
      receivedBytes: 3000,
    }),
  })
  proxy = started
  return async () => {
    proxy = undefined
    await started.stop()
  }
}

const get = (target: string, ...headers: string[]): string =>
  [`GET ${target} HTTP/1.1`, 'Host: localhost', ...headers, '', ''].join('\r\n')

const seeds = [
  get('/simple/foo/'),
  get('/simple/foo/', 'Accept: text/html;q=0.5', 'If-None-Match: "x"', 'Accept-Encoding: gzip'),
  get(filePath('foo', filename)),
  get(filePath('foo', filename), 'Range: bytes=0-9', 'If-Range: "x"', 'Connection: close'),
  get('/-/status', 'Origin: http://localhost'),
  get('/simple/foo') + get('/-/health') + get('/simple/'),
  get('http://index.test/simple/foo/').replace('localhost', 'index.test'),
  'CONNECT index.test:443 HTTP/1.1\r\nHost: index.test:443\r\n\r\n',
  'POST /simple/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  'HEAD /simple/foo/ HTTP/1.0\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n',
]

const words = [
  '\r\n',
  '\n',
  '\r',
  ' HTTP/1.1\r\n',
  'HTTP/1.0',
  'HTTP/2.0',
  'Host: localhost\r\n',
  'Host: evil.test\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding : x\r\n',
  'Content-Length: 5\r\n',
  'Upgrade: h2c\r\nConnection: upgrade\r\n',
  'Expect: 100-continue\r\n',
  'Range: bytes=0-1,2-3\r\n',
  '0\r\n\r\n',
  '%2e%2e/',
  '\u00ff',
  '\t',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
]

const ok = new Set([200, 206, 301, 302, 303, 304, 307, 308])
const refusals = new Set([
  400, 403, 404, 405, 406, 407, 408, 411, 413, 414, 416, 417, 421, 431, 501,
])

async function run(input: Bytes): Promise<string> {
  if (proxy === undefined) throw new Error('the proxy is not there')
  const received = await exchange(proxy.port, input)
  requireSame(proxy.faults, [], 'faults of the proxy')
  requireRule(!received.includes('forged!'), 'unverified bytes have left')
  proxy.gateway.events.length = 0
  proxy.gateway.downloads.length = 0
  const statuses = listStatuses(received)
  for (const status of statuses) {
    requireRule(ok.has(status) || refusals.has(status), `an answer of status ${status}`)
  }
  requireSame(proxy.gateway.openFiles, 0, 'files are left open')
  return String(statuses[0] ?? 'no answer')
}

/** Sends all, says that it is done, and waits for the other side to say so too. */
async function exchange(port: number, input: Bytes): Promise<Buffer> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  const chunks: Buffer[] = []
  const { promise, resolve } = Promise.withResolvers<undefined>()
  socket.on('data', (chunk) => void chunks.push(chunk))
  socket.on('end', () => resolve(undefined))
  // A connection that is reset is an answer too.
  socket.on('error', () => resolve(undefined))
  socket.on('close', () => resolve(undefined))
  socket.end(input)
  await promise
  socket.destroy()
  return Buffer.concat(chunks)
}

function listStatuses(received: Buffer): number[] {
  const text = received.toString('latin1')
  requireRule(text === '' || text.startsWith('HTTP/1.1 '), 'an answer that is none')
  return [...text.matchAll(/(?:^|\n|[^\r\n])HTTP\/1\.1 (\d{3}) [^\r\n]*\r\n/g)].map((match) =>
    Number(match[1]),
  )
}

export const wireTarget: FuzzTarget = {
  name: 'wire',
  rule: 'whatever comes on a connection is answered or closed, and no byte leaves unverified',
  seeds: () => seeds,
  words,
  share: 0.1,
  open,
  run,
}
