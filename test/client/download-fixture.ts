/** A hostile server, a real vault in a temporary folder, and downloads between them. */

import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import type { Bytes } from '../../src/base/bytes.ts'
import { sha256Hex } from '../../src/base/digest.ts'
import { Downloads, type DownloadLimits, type DownloadPorts } from '../../src/client/download.ts'
import type { DownloadFile } from '../../src/client/file-transfer.ts'
import { Vault } from '../../src/store/vault.ts'
import { hostOf } from '../../src/upstream/host-rules.ts'
import { HttpClient, type HttpLimits } from '../../src/upstream/http-client.ts'
import { startHostileServer, type HostileServer } from '../support/hostile-server.ts'

/** Of several socket reads, and no two of them alike. */
export const wheel: Bytes = Uint8Array.from(
  { length: 300_000 },
  (_, at) => (at * 31 + (at >> 8)) % 256,
)
export const url = '/packages/ab/foo-1.0-py3-none-any.whl'

export let server: HostileServer
export let vault: Vault
/** What `clock` says, ms. */
export const time = { now: 1_000_000 }
export const waits: number[] = []

let folder: string
const running: Downloads[] = []
const clients: HttpClient[] = []

/** To be called once at the top of a test file. */
export function useDownloads(): void {
  beforeEach(async () => {
    server = await startHostileServer()
    folder = await mkdtemp(join(tmpdir(), 'downloads-'))
    vault = await Vault.open(folder, { maxBytes: 1e9 })
    time.now = 1_000_000
    waits.length = 0
  })
  afterEach(async () => {
    await Promise.all(running.splice(0).map((downloads) => downloads.close()))
    await Promise.all(clients.splice(0).map((client) => client.close()))
    await server.close()
    await vault.close()
    await rm(folder, { recursive: true, force: true })
  })
}

export interface Options {
  readonly limits?: Partial<DownloadLimits>
  readonly http?: Partial<HttpLimits>
  readonly ports?: Partial<DownloadPorts>
}

export function createDownloads({ limits, http, ports }: Options = {}): Downloads {
  const client = new HttpClient({ userAgent: 'tufgate/test', environment: {}, limits: http ?? {} })
  const downloads = new Downloads(
    {
      vault,
      download: (address, sink, options) => client.download(address, sink, options),
      clock: () => time.now,
      sleep: async (milliseconds) => void waits.push(milliseconds),
      ...ports,
    },
    limits,
  )
  clients.push(client)
  running.push(downloads)
  return downloads
}

/** The signed entry of `wheel`, with or without changes. */
export function entry(changes: Partial<DownloadFile> = {}): DownloadFile {
  const hosts = hostOf(server.origin)
  const signed = { url: server.url(url), sha256: sha256Hex(wheel), size: wheel.length }
  return { ...signed, kind: 'file', hosts, ...changes }
}

export function entryWithoutSize(changes: Partial<DownloadFile> = {}): DownloadFile {
  const { size: _, ...rest } = entry()
  return { ...rest, ...changes }
}

export async function readVault(): Promise<Bytes | undefined> {
  const file = await vault.open(sha256Hex(wheel))
  if (file === undefined) return undefined
  const buffer = new Uint8Array(file.size)
  await file.read(buffer, 0, file.size)
  await file.close()
  return buffer
}

/** Spools that are still there. */
export function listSpools(): Promise<string[]> {
  return readdir(join(folder, 'tmp'))
}
