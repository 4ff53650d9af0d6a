/**
 * pypi.org and files.pythonhosted.org under their own names, without leaving this machine: a CONNECT proxy,
 * as companies have one, leads both to a TLS server here, for which an authority of this test vouches.
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SecureContext } from 'node:tls'
import { Authority, requireInterceptedHosts } from '../../src/ca/authority.ts'
import { escapeHtml } from '../../src/simple/html-text.ts'
import { sha256, type Wheel } from './build-wheel.ts'
import { serve, startHostileServer, type HostileServer } from './hostile-server.ts'

const hosts = ['pypi.org', 'files.pythonhosted.org']

export interface PretendPypi {
  readonly server: HostileServer
  /** With which a program reaches it, and no other host. */
  readonly environment: Readonly<Record<string, string>>
  /** What CONNECT asked for, in order. */
  readonly connects: readonly string[]
  publish(project: string, wheels: readonly Wheel[]): void
  close(): Promise<void>
}

/** `https://files.pythonhosted.org` and this. */
export function findFilePath({ sha256: digest, filename }: Wheel): string {
  return `/packages/${digest.slice(0, 2)}/${digest.slice(2, 4)}/${digest.slice(4)}/${filename}`
}

export function findFileUrl(wheel: Wheel): string {
  return `https://files.pythonhosted.org${findFilePath(wheel)}`
}

export async function startPretendPypi(): Promise<PretendPypi> {
  const authority = new Authority({ hosts: requireInterceptedHosts(hosts), clock: Date.now })
  const contexts = new Map<string, SecureContext>()
  for (const host of hosts) contexts.set(host, await authority.contextFor(host))
  const server = await startHostileServer({
    tls: { SNICallback: (name, done) => done(null, contexts.get(name)) },
  })
  const folder = await mkdtemp(join(tmpdir(), 'tufgate-pypi-'))
  const caFile = join(folder, 'authority.pem')
  await writeFile(caFile, await authority.certificate())
  const gate = await startGate(server.port)
  const environment = { HTTPS_PROXY: gate.origin, NODE_EXTRA_CA_CERTS: caFile, NO_PROXY: '' }
  return {
    server,
    environment,
    connects: gate.connects,
    publish: (project, wheels) => publish(server, project, wheels),
    close: async () => {
      await gate.close()
      await server.close()
      await rm(folder, { recursive: true })
    },
  }
}

/** The pages as PyPI writes them, with links to the other host, and the JSON that it has besides. */
function publish(server: HostileServer, project: string, wheels: readonly Wheel[]): void {
  for (const wheel of wheels) {
    server.on(findFilePath(wheel), serve(wheel.bytes))
    server.on(`${findFilePath(wheel)}.metadata`, serve(wheel.metadata))
  }
  const html = serve(Buffer.from(renderHtml(wheels)), { 'content-type': 'text/html' })
  const jsonType = 'application/vnd.pypi.simple.v1+json'
  const json = serve(renderJsonPage(project, wheels), { 'content-type': jsonType })
  // To all who take HTML too: the mirror of these trials.
  server.on(`/simple/${project}/`, (request, response, earlier) =>
    (request.headers.accept === jsonType ? json : html)(request, response, earlier),
  )
  for (const wheel of wheels) {
    const path = `/pypi/${project}/${findField(wheel, 'Version') ?? ''}/json`
    server.on(path, serve(renderReleaseJson(wheel), { 'content-type': 'application/json' }))
  }
}

function renderHtml(wheels: readonly Wheel[]): string {
  const links = wheels.map((wheel) => {
    const { filename, bytes, metadata } = wheel
    const core = `data-core-metadata="sha256=${sha256(metadata)}"`
    const python = findField(wheel, 'Requires-Python')
    const wants = python === undefined ? '' : ` data-requires-python="${escapeHtml(python)}"`
    return `<a href="${findFileUrl(wheel)}#sha256=${sha256(bytes)}" ${core}${wants}>${filename}</a>`
  })
  return `<!DOCTYPE html><html><body>\n${links.join('<br>\n')}\n</body></html>\n`
}

function renderJsonPage(name: string, wheels: readonly Wheel[]): Buffer {
  const files = wheels.map((wheel) => ({
    filename: wheel.filename,
    url: findFileUrl(wheel),
    hashes: { sha256: wheel.sha256 },
    'requires-python': findField(wheel, 'Requires-Python') ?? null,
    size: wheel.bytes.length,
    yanked: false,
  }))
  const versions = wheels.map((wheel) => findField(wheel, 'Version'))
  return Buffer.from(JSON.stringify({ meta: { 'api-version': '1.4' }, name, versions, files }))
}

/** As PyPI does, also in that no requirements are null, as are unknown ones. */
function renderReleaseJson(wheel: Wheel): Buffer {
  const requirements = findFields(wheel, 'Requires-Dist')
  const python = findField(wheel, 'Requires-Python')
  const info = {
    name: findField(wheel, 'Name'),
    version: findField(wheel, 'Version'),
    summary: findField(wheel, 'Summary') ?? '',
    platform: '',
    requires_dist: requirements.length === 0 ? null : requirements,
    requires_python: python ?? '',
    yanked: false,
    yanked_reason: null,
  }
  const file = {
    filename: wheel.filename,
    url: findFileUrl(wheel),
    packagetype: 'bdist_wheel',
    digests: { md5: '0'.repeat(32), sha256: wheel.sha256 },
    requires_python: python ?? null,
    yanked: false,
    yanked_reason: null,
  }
  return Buffer.from(JSON.stringify({ info, last_serial: 1, urls: [file], vulnerabilities: [] }))
}

function findField(wheel: Wheel, name: string): string | undefined {
  return findFields(wheel, name)[0]
}

function findFields({ metadata }: Wheel, name: string): readonly string[] {
  const lines = metadata.toString().split('\n')
  return lines.flatMap((line) => (line.startsWith(`${name}: `) ? line.slice(name.length + 2) : []))
}

interface Gate {
  readonly origin: string
  readonly connects: readonly string[]
  close(): Promise<void>
}

async function startGate(port: number): Promise<Gate> {
  const connects: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((_request, response) => response.writeHead(502).end())
  server.on('connect', ({ url = '' }, client: Socket, head) => {
    connects.push(url)
    if (!hosts.some((host) => url === `${host}:443`)) {
      client.end('HTTP/1.1 502 No way\r\n\r\n')
      return
    }
    const upstream = connect(port, '127.0.0.1')
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    client.write('HTTP/1.1 200 OK\r\n\r\n')
    upstream.write(head)
    client.pipe(upstream)
    upstream.pipe(client)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connects,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
        for (const socket of sockets) socket.destroy()
      }),
  }
}
