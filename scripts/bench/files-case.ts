/** Files that the vault has, against nginx with the same files: processor time a gigabyte. */

import { join } from 'node:path'
import { runScript } from './child.ts'
import type { FetchInput, FetchReport } from './fetch-files.ts'
import { loadUrl } from './load.ts'
import { hasNginx, startNginx } from './nginx.ts'
import type { BenchCase, CaseContext, Row } from './result.ts'
import { medianOf } from './statistics.ts'
import { readCpuSeconds, readMemory } from './usage.ts'
import { fileOf, pathsOf, type FileName } from './world.ts'

const connections = 8

interface Shape {
  readonly file: FileName
  readonly label: string
  /** How often each of the clients asks in one run; undefined: for so long, with `wrk`. */
  readonly times?: number
  readonly clients: number
}

const shapes: readonly Shape[] = [
  { file: 'bench-small', label: '200 kB', clients: connections },
  { file: 'bench-middle', label: '20 MB', times: 8, clients: 4 },
  { file: 'bench-large', label: '200 MB', times: 2, clients: 2 },
]

interface Server {
  readonly name: 'tufgate' | 'nginx'
  readonly pid: number
  readonly origin: string
  readonly path: string
}

interface Usage {
  readonly cpuPerGb: number
  readonly gbPerSecond: number
  readonly cpuPerRequest: number
}

export const filesCase: BenchCase = {
  name: 'files',
  title: 'files from the vault, processor time a gigabyte',
  async run(context) {
    const { world } = context
    const made = await world.make()
    const proxy = await world.startProxy()
    const folder = join(world.folder, 'index', 'files')
    const nginx = hasNginx
      ? await world.track(startNginx(folder, join(world.folder, 'nginx-files')))
      : undefined
    const rows: Row[] = []
    for (const shape of shapes) {
      const file = fileOf(made, shape.file)
      const { proxied } = pathsOf(made, file)
      const servers: Server[] = [{ ...proxy, name: 'tufgate', path: proxied }]
      if (nginx !== undefined)
        servers.push({ ...nginx, name: 'nginx', path: `/${file.file.filename}` })
      rows.push(await measureShape(shape, servers, context))
    }
    const { peakMb } = readMemory(proxy.pid)
    await proxy.stop()
    return {
      columns: [
        { name: 'tufgate', unit: 'CPU s/GB' },
        { name: 'nginx', unit: 'CPU s/GB' },
        { name: 'ratio', unit: 'times' },
        { name: 'tufgate, each', unit: 'CPU ms' },
        { name: 'tufgate, speed', unit: 'GB/s' },
        { name: 'nginx, speed', unit: 'GB/s' },
      ],
      rows,
      targets: [
        ...rows.map((row) => ({
          what: row.label,
          wanted: 0.5,
          found: medianOf(row.values['tufgate'] ?? []),
          unit: 'CPU s/GB',
          rule: 'at most' as const,
        })),
        { what: 'peak memory of serve', wanted: 150, found: peakMb, unit: 'MB', rule: 'at most' },
      ],
      notes: ['each release stands in the audit log, on disk, before its last bytes leave'],
    }
  },
}

async function measureShape(
  shape: Shape,
  servers: readonly Server[],
  context: CaseContext,
): Promise<Row> {
  const values: Record<string, number[]> = {}
  const add = (name: string, value: number): void => void (values[name] ??= []).push(value)
  for (const server of servers) {
    // Into the vault, and hashed once more by its first use in this process.
    await fetchFiles(server, 1, 2)
  }
  for (let run = 1; run <= context.runs; run += 1) {
    for (const server of servers) {
      context.say(`${shape.label}, ${server.name}, run ${run}`)
      const usage = await measureOnce(shape, server, context)
      add(server.name, usage.cpuPerGb)
      add(`${server.name}, each`, usage.cpuPerRequest * 1000)
      add(`${server.name}, speed`, usage.gbPerSecond)
    }
  }
  const nginx = medianOf(values['nginx'] ?? [])
  if (!Number.isNaN(nginx)) add('ratio', medianOf(values['tufgate'] ?? []) / nginx)
  return { label: shape.label, values }
}

async function measureOnce(
  shape: Shape,
  server: Server,
  { seconds, world }: CaseContext,
): Promise<Usage> {
  const before = readCpuSeconds(server.pid)
  const { gb, requests, wallSeconds } = await askFor(shape, server, seconds, world.folder)
  const cpu = readCpuSeconds(server.pid) - before
  return { cpuPerGb: cpu / gb, gbPerSecond: gb / wallSeconds, cpuPerRequest: cpu / requests }
}

/** wrk reads 8 kB at a time: for large files it, not the server, would be measured. */
async function askFor(shape: Shape, server: Server, seconds: number, folder: string) {
  if (shape.times === undefined) {
    const url = `${server.origin}${server.path}`
    const input = { url, headers: {}, connections: shape.clients, seconds }
    const report = await loadUrl(input, folder)
    return { gb: report.bytes / 1e9, requests: report.requests, wallSeconds: report.seconds }
  }
  const { requests, wallMs } = await fetchFiles(server, shape.clients, shape.times)
  const bytes = requests.reduce((sum, request) => sum + request.bytes, 0)
  return { gb: bytes / 1e9, requests: requests.length, wallSeconds: wallMs / 1000 }
}

async function fetchFiles(
  { origin, path }: Server,
  clients: number,
  times: number,
): Promise<FetchReport> {
  const input: FetchInput = { origin, paths: Array.from({ length: times }, () => path), clients }
  const report = await runScript<FetchReport>('fetch-files.ts', input)
  const bad = report.requests.find(({ status }) => status !== 200)
  if (bad !== undefined) throw new Error(`${origin}${path} answered ${bad.status}`)
  return report
}
