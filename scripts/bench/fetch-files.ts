/**
 * A client that reads files and throws them away, as a process of its own and with as little work as
 * there can be: one connection a request, one buffer for all. Prints what each request took.
 */

import { connect } from 'node:net'

export interface FetchInput {
  readonly origin: string
  readonly paths: readonly string[]
  /** At the same time; each works through all paths. */
  readonly clients: number
}

export interface Fetched {
  readonly ms: number
  readonly status: number
  readonly bytes: number
}

export interface FetchReport {
  /** From the first request to the last byte. */
  readonly wallMs: number
  readonly requests: readonly Fetched[]
}

const input = JSON.parse(process.argv[2] ?? '{}') as FetchInput
const { hostname, port } = new URL(input.origin)
const bufferBytes = 1024 * 1024

async function fetchOne(path: string): Promise<Fetched> {
  const startedAt = performance.now()
  const seen = { head: '', isBody: false, bytes: 0 }
  await new Promise<void>((resolve, reject) => {
    const socket = connect({
      host: hostname,
      port: Number(port),
      onread: {
        buffer: Buffer.allocUnsafeSlow(bufferBytes),
        callback: (count, buffer) => {
          take(seen, Buffer.from(buffer.buffer, buffer.byteOffset, count))
          return true
        },
      },
    })
    socket.once('error', reject)
    socket.once('end', () => socket.end())
    socket.once('close', () => resolve())
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAccept: */*\r\nConnection: close\r\n\r\n`,
    )
  })
  const status = Number(/^HTTP\/1\.1 (\d+)/.exec(seen.head)?.[1])
  const length = Number(/^content-length: (\d+)/im.exec(seen.head)?.[1])
  if (seen.bytes !== length) throw new Error(`${path}: ${seen.bytes} of ${length} bytes`)
  return { ms: performance.now() - startedAt, status, bytes: seen.bytes }
}

function take(seen: { head: string; isBody: boolean; bytes: number }, chunk: Buffer): void {
  if (seen.isBody) {
    seen.bytes += chunk.length
    return
  }
  const end = chunk.indexOf('\r\n\r\n')
  if (end < 0) throw new Error('the head of the answer came in pieces')
  seen.head = chunk.toString('latin1', 0, end)
  seen.isBody = true
  seen.bytes = chunk.length - end - 4
}

async function work(): Promise<Fetched[]> {
  const done: Fetched[] = []
  for (const path of input.paths) done.push(await fetchOne(path))
  return done
}

const startedAt = performance.now()
const all = await Promise.all(Array.from({ length: input.clients }, work))
const report: FetchReport = { wallMs: performance.now() - startedAt, requests: all.flat() }
process.stdout.write(JSON.stringify(report))
