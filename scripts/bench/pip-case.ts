/** What pip itself notices: `pip download` of 40 projects, through the proxy and without it. */

import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createPipEnvironment, hasPip, type PipEnvironment } from '../../test/support/pip.ts'
import type { BenchCase, CaseContext, Target } from './result.ts'
import { medianOf } from './statistics.ts'
import { readCpuSeconds, readMemory } from './usage.ts'
import {
  otherProjects,
  pipProjects,
  wheelPathOf,
  type Made,
  type Proxy,
  type World,
} from './world.ts'

export const pipCase: BenchCase = {
  name: 'pip',
  title: `pip download of ${pipProjects.length} projects`,
  async run(context) {
    if (!hasPip)
      return { columns: [], rows: [], targets: [], notes: ['NOT RUN: python3 -m pip is not there'] }
    const values = await measureRuns(context)
    const found = (name: string): number => medianOf(values[name] ?? [])
    const targets: Target[] = ['just started', 'new to it', 'warm'].map((name) => ({
      what: `added by a proxy, ${name}`,
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
        { name: 'just started', unit: 's' },
        { name: 'new to it', unit: 's' },
        { name: 'warm', unit: 's' },
        { name: 'CPU, just started', unit: 's' },
        { name: 'CPU, new to it', unit: 's' },
        { name: 'CPU, warm', unit: 's' },
        { name: 'peak memory', unit: 'MB' },
      ],
      rows: [{ label: `${pipProjects.length} wheels`, values }],
      targets,
      notes: [
        'just started: a proxy that has seen nothing and whose code is not compiled yet',
        'new to it: a proxy that has run, for projects of which it has neither record nor file',
        'pip without its own cache; direct is a plain server on the same machine, as far away as the proxy',
      ],
    }
  },
}

async function measureRuns({ world, runs, say }: CaseContext): Promise<Record<string, number[]>> {
  say('making a virtual environment')
  const environment = await createPipEnvironment(join(world.folder, 'venv'))
  const made = await world.make()
  const { upstream } = made
  const values: Record<string, number[]> = {}
  const add = (name: string, value: number): void => void (values[name] ??= []).push(value)
  const download = (origin: string): Promise<number> => downloadAll(world, environment, origin)
  // Python compiles its modules in the first run.
  await download(upstream.origin)
  const measure = async (proxy: Proxy, name: string): Promise<void> => {
    const before = readCpuSeconds(proxy.pid)
    add(name, await download(proxy.origin))
    add(`CPU, ${name}`, readCpuSeconds(proxy.pid) - before)
  }
  for (let run = 1; run <= runs; run += 1) {
    say(`run ${run}`)
    const fresh = await world.startProxy()
    await measure(fresh, 'just started')
    await fresh.stop()
    add('direct', await download(upstream.origin))
    const proxy = await world.startProxy()
    await askForOthers(proxy, made)
    await measure(proxy, 'new to it')
    await measure(proxy, 'warm')
    add('peak memory', readMemory(proxy.pid).peakMb)
    await proxy.stop()
  }
  return values
}

async function askForOthers({ origin }: Proxy, made: Made): Promise<void> {
  for (const project of otherProjects) {
    for (const path of [`/simple/${project}/`, wheelPathOf(made, project)]) {
      const response = await fetch(`${origin}${path}`)
      await response.arrayBuffer()
      if (!response.ok) throw new Error(`${path}: ${response.status}`)
    }
  }
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
