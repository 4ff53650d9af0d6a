/** Many clients that ask for one cold file at the same time: one fetch, and nobody waits for long. */

import { runScript } from './child.ts'
import type { FetchInput, FetchReport } from './fetch-files.ts'
import type { BenchCase, CaseContext } from './result.ts'
import { medianOf } from './statistics.ts'
import { readCpuSeconds, readMemory } from './usage.ts'
import { fileOf, pathsOf } from './world.ts'

const clients = 50

export const followersCase: BenchCase = {
  name: 'followers',
  title: `${clients} clients ask for one cold 20 MB file, upstream at 10 MB/s`,
  async run(context) {
    const values = await measureRuns(context)
    const found = (name: string): number => medianOf(values[name] ?? [])
    return {
      columns: [
        { name: 'one alone', unit: 's' },
        { name: 'last of 50', unit: 's' },
        { name: 'ratio', unit: 'times' },
        { name: 'upstream', unit: 'requests' },
        { name: 'tufgate, 50', unit: 'CPU s' },
        { name: 'peak memory', unit: 'MB' },
      ],
      rows: [{ label: '20 MB', values }],
      targets: [
        {
          what: 'requests to upstream',
          wanted: 1,
          found: Math.max(...(values['upstream'] ?? [])),
          unit: 'requests',
          rule: 'exactly',
        },
        {
          what: 'the last of 50 against one alone',
          wanted: 1.2,
          found: found('ratio'),
          unit: 'times',
          rule: 'at most',
        },
        {
          what: 'peak memory of serve',
          wanted: 150,
          found: Math.max(...(values['peak memory'] ?? [])),
          unit: 'MB',
          rule: 'at most',
        },
      ],
      notes: ['50 clients are sent 1 GB in all, by one process, on the same machine that reads it'],
    }
  },
}

async function measureRuns(context: CaseContext): Promise<Record<string, number[]>> {
  const values: Record<string, number[]> = {}
  const add = (name: string, value: number): void => void (values[name] ??= []).push(value)
  for (let run = 1; run <= context.runs; run += 1) {
    context.say(`run ${run}`)
    const alone = await fetchCold(context, 1)
    const together = await fetchCold(context, clients)
    add('one alone', alone.seconds)
    add('last of 50', together.seconds)
    add('ratio', together.seconds / alone.seconds)
    add('upstream', together.upstreamRequests)
    add('tufgate, 50', together.cpuSeconds)
    add('peak memory', together.peakMb)
  }
  return values
}

async function fetchCold({ world }: CaseContext, count: number) {
  const made = await world.make()
  const { direct, proxied } = pathsOf(made, fileOf(made, 'bench-slow'))
  const proxy = await world.startProxy()
  await fetch(`${proxy.origin}/simple/bench-slow/`)
  const asked = await countRequests(made.upstream.origin, direct)
  const before = readCpuSeconds(proxy.pid)
  const input: FetchInput = { origin: proxy.origin, paths: [proxied], clients: count }
  const { wallMs, requests } = await runScript<FetchReport>('fetch-files.ts', input)
  if (requests.some(({ status }) => status !== 200)) throw new Error('a client was refused')
  const cpuSeconds = readCpuSeconds(proxy.pid) - before
  const { peakMb } = readMemory(proxy.pid)
  const upstreamRequests = (await countRequests(made.upstream.origin, direct)) - asked
  await proxy.stop()
  return { seconds: wallMs / 1000, cpuSeconds, peakMb, upstreamRequests }
}

async function countRequests(origin: string, path: string): Promise<number> {
  const response = await fetch(`${origin}/requests${path}`)
  return Number(await response.text())
}
