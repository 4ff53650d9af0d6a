import { afterEach, beforeEach, expect, test } from 'vitest'
import { encodeUtf8 } from '../../src/base/bytes.ts'
import { Durations } from '../../src/proxy/durations.ts'
import { failToAppend, openPolicy } from '../support/memory-gateway.ts'
import { RunningProxy } from '../support/running-proxy.ts'

let proxy: RunningProxy
beforeEach(async () => {
  proxy = await RunningProxy.start()
})
afterEach(async () => proxy.stop())

async function readMetrics(): Promise<string[]> {
  return (await proxy.get('/-/metrics')).body.toString().split('\n')
}

test('are text of Prometheus, with a help for each name', async () => {
  const { status, headers, body } = await proxy.get('/-/metrics')
  expect(status).toBe(200)
  expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  const text = body.toString()
  const names = new Set(
    Array.from(text.matchAll(/^(tufgate_\w+?)(?:_bucket|_sum|_count)?[ {]/gm), ([, name]) => name),
  )
  for (const name of names) expect(text).toContain(`# HELP ${name!} `)
  // Nothing of the process that is not ours.
  expect(text).not.toMatch(/^(?:nodejs|process)_/m)
})

test('count answers by kind and refusals by code', async () => {
  proxy.gateway.addProject('foo', [{ filename: 'foo-1.0.tar.gz', content: encodeUtf8('x') }])
  await proxy.get('/simple/foo/')
  await proxy.get('/simple/foo/')
  await proxy.get('/simple/bar/')
  const lines = await readMetrics()
  expect(lines).toContain('tufgate_requests_total{kind="page"} 2')
  expect(lines).toContain('tufgate_requests_total{kind="refused"} 1')
  expect(lines).toContain('tufgate_requests_total{kind="file"} 0')
  expect(lines).toContain('tufgate_refused_total{code="NOT_FOUND"} 1')
  expect(lines.find((line) => line.startsWith('tufgate_sent_bytes_total{kind="page"}'))).toMatch(
    / [1-9]\d*$/,
  )
})

test('count pages with hidden files', async () => {
  const file = { filename: 'foo-1.0.tar.gz', content: encodeUtf8('x') }
  proxy.gateway.addProject('foo', [{ ...file, uploadTime: '2026-11-20T11:00:00.000000Z' }])
  proxy.gateway.policy = { ...openPolicy, minAgeMs: 86_400_000 }
  await proxy.get('/simple/foo/')
  expect(await readMetrics()).toContain('tufgate_hidden_total{code="TOO_YOUNG"} 1')
})

test('have no label from the network, whatever is asked for', async () => {
  for (const name of ['secret-project', 'another', 'x"}\\n'])
    await proxy.get(`/simple/${encodeURIComponent(name)}/`)
  const text = (await readMetrics()).join('\n')
  expect(text).not.toMatch(/secret-project|another/)
  const labels = new Set(Array.from(text.matchAll(/[{,](\w+)="/g), ([, name]) => name))
  expect(labels).toEqual(new Set(['code', 'index', 'kind', 'le', 'version']))
})

test('tell versions and expiry of the trusted list, and how the vault and the log are', async () => {
  const expires = Date.parse('2026-11-21T10:00:00Z')
  proxy.gateway.state = {
    ...proxy.gateway.state,
    indexes: [
      {
        name: 'pypi',
        url: 'https://pypi.org/simple/',
        trustKind: 'signed',
        roles: [{ role: 'timestamp', version: 41, expires }],
        indexSeenAt: expires - 1000,
      },
    ],
  }
  proxy.gateway.appendGate = failToAppend
  await proxy.get('/simple/foo/')
  proxy.gateway.appendGate = undefined
  const lines = await readMetrics()
  expect(lines).toContain('tufgate_trust_version{index="pypi",role="timestamp"} 41')
  expect(lines).toContain(
    `tufgate_trust_expires_seconds{index="pypi",role="timestamp"} ${expires / 1000}`,
  )
  expect(lines).toContain(`tufgate_index_seen_seconds{index="pypi"} ${expires / 1000 - 1}`)
  expect(lines).toContain('tufgate_index_ready{index="mirror"} 1')
  expect(lines).toContain('tufgate_vault_bytes 1500000')
  expect(lines).toContain('tufgate_audit_failures_total 1')
  expect(lines).toContain('tufgate_uptime_seconds 3600')
  expect(lines).toContain('tufgate_info{version="1.2.3"} 1')
})

test('have histograms whose buckets add up', async () => {
  const fetches = new Durations()
  for (const ms of [3, 200, 999_999]) fetches.note(ms)
  proxy.gateway.state = { ...proxy.gateway.state, fetches: fetches.read() }
  const lines = (await readMetrics()).filter((line) => line.startsWith('tufgate_fetch_seconds'))
  expect(lines).toEqual([
    'tufgate_fetch_seconds_bucket{le="0.005"} 1',
    'tufgate_fetch_seconds_bucket{le="0.025"} 1',
    'tufgate_fetch_seconds_bucket{le="0.1"} 1',
    'tufgate_fetch_seconds_bucket{le="0.25"} 2',
    'tufgate_fetch_seconds_bucket{le="1"} 2',
    'tufgate_fetch_seconds_bucket{le="2.5"} 2',
    'tufgate_fetch_seconds_bucket{le="10"} 2',
    'tufgate_fetch_seconds_bucket{le="30"} 2',
    'tufgate_fetch_seconds_bucket{le="120"} 2',
    'tufgate_fetch_seconds_bucket{le="+Inf"} 3',
    'tufgate_fetch_seconds_sum 1000.202',
    'tufgate_fetch_seconds_count 3',
  ])
})
