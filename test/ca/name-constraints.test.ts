/** What a thief of the authority's key gains: clients themselves are asked. */

import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildAuthorityCertificate, buildKey, buildLeaf } from '../../src/ca/certificates.ts'
import { requireInterceptedHosts } from '../../src/ca/authority.ts'
import { cleanEnvironment, runCommand, type Finished } from '../support/program.ts'

interface Theft {
  /** What the authority may speak for. */
  readonly permitted: readonly string[]
  /** The host of the leaf that the thief has signed, and that the client asks for. */
  readonly host: string
  readonly caFile: string
  readonly leafFile: string
  readonly url: string
}

let folder: string
const servers: Server[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tufgate-stolen-'))
})

afterAll(async () => {
  for (const server of servers) {
    server.close()
    server.closeAllConnections()
  }
  await rm(folder, { recursive: true })
})

async function stealKey(permitted: readonly string[], host: string): Promise<Theft> {
  const key = await buildKey()
  const validity = { from: Date.now() - 3_600_000, until: Date.now() + 3_600_000 }
  const hosts = requireInterceptedHosts(permitted)
  const [forged] = requireInterceptedHosts([host])
  if (forged === undefined) throw new Error(host)
  const certificate = await buildAuthorityCertificate({ key, hosts, name: 'thief', ...validity })
  const leaf = await buildLeaf({
    host: forged,
    authorityKey: key,
    authorityName: 'thief',
    ...validity,
  })
  const server = createServer({ cert: leaf.certificatePem, key: leaf.keyPem }, (_request, answer) =>
    answer.end('delivered'),
  )
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const base = join(folder, String(servers.length))
  await writeFile(`${base}-ca.pem`, certificate)
  await writeFile(`${base}-leaf.pem`, leaf.certificatePem)
  const { port } = server.address() as AddressInfo
  const url = `https://${host}:${port}/`
  return { permitted, host, caFile: `${base}-ca.pem`, leafFile: `${base}-leaf.pem`, url }
}

type Client = (theft: Theft) => Promise<Finished>

const env = cleanEnvironment()
for (const name of ['SSL_CERT_FILE', 'SSL_CERT_DIR', 'CURL_CA_BUNDLE']) delete env[name]

const python = `
import ssl, sys, urllib.request
context = ssl.create_default_context(cafile=sys.argv[1])
print(urllib.request.urlopen(sys.argv[2], context=context).read().decode())`

const node = `
const request = require('node:https').get(process.argv[1], (answer) => answer.pipe(process.stdout))
request.on('error', (error) => { console.error(error.message); process.exitCode = 1 })`

const clients: readonly (readonly [name: string, command: string, run: Client])[] = [
  [
    'curl',
    'curl',
    ({ caFile, url }) => runCommand('curl', ['-sS', '--cacert', caFile, url], { env }),
  ],
  [
    'Python',
    'python3',
    ({ caFile, url }) => runCommand('python3', ['-c', python, caFile, url], { env }),
  ],
  [
    'Node.js',
    process.execPath,
    ({ caFile, url }) =>
      runCommand(process.execPath, ['-e', node, url], {
        env: { ...env, NODE_EXTRA_CA_CERTS: caFile },
      }),
  ],
  [
    'wget',
    'wget',
    ({ caFile, url }) =>
      runCommand('wget', ['--no-config', '-q', '-O-', `--ca-certificate=${caFile}`, url], { env }),
  ],
]

describe.each(clients)('with the stolen key, %s', (name, command, run) => {
  const isThere = spawnSync(command, ['--version']).status === 0

  test.runIf(isThere)('accepts what the authority may say', async () => {
    const finished = await run(await stealKey(['localhost', 'pypi.org'], 'localhost'))

    expect(finished.stdout.trim()).toBe('delivered')
    expect(finished.code).toBe(0)
  })

  test.runIf(isThere).each([
    ['a host that is not intercepted', ['pypi.org'], 'localhost'],
    ['a name where only an address is intercepted', ['127.0.0.1'], 'localhost'],
    ['an address where only names are intercepted', ['localhost'], '127.0.0.1'],
    ['another address', ['127.0.0.2'], '127.0.0.1'],
    ['a name whose end is that of an intercepted one', ['host'], 'localhost'],
  ])('refuses a certificate for %s', async (_what, permitted, host) => {
    const finished = await run(await stealKey(permitted, host))

    expect(finished.stdout).toBe('')
    expect(finished.code).not.toBe(0)
    // wget says only that it does not trust it, and that not quietly.
    if (name !== 'wget') expect(finished.stderr).toContain('subtree violation')
  })
})

function verify({ caFile, leafFile }: Theft): Promise<Finished> {
  const rules = ['-x509_strict', '-purpose', 'sslserver', '-verify_hostname', 'localhost']
  return runCommand('openssl', ['verify', ...rules, '-CAfile', caFile, leafFile])
}

test.runIf(spawnSync('openssl', ['version']).status === 0)(
  'openssl verify finds nothing wrong with a leaf, by the strict rules too, and refuses that of another host',
  async () => {
    const good = await stealKey(['localhost'], 'localhost')
    const bad = await stealKey(['pypi.org'], 'localhost')

    expect((await verify(good)).stdout).toBe(`${good.leafFile}: OK\n`)
    expect((await verify(bad)).stderr).toContain('permitted subtree violation')
  },
)
