/** An index at an HTTP(S) address, asked at a pace that it can bear. */

import { setTimeout as sleepFor } from 'node:timers/promises'
import type { Clock } from '../base/clock.ts'
import type { Credentials } from '../upstream/credentials.ts'
import { HttpClient } from '../upstream/http-client.ts'
import { createIndexClient } from '../upstream/index-client.ts'
import { findIndexHosts } from '../upstream/index-hosts.ts'
import { paceIndex, RequestPace } from '../upstream/request-pace.ts'
import type { IndexAddress } from './index-choice.ts'
import type { IndexPort, IndexTime } from './index-port.ts'
import { createSourcePort } from './source-port.ts'

export interface HttpPortOptions {
  readonly userAgent: string
  /** Connections to each host; default 8. */
  readonly parallel?: number
  /** Of the index, where it is a private one. */
  readonly credentials?: Credentials | undefined
  readonly sleep?: (milliseconds: number) => Promise<void>
  /** Milliseconds that never jump. */
  readonly now?: Clock
}

const defaultParallel = 8
const clockDeadlineMs = 10_000

export async function openHttpPort(
  address: IndexAddress,
  {
    userAgent,
    parallel = defaultParallel,
    credentials,
    sleep = (ms) => sleepFor(ms),
    now = () => performance.now(),
  }: HttpPortOptions,
): Promise<IndexPort> {
  const hosts = await findIndexHosts(address.index, address.fileHosts, { credentials })
  // The pace tries again, for all requests together: not each request by itself too.
  const limits = { retries: 0, connectionsPerOrigin: parallel }
  const http = new HttpClient({ userAgent, limits })
  const pace = new RequestPace({ now, sleep })
  const source = paceIndex(createIndexClient(http, { url: address.index, hosts }), pace)
  const port = createSourcePort(source, {
    fileHosts: hosts.names,
    hasExactSizes: false,
    close: () => http.close(),
  })
  // The root of the server, which is cheap to ask for: a list of projects may take it a minute.
  const clockUrl = new URL('/', address.index).href
  const findTime = (): Promise<IndexTime | undefined> =>
    http.findTime(clockUrl, { hosts, deadlineMs: clockDeadlineMs })
  return { ...port, findTime }
}
