/** What pip itself notices: `pip download` of 40 projects, through the proxy and without it. */

import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createPipEnvironment, hasPip, type PipEnvironment } from '../../test/support/pip.ts'
import type { BenchCase, CaseContext, Target } from './result.ts'
import { medianOf } from './statistics.ts'
import { readCpuSeconds, readMemory } from './usage.ts'
import { pipProjects, type World } from './world.ts'

export const pipCase: BenchCase = {
  name: 'pip',
  title: `pip download of ${pipProjects.length} projects`,
  async run(context) {
    if (!hasPip)
      return { columns: [], rows: [], targets: [], notes: ['NOT RUN: python3 -m pip is not there'] }
    const values = await measureRuns(context)
    const found = (name: string): number => medianOf(values[name] ?? [])
    const targets: Target[] = ['cold', 'warm'].map((name) => ({
      what: `added by the proxy, ${name}`,
      wanted: 0.3,
      found: found(name) - found('direct'),
      unit: 's',
      rule: 'at most',
    }))
    const peak = Math.max(...(values['peak memory'] ?? []))
    targets.push({
      what: 'peak memory of serve',
      wanted: 150,
      found: peak,
      unit: 'MB',
      rule: 'at most',
    })
    return {
      columns: [
        { name: 'direct', unit: 's' },
        { name: 'cold', unit: 's' },
        { name: 'warm', unit: 's' },
        { name: 'tufgate, cold', unit: 'CPU s' },
        { name: 'tufgate, warm', unit: 'CPU s' },
        { name: 'peak memory', unit: 'MB' },
      ],
      rows: [{ label: `${pipProjects.length} wheels`, values }],
      targets,
      notes: [
        'cold: a proxy that has seen nothing, so that each record and file is fetched, verified and stored first',
        'pip without its own cache; direct is a plain server on the same machine, as far away as the proxy',
      ],
    }
  },
}

async function measureRuns({ world, runs, say }: CaseContext): Promise<Record<string, number[]>> {
  say('making a virtual environment')
  const environment = await createPipEnvironment(join(world.folder, 'venv'))
  const { upstream } = await world.make()
  const values: Record<string, number[]> = {}
  const add = (name: string, value: number): void => void (values[name] ??= []).push(value)
  const download = (origin: string): Promise<number> => downloadAll(world, environment, origin)
  // Python compiles its modules in the first run.
  await download(upstream.origin)
  for (let run = 1; run <= runs; run += 1) {
    say(`run ${run}`)
    const proxy = await world.startProxy()
    add('direct', await download(upstream.origin))
    const started = readCpuSeconds(proxy.pid)
    add('cold', await download(proxy.origin))
    const filled = readCpuSeconds(proxy.pid)
    add('warm', await download(proxy.origin))
    add('tufgate, cold', filled - started)
    add('tufgate, warm', readCpuSeconds(proxy.pid) - filled)
    add('peak memory', readMemory(proxy.pid).peakMb)
    await proxy.stop()
  }
  return values
}

/** In seconds. */
async function downloadAll(
  { folder }: World,
  environment: PipEnvironment,
  origin: string,
): Promise<number> {
  const target = join(folder, 'downloaded')
  const startedAt = performance.now()
  const index = ['--index-url', `${origin}/simple/`]
  const { code, stderr } = await environment.pip(
    'download',
    '--no-deps',
    '--dest',
    target,
    ...index,
    ...pipProjects,
  )
  const seconds = (performance.now() - startedAt) / 1000
  if (code !== 0) throw new Error(`pip download: ${stderr}`)
  await rm(target, { recursive: true })
  return seconds
}
