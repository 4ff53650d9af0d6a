/** A proxy on a free port in front of a gateway in memory, with time in the test's hand. */

import { defaultLimits, startServer, type ProxyServer } from '../../src/proxy/server.ts'
import type { HandlerOptions } from '../../src/proxy/handler.ts'
import type { ServerLimits } from '../../src/proxy/server.ts'
import { ManualTimers } from './manual-timers.ts'
import { MemoryGateway } from './memory-gateway.ts'
import { RawClient, type RawResponse } from './raw-client.ts'

export const holdForMs = 8000
export const dripEveryMs = 8001
export const clientStallMs = 300_000

export class RunningProxy {
  readonly gateway: MemoryGateway
  readonly timers: ManualTimers
  readonly faults: string[]
  readonly server: ProxyServer
  readonly #clients: RawClient[] = []

  private constructor(parts: Pick<RunningProxy, 'gateway' | 'timers' | 'faults' | 'server'>) {
    this.gateway = parts.gateway
    this.timers = parts.timers
    this.faults = parts.faults
    this.server = parts.server
  }

  static async start(
    options: Partial<HandlerOptions> = {},
    limits: Partial<ServerLimits> = {},
  ): Promise<RunningProxy> {
    const gateway = new MemoryGateway()
    const timers = new ManualTimers()
    const faults: string[] = []
    const handlerOptions: HandlerOptions = {
      ops: gateway,
      hosts: ['tufgate.internal'],
      timings: { holdForMs, dripEveryMs },
      maxPageCacheBytes: 10_000_000,
      maxTargetBytes: 8000,
      clientStallMs,
      reportFault: (message) => void faults.push(message),
      startTimer: timers.start,
      ...options,
    }
    const listen = [{ host: '127.0.0.1', port: 0 }]
    const server = await startServer(handlerOptions, listen, {
      ...defaultLimits,
      stopGraceMs: 50,
      ...limits,
    })
    return new RunningProxy({ gateway, timers, faults, server })
  }

  get port(): number {
    return this.server.addresses[0]!.port
  }

  async connect(): Promise<RawClient> {
    const client = await RawClient.open(this.port)
    this.#clients.push(client)
    return client
  }

  /** One request on a connection of its own. */
  async get(
    target: string,
    headers: readonly string[] = [],
    method: 'GET' | 'HEAD' = 'GET',
  ): Promise<RawResponse> {
    const client = await this.connect()
    client.ask(target, headers, method)
    const response = await client.response({ head: method === 'HEAD' })
    client.close()
    return response
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.close()
    await this.server.stop()
  }
}
