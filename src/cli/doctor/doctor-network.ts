/** What answers: the proxy itself, mirrors and indexes. Asked once each, with little patience. */

import type { Bytes } from '../../base/bytes.ts'
import {
  isMalformed,
  readArray,
  readBoolean,
  readMember,
  readObject,
  readString,
} from '../../base/decode.ts'
import type { Environment } from '../../base/environment.ts'
import { UpstreamError } from '../../base/errors.ts'
import { parseJson } from '../../base/strict-json.ts'
import type { ProbedProxy, ProxyAnswer } from '../../doctor/judge-proxy.ts'
import type { ClockFacts, Failure } from '../../doctor/judge-trust.ts'
import { hostOf } from '../../upstream/host-rules.ts'
import { HttpClient } from '../../upstream/http-client.ts'
import { userAgent } from '../version.ts'

const deadlineMs = 10_000
const maxPageBytes = 1_000_000

/** For addresses of this machine: no proxy of the network is in between. */
export function createLocalClient(): HttpClient {
  return createClient({})
}

export function createClient(environment: Environment): HttpClient {
  const limits = { connectTimeoutMs: 3000, headersTimeoutMs: deadlineMs, retries: 0 }
  return new HttpClient({ userAgent, environment, limits })
}

/** @param base `http://127.0.0.1:8642/`, with the token of a proxy that has one */
export async function probeProxy(http: HttpClient, base: string): Promise<ProbedProxy> {
  const { origin } = new URL(base)
  return { origin, answer: await askProxy(http, base) }
}

async function askProxy(http: HttpClient, base: string): Promise<ProxyAnswer> {
  const url = `${base}-/`
  const options = { hosts: hostOf(url), maxBytes: maxPageBytes, deadlineMs }
  try {
    const { body } = await http.get(url, { ...options, accept: 'application/json' })
    return readOverview(body)
  } catch (error) {
    if (isMalformed(error)) return { kind: 'foreign', detail: 'it does not speak as tufgate does' }
    if (!(error instanceof UpstreamError)) throw error
    const isSilent = error.code === 'UNREACHABLE'
    return isSilent ? { kind: 'silent' } : { kind: 'foreign', detail: error.message }
  }
}

/** Throws what `isMalformed` knows. */
function readOverview(body: Bytes): ProxyAnswer {
  const overview = readObject(parseJson(body))
  const version = readMember(overview, 'version', readString)
  if (readMember(overview, 'ready', readBoolean)) return { kind: 'ready', version }
  const checks = readMember(overview, 'checks', (value) => readArray(value, readCheck))
  const problems = checks.flatMap((check) => (check === undefined ? [] : [check]))
  return { kind: 'not-ready', version, problems }
}

/** What is wrong with one index. */
function readCheck(value: unknown): string | undefined {
  const check = readObject(value)
  if (readMember(check, 'ok', readBoolean)) return undefined
  return `${readMember(check, 'name', readString)}: ${readMember(check, 'detail', readString)}`
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

function describeFailure({ code, message, facts }: UpstreamError): Failure {
  return { code, message, ...(facts.next !== undefined && { next: facts.next }) }
}
