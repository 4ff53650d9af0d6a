/** The first fetch of a large file: from upstream into the vault, verified, and then to the client. */

import { runScript } from './child.ts'
import type { FetchInput, FetchReport } from './fetch-files.ts'
import type { BenchCase, CaseContext, Row } from './result.ts'
import { medianOf } from './statistics.ts'
import { readCpuSeconds, readMemory } from './usage.ts'
import { fileOf, pathsOf, type FileName } from './world.ts'

const shapes: readonly { readonly file: FileName; readonly label: string }[] = [
  { file: 'bench-large', label: '200 MB, fast upstream' },
  { file: 'bench-gigabit', label: '200 MB, upstream at 1 Gbit/s' },
]

export const firstFetchCase: BenchCase = {
  name: 'first-fetch',
  title: 'a 200 MB file that nobody asked for before, against fetching it directly',
  async run(context) {
    const rows: Row[] = []
    for (const shape of shapes) rows.push(await measureShape(shape, context))
    const [fast, gigabit] = rows
    return {
      columns: [
        { name: 'direct', unit: 's' },
        { name: 'proxied', unit: 's' },
        { name: 'ratio', unit: 'times' },
        { name: 'tufgate', unit: 'CPU s/GB' },
        { name: 'peak memory', unit: 'MB' },
      ],
      rows,
      targets: [
        {
          what: 'fast upstream',
          wanted: 2.3,
          found: medianOf(fast?.values['tufgate'] ?? []),
          unit: 'CPU s/GB',
          rule: 'at most',
        },
        {
          what: '1 Gbit/s',
          wanted: 2.3,
          found: medianOf(gigabit?.values['tufgate'] ?? []),
          unit: 'CPU s/GB',
          rule: 'at most',
        },
        {
          what: 'wall time at 1 Gbit/s against direct',
          wanted: 1.3,
          found: medianOf(gigabit?.values['ratio'] ?? []),
          unit: 'times',
          rule: 'at most',
        },
        {
          what: 'peak memory of serve',
          wanted: 150,
          found: Math.max(...rows.flatMap((row) => row.values['peak memory'] ?? [])),
          unit: 'MB',
          rule: 'at most',
        },
      ],
      notes: [
        'each run has a proxy of its own, which has fetched 20 MB before; ratios are of neighbouring runs',
      ],
    }
  },
}

async function measureShape(
  { file, label }: (typeof shapes)[number],
  { world, runs, say }: CaseContext,
): Promise<Row> {
  const made = await world.make()
  const { direct, proxied } = pathsOf(made, fileOf(made, file))
  const values: Record<string, number[]> = {}
  const add = (name: string, value: number): void => void (values[name] ??= []).push(value)
  for (let run = 1; run <= runs; run += 1) {
    say(`${label}, run ${run}`)
    const proxy = await world.startProxy()
    // A proxy that has run for a while, with the signed list and the record: the file is measured.
    await fetchOnce(proxy.origin, pathsOf(made, fileOf(made, 'bench-middle')).proxied)
    await fetch(`${proxy.origin}/simple/${file}/`)
    const directMs = await fetchOnce(made.upstream.origin, direct)
    const before = readCpuSeconds(proxy.pid)
    const proxiedMs = await fetchOnce(proxy.origin, proxied)
    const { size } = fileOf(made, file).file
    add('tufgate', (readCpuSeconds(proxy.pid) - before) / (size / 1e9))
    add('direct', directMs / 1000)
    add('proxied', proxiedMs / 1000)
    add('ratio', proxiedMs / directMs)
    add('peak memory', readMemory(proxy.pid).peakMb)
    await proxy.stop()
  }
  return { label, values }
}

async function fetchOnce(origin: string, path: string): Promise<number> {
  const input: FetchInput = { origin, paths: [path], clients: 1 }
  const { wallMs, requests } = await runScript<FetchReport>('fetch-files.ts', input)
  if (requests[0]?.status !== 200) throw new Error(`${path} answered ${requests[0]?.status}`)
  return wallMs
}
