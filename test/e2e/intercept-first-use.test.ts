/** An index of a company at a port of its own, by name and by address, without any mirror: trust on first use, inside of TLS. */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { buildWheel, sha256 } from '../support/build-wheel.ts'
import {
  flipByte,
  serve,
  startHostileServer,
  type HostileServer,
} from '../support/hostile-server.ts'
import { beginTls, exchange, sendConnect } from '../support/inner-client.ts'
import { runProgram, startServeIn, type RunningProxy } from '../support/program.ts'
import { tlsCertificate, tlsKey } from '../support/tls-identity.ts'

const wheel = buildWheel({ name: 'company-lib', version: '1.0' })

let folder: string
let index: HostileServer
let proxy: RunningProxy | undefined

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tufgate-intercept-port-'))
  index = await startHostileServer({ tls: { key: tlsKey, cert: tlsCertificate } })
  const link = `<a href="/files/${wheel.filename}#sha256=${sha256(wheel.bytes)}">${wheel.filename}</a>`
  const page = Buffer.from(`<!DOCTYPE html><html><body>${link}</body></html>`)
  index.on('/simple/company-lib/', serve(page, { 'content-type': 'text/html' }))
  index.on(`/files/${wheel.filename}`, serve(wheel.bytes))
})

afterEach(async () => {
  await proxy?.stop()
  await index.close()
  await rm(folder, { recursive: true })
})

/** Gives the certificate of the local authority. */
async function startFor(host: string): Promise<string> {
  const extra = join(folder, 'company.pem')
  const config = join(folder, 'tufgate.toml')
  await writeFile(extra, tlsCertificate)
  const lines = [
    `state-dir = ${JSON.stringify(join(folder, 'state'))}`,
    '[intercept]\nenabled = true',
    `[[index]]\nname = "company"\nurl = "https://${host}:${index.port}/simple/"`,
  ]
  await writeFile(config, `${lines.join('\n')}\n`)
  proxy = await startServeIn({ NODE_EXTRA_CA_CERTS: extra }, '--config', config)
  const ca = join(folder, 'ca.pem')
  expect((await runProgram('ca', 'export', '-o', ca, '--config', config)).code).toBe(0)
  return readFile(ca, 'utf8')
}

async function ask(host: string, path: string, ca: string): Promise<string> {
  const authority = `${host}:${index.port}`
  const { socket } = await sendConnect(proxy?.origin ?? '', authority)
  // An address is no server name (RFC 6066 3).
  const name = host === 'localhost' ? { servername: host } : {}
  const inner = await beginTls(socket, { host, ...name, ca })
  const lines = [`GET ${path} HTTP/1.1`, `Host: ${authority}`, 'Connection: close']
  return exchange(inner, lines)
}

test.each(['localhost', '127.0.0.1'])('serves its pages and files as %s', async (host) => {
  const ca = await startFor(host)

  const page = await ask(host, '/simple/company-lib/', ca)
  const file = await ask(host, `/files/${wheel.filename}`, ca)

  expect(page).toMatch(/^HTTP\/1\.1 200 /)
  expect(page).toContain(`https://${host}:${index.port}/files/${wheel.filename}#sha256=`)
  expect(file).toMatch(/^HTTP\/1\.1 200 /)
  expect(file).toContain(`Content-Length: ${wheel.bytes.length}\r\n`)
})

test('refuses a file that is not what was seen at first use', async () => {
  const ca = await startFor('localhost')
  await ask('localhost', '/simple/company-lib/', ca)
  index.on(`/files/${wheel.filename}`, flipByte(wheel.bytes))

  const file = await ask('localhost', `/files/${wheel.filename}`, ca)

  expect(file).toMatch(/^HTTP\/1\.1 403 Refused by tufgate: sha256 of company_lib-1\.0/)
})

test('the other port of the same host is another server', async () => {
  const ca = await startFor('localhost')
  const { status } = await sendConnect(proxy?.origin ?? '', 'localhost:443')

  expect(ca).toContain('BEGIN CERTIFICATE')
  expect(status).toBe(403)
})
