/**
 * An ordinary package index on disk and over HTTP: `simple/<project>/index.html` or JSON pages and
 * `files/`. It knows nothing of tufgate; it is the unmodified index of the tests and of the demo.
 */

import { createReadStream } from 'node:fs'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, normalize } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { sha256, type Wheel } from './build-wheel.ts'

export interface IndexedProject {
  readonly name: string
  readonly wheels: readonly Wheel[]
}

/** Writes pages with hashes, `.metadata` files beside the wheels (PEP 658), and the project list. */
export async function writeIndex(
  folder: string,
  projects: readonly IndexedProject[],
): Promise<void> {
  await mkdir(join(folder, 'files'), { recursive: true })
  for (const { name, wheels } of projects) {
    await mkdir(join(folder, 'simple', name), { recursive: true })
    for (const { filename, bytes, metadata } of wheels) {
      await writeFile(join(folder, 'files', filename), bytes)
      await writeFile(join(folder, 'files', `${filename}.metadata`), metadata)
    }
    const links = wheels.map(renderLink).join('\n')
    await writeFile(join(folder, 'simple', name, 'index.html'), renderHtml(links))
  }
  const names = projects.map(({ name }) => `<a href="${name}/">${name}</a>`).join('\n')
  await writeFile(join(folder, 'simple', 'index.html'), renderHtml(names))
}

function renderLink({ filename, sha256: digest, metadata }: Wheel): string {
  const core = `sha256=${sha256(metadata)}`
  return `<a href="../../files/${filename}#sha256=${digest}" data-core-metadata="${core}">${filename}</a>`
}

function renderHtml(body: string): string {
  return `<!DOCTYPE html><html><body>\n${body}\n</body></html>\n`
}

export interface ServedIndex {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string
  /** `<origin>/simple/` */
  readonly url: string
  /** Paths that were asked for, in order. */
  readonly requests: readonly string[]
  close(): Promise<void>
}

export async function serveFolder(folder: string, port = 0): Promise<ServedIndex> {
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(request.url ?? '')
    answer(folder, request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { origin, url: `${origin}/simple/`, requests, close: () => closeServer(server) }
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

async function answer(
  folder: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://index').pathname))
  const file = join(folder, path.endsWith('/') ? `${path}index.html` : path)
  const found = await stat(file).catch(() => undefined)
  if (found?.isFile() !== true) {
    response.writeHead(404).end()
    return
  }
  const etag = `"${found.size}-${Math.round(found.mtimeMs)}"`
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304, { etag }).end()
    return
  }
  const type = file.endsWith('.html') ? 'text/html' : 'application/octet-stream'
  response.writeHead(200, { 'content-type': type, 'content-length': found.size, etag })
  if (request.method === 'HEAD') response.end()
  else if (found.size < 65_536) response.end(await readFile(file))
  else await pipeline(createReadStream(file), response)
}
