/**
 * The counts in the text format of Prometheus, put together when somebody asks. Labels are names of the
 * settings and of this program, never of the network: there is no end to those.
 */

import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { DurationCounts } from './durations.ts'
import type { Readiness } from './gateway.ts'
import type { ProxyState } from './proxy-state.ts'
import type { Traffic } from './traffic.ts'

export interface MetricsSource {
  readonly state: ProxyState
  readonly readiness: Readiness
  readonly traffic: Traffic
  /** ms */
  readonly now: number
}

export interface RenderedMetrics {
  readonly contentType: string
  readonly text: string
}

export async function renderMetrics(source: MetricsSource): Promise<RenderedMetrics> {
  const registry = new Registry()
  addProcess(registry, source)
  addTraffic(registry, source.traffic)
  addIndexes(registry, source)
  addDurations(registry, 'tufgate_fetch_seconds', 'Fetches of files from their hosts', [
    [{}, source.state.fetches],
  ])
  return { contentType: registry.contentType, text: await registry.metrics() }
}

function addProcess(registry: Registry, { state, traffic, now }: MetricsSource): void {
  const { version, startedAt, vault } = state
  const values = [
    ['tufgate_start_time_seconds', 'When the proxy was started', startedAt / 1000],
    ['tufgate_uptime_seconds', 'Since the proxy was started', (now - startedAt) / 1000],
    ['tufgate_vault_bytes', 'Verified files on disk', vault.bytes],
    ['tufgate_vault_max_bytes', 'The most that the vault may hold', vault.maxBytes],
  ] as const
  for (const [name, help, value] of values) addGauge(registry, { name, help }, [[{}, value]])
  addGauge(registry, { name: 'tufgate_info', help: 'The version', labels: ['version'] }, [
    [{ version }, 1],
  ])
  addCounter(
    registry,
    { name: 'tufgate_audit_failures_total', help: 'Lines that the audit log could not take' },
    [[{}, traffic.auditFailures]],
  )
}

function addTraffic(registry: Registry, { answers, refused, hidden }: Traffic): void {
  const labels = ['kind']
  const all = [...answers]
  addCounter(
    registry,
    { name: 'tufgate_requests_total', help: 'Requests by what became of them', labels },
    all.map(([kind, { count }]) => [{ kind }, count]),
  )
  addCounter(
    registry,
    { name: 'tufgate_sent_bytes_total', help: 'Bodies of the answers', labels },
    all.map(([kind, { bytes }]) => [{ kind }, bytes]),
  )
  addDurations(
    registry,
    'tufgate_request_seconds',
    'From request to decision',
    all.map(([kind, { durations }]) => [{ kind }, durations.read()]),
  )
  for (const [name, counts] of [['refused', refused] as const, ['hidden', hidden] as const]) {
    const help = name === 'refused' ? 'Refusals by code' : 'Pages with hidden files, by code'
    addCounter(
      registry,
      { name: `tufgate_${name}_total`, help, labels: ['code'] },
      Array.from(counts, ([code, count]) => [{ code }, count]),
    )
  }
}

function addIndexes(registry: Registry, { state: { indexes }, readiness }: MetricsSource): void {
  const roles = indexes.flatMap(({ name, roles: all }) =>
    all.map((role) => ({ ...role, labels: { index: name, role: role.role } })),
  )
  const labels = ['index', 'role']
  addGauge(
    registry,
    { name: 'tufgate_trust_version', help: 'Versions of the trusted list', labels },
    roles.map((role) => [role.labels, role.version]),
  )
  addGauge(
    registry,
    { name: 'tufgate_trust_expires_seconds', help: 'When parts of it expire', labels },
    roles.map((role) => [role.labels, role.expires / 1000]),
  )
  addGauge(
    registry,
    { name: 'tufgate_index_seen_seconds', help: 'When the index was last seen', labels: ['index'] },
    indexes.flatMap(({ name, indexSeenAt }) =>
      indexSeenAt === undefined ? [] : [[{ index: name }, indexSeenAt / 1000] as const],
    ),
  )
  addGauge(
    registry,
    { name: 'tufgate_index_ready', help: '1: it can be served from', labels: ['index'] },
    readiness.checks.map(({ name, ok }) => [{ index: name }, ok ? 1 : 0]),
  )
}

type Labels = Readonly<Record<string, string>>
type Samples<T> = readonly (readonly [labels: Labels, value: T])[]

interface Description {
  readonly name: string
  readonly help: string
  readonly labels?: readonly string[]
}

function addGauge(
  registry: Registry,
  { name, help, labels = [] }: Description,
  samples: Samples<number>,
): void {
  const gauge = new Gauge({ name, help, labelNames: [...labels], registers: [registry] })
  for (const [of, value] of samples) gauge.set({ ...of }, value)
}

function addCounter(
  registry: Registry,
  { name, help, labels = [] }: Description,
  samples: Samples<number>,
): void {
  const counter = new Counter({ name, help, labelNames: [...labels], registers: [registry] })
  for (const [of, value] of samples) counter.inc({ ...of }, value)
}

function addDurations(
  registry: Registry,
  name: string,
  help: string,
  samples: Samples<DurationCounts>,
): void {
  registry.registerMetric(new CountedHistogram(name, help, samples))
}

/** A histogram that was counted elsewhere: the library's own has to be told of each event. */
class CountedHistogram extends Histogram {
  readonly #samples: Samples<DurationCounts>
  readonly #name: string
  readonly #help: string

  constructor(name: string, help: string, samples: Samples<DurationCounts>) {
    super({ name, help, registers: [] })
    this.#name = name
    this.#help = help
    this.#samples = samples
  }

  /** What the registry asks for, before `get`. */
  async getForPromString(): ReturnType<Histogram['get']> {
    const metric = await new Histogram({ name: this.#name, help: this.#help, registers: [] }).get()
    return { ...metric, values: this.#samples.flatMap((sample) => this.#renderSample(sample)) }
  }

  override get(): ReturnType<Histogram['get']> {
    return this.getForPromString()
  }

  #renderSample([labels, { buckets, count, sumMs }]: Samples<DurationCounts>[number]): Value[] {
    const bucket = (le: number | string, value: number): Value => ({
      labels: { ...labels, le },
      value,
      metricName: `${this.#name}_bucket`,
    })
    return [
      ...buckets.map(({ maxMs, count: upTo }) => bucket(maxMs / 1000, upTo)),
      bucket('+Inf', count),
      { labels, value: sumMs / 1000, metricName: `${this.#name}_sum` },
      { labels, value: count, metricName: `${this.#name}_count` },
    ]
  }
}

type Value = Awaited<ReturnType<Histogram['get']>>['values'][number]
