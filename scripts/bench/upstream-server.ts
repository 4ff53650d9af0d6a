/**
 * The index and file host of the measurements, as a process of its own: `/simple/` pages and files
 * under `/files/<lane>/`, where a lane may be limited like a line to the outside: so many bytes a
 * second, for all who use it together. `/requests/<path>` tells how often a path was asked for.
 */

import { readFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, normalize } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

interface Input {
  readonly folder: string
  /** Bytes a second, by lane; the others are not limited. */
  readonly lanes: Readonly<Record<string, number>>
}

const { folder, lanes } = JSON.parse(process.argv[2] ?? '{}') as Input
const counts = new Map<string, number>()
const kept = new Map<string, Buffer>()
const chunkBytes = 65_536
const json = 'application/vnd.pypi.simple.v1+json'

class Line {
  readonly #bytesPerMs: number
  /** When what was let through so far will have left. */
  #freeAt = 0

  constructor(bytesPerSecond: number) {
    this.#bytesPerMs = bytesPerSecond / 1000
  }

  async pass(bytes: number): Promise<void> {
    const now = performance.now()
    this.#freeAt = Math.max(now, this.#freeAt) + bytes / this.#bytesPerMs
    // Timers tick in milliseconds: what is due within one goes at once.
    if (this.#freeAt - now > 2) await sleep(this.#freeAt - now)
  }
}

const lines = new Map(Object.entries(lanes).map(([name, rate]) => [name, new Line(rate)]))

const server = createServer((request, response) => {
  const path = decodeURIComponent((request.url ?? '').split('?')[0] ?? '')
  if (path.startsWith('/requests/')) {
    response.end(String(counts.get(path.slice('/requests'.length)) ?? 0))
    return
  }
  counts.set(path, (counts.get(path) ?? 0) + 1)
  answer(path, response).catch(() => response.destroy())
})

async function answer(path: string, response: ServerResponse): Promise<void> {
  const [, kind, lane = '', name = ''] = path.split('/')
  if (kind === 'simple') {
    const body = read(join('simple', lane, 'index.json'))
    response.writeHead(200, { 'content-type': json, 'content-length': body.length }).end(body)
    return
  }
  const body = read(join('files', name))
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    'content-length': body.length,
  })
  await send(response, body, lines.get(lane))
}

function read(path: string): Buffer {
  const known = kept.get(path)
  if (known !== undefined) return known
  const bytes = readFileSync(join(folder, normalize(`/${path}`)))
  kept.set(path, bytes)
  return bytes
}

async function send(response: ServerResponse, body: Buffer, line: Line | undefined): Promise<void> {
  for (let at = 0; at < body.length && !response.destroyed; at += chunkBytes) {
    const chunk = body.subarray(at, at + chunkBytes)
    await line?.pass(chunk.length)
    if (!response.write(chunk)) await waitForRoom(response)
  }
  response.end()
}

async function waitForRoom(response: ServerResponse): Promise<void> {
  await new Promise<void>((resolve) => {
    const go = (): void => {
      response.off('drain', go)
      response.off('close', go)
      resolve()
    }
    response.on('drain', go)
    response.on('close', go)
  })
}

server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`listening on ${(server.address() as AddressInfo).port}\n`)
})
process.on('SIGTERM', () => process.exit(0))
