/** How large the process becomes: after its start, and after each kind of work, one after the other. */

import { runScript } from './child.ts'
import type { FetchInput, FetchReport } from './fetch-files.ts'
import { loadUrl } from './load.ts'
import type { BenchCase, CaseContext, Row } from './result.ts'
import { readMemory } from './usage.ts'
import { fileOf, fileShapes, pageSizes, pathsOf, pipProjects, type Proxy } from './world.ts'

export const memoryCase: BenchCase = {
  name: 'memory',
  title: 'memory of serve, after each kind of work',
  async run(context) {
    const proxy = await context.world.startProxy()
    const steps: readonly [string, () => Promise<void>][] = [
      ['after the start', async () => undefined],
      ['40 projects', () => askPages(proxy, pipProjects)],
      [
        'pages of 10, 300 and 3,000 files',
        () =>
          askPages(
            proxy,
            pageSizes.map((count) => `bench-${count}`),
          ),
      ],
      ['load on pages', () => loadPages(proxy, context)],
      ['first fetch of 200 kB, 20 MB, 200 MB', () => fetchFiles(proxy, context, 1)],
      ['the same for 20 clients at once', () => fetchFiles(proxy, context, 20)],
    ]
    const rows: Row[] = []
    for (const [label, work] of steps) {
      context.say(label)
      await work()
      const { peakMb, anonymousMb, fileMb } = readMemory(proxy.pid)
      rows.push({ label, values: { peak: [peakMb], own: [anonymousMb], code: [fileMb] } })
    }
    await proxy.stop()
    const peak = rows.at(-1)?.values['peak']?.[0] ?? Number.NaN
    return {
      columns: [
        { name: 'peak', unit: 'MB' },
        { name: 'own', unit: 'MB' },
        { name: 'code', unit: 'MB' },
      ],
      rows,
      targets: [
        { what: 'peak memory of serve', wanted: 150, found: peak, unit: 'MB', rule: 'at most' },
      ],
      notes: [
        'own: heap and buffers; code: the mapped program of Node.js, shared by all its processes',
      ],
    }
  },
}

async function askPages({ origin }: Proxy, projects: readonly string[]): Promise<void> {
  for (const project of projects) {
    const response = await fetch(`${origin}/simple/${project}/`)
    await response.arrayBuffer()
    if (!response.ok) throw new Error(`${project}: ${response.status}`)
  }
}

async function loadPages({ origin }: Proxy, { seconds, world }: CaseContext): Promise<void> {
  for (const count of pageSizes) {
    const url = `${origin}/simple/bench-${count}/`
    await loadUrl({ url, headers: {}, connections: 16, seconds }, world.folder)
  }
}

async function fetchFiles(proxy: Proxy, { world }: CaseContext, clients: number): Promise<void> {
  const made = await world.make()
  const files = fileShapes.filter(({ lane }) => lane === 'fast')
  const paths = files.map(({ project }) => pathsOf(made, fileOf(made, project)).proxied)
  const input: FetchInput = { origin: proxy.origin, paths, clients }
  const { requests } = await runScript<FetchReport>('fetch-files.ts', input)
  const bad = requests.find(({ status }) => status !== 200)
  if (bad !== undefined) throw new Error(`a file was answered with ${bad.status}`)
}
