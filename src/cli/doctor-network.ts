/** What answers: the proxy itself, mirrors and indexes. Asked once each, with little patience. */

import { decodeUtf8 } from '../base/bytes.ts'
import { isMalformed, readBoolean, readMember, readObject, readString } from '../base/decode.ts'
import { UpstreamError } from '../base/errors.ts'
import { parseJson } from '../base/strict-json.ts'
import type { ProbedProxy, ProxyAnswer } from '../doctor/judge-proxy.ts'
import type { ClockFacts, Failure } from '../doctor/judge-trust.ts'
import { hostOf } from '../upstream/host-rules.ts'
import { HttpClient, type HttpResponse } from '../upstream/http-client.ts'
import { userAgent } from './version.ts'

const deadlineMs = 10_000
const maxPageBytes = 1_000_000

/** For addresses of this machine: no proxy of the network is in between. */
export function createLocalClient(): HttpClient {
  return createClient({})
}

export function createClient(
  environment: Readonly<Record<string, string | undefined>>,
): HttpClient {
  const limits = { connectTimeoutMs: 3000, headersTimeoutMs: deadlineMs, retries: 0 }
  return new HttpClient({ userAgent, environment, limits })
}

/** @param base `http://127.0.0.1:8642/`, with the token of a proxy that has one */
export async function probeProxy(http: HttpClient, base: string): Promise<ProbedProxy> {
  const { origin } = new URL(base)
  return { origin, answer: await askProxy(http, base) }
}

async function askProxy(http: HttpClient, base: string): Promise<ProxyAnswer> {
  try {
    const health = readHealth(await getPage(http, `${base}-/health`))
    if (health === undefined) return { kind: 'foreign', detail: 'it does not speak like tufgate' }
    const ready = await getPage(http, `${base}-/ready`)
    return { ...readReady(ready, base), ...health }
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error
    return error.code === 'UNREACHABLE'
      ? { kind: 'silent' }
      : { kind: 'foreign', detail: error.message }
  }
}

function getPage(http: HttpClient, url: string): Promise<HttpResponse> {
  return http.get(url, { hosts: hostOf(url), maxBytes: maxPageBytes, deadlineMs, statuses: [503] })
}

function readHealth({ status, body }: HttpResponse): { version?: string } | undefined {
  if (status !== 200) return undefined
  try {
    const health = readObject(parseJson(body))
    if (readMember(health, 'status', readString) !== 'ok') return undefined
    const { version } = health
    return typeof version === 'string' ? { version } : {}
  } catch (error) {
    if (isMalformed(error)) return undefined
    throw error
  }
}

function readReady({ status, body }: HttpResponse, base: string): ProxyAnswer {
  // Not the whole address: it may hold the token of a proxy that is for one command alone.
  const problem = `${new URL(base).origin}/-/ready says more`
  if (status !== 200) return { kind: 'not-ready', problems: [problem] }
  try {
    const isReady = readMember(readObject(parseJson(body)), 'ready', readBoolean)
    return isReady ? { kind: 'ready' } : { kind: 'not-ready', problems: [problem] }
  } catch (error) {
    if (!isMalformed(error)) throw error
    return { kind: 'foreign', detail: decodeUtf8(body).slice(0, 80) }
  }
}

export interface Reached {
  readonly failure?: Failure
  readonly clock?: ClockFacts
}

/** Any answer will do, as it will to a door that is knocked at. */
export async function reach(http: HttpClient, url: string): Promise<Reached> {
  const { host } = new URL(url)
  try {
    const time = await http.findTime(url, { hosts: hostOf(url), deadlineMs })
    if (time === undefined) return {}
    const now = Date.now()
    const errorMs = now < time.earliest ? now - time.earliest : Math.max(0, now - time.latest)
    return { clock: { source: host, errorMs } }
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error
    return { failure: describeFailure(error) }
  }
}

export function describeFailure({ code, message, facts }: UpstreamError): Failure {
  return { code, message, ...(facts.next !== undefined && { next: facts.next }) }
}
