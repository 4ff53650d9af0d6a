/** A hostile server and clients for it, new for each test. */

import { afterEach, beforeEach } from 'vitest'
import type { Bytes } from '../../src/base/bytes.ts'
import { hostOf, type HostRules } from '../../src/upstream/host-rules.ts'
import {
  HttpClient,
  type GetOptions,
  type HttpClientOptions,
  type HttpResponse,
} from '../../src/upstream/http-client.ts'
import { startHostileServer, type HostileServer } from '../support/hostile-server.ts'

export const text = new TextEncoder().encode('{"meta": {"api-version": "1.4"}}')
export const kilobyte = new Uint8Array(1024).fill(7)

export let server: HostileServer
const clients: HttpClient[] = []

/** To be called once at the top of a test file. */
export function useHostileServer(): void {
  beforeEach(async () => {
    server = await startHostileServer()
  })
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()))
    await server.close()
  })
}

/** Without a proxy, and without waiting between tries. */
export function createClient(options: Partial<HttpClientOptions> = {}): HttpClient {
  const client = new HttpClient({
    userAgent: 'tufgate/test',
    environment: {},
    sleep: async () => {},
    ...options,
  })
  clients.push(client)
  return client
}

/** A client whose resolver knows one answer for all names. */
export function clientThatResolves(...addresses: readonly string[]): HttpClient {
  return createClient({
    lookup: (_host, options, callback) => {
      const all = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
      if (options.all === true) callback(null, all)
      else callback(null, all[0]!.address, all[0]!.family)
    },
  })
}

export function local(): HostRules {
  return hostOf(server.origin)
}

export function get(path: string, options: Partial<GetOptions> = {}): Promise<HttpResponse> {
  return createClient().get(server.url(path), { hosts: local(), maxBytes: 10_000, ...options })
}

export interface Received {
  bytes: Bytes
  announced: number | undefined
}

export async function download(path: string, client = createClient()): Promise<Received> {
  const chunks: Bytes[] = []
  const received: Received = { bytes: new Uint8Array(0), announced: undefined }
  const sink = {
    start: (length: number | undefined) => {
      received.announced = length
    },
    write: (chunk: Bytes) => void chunks.push(chunk),
  }
  await client.download(server.url(path), sink, { hosts: local(), maxBytes: 1_000_000 })
  received.bytes = new Uint8Array(Buffer.concat(chunks))
  return received
}
