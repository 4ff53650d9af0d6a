/** Pages that the proxy has rendered before, against nginx with the same bytes as static files. */

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadUrl } from './load.ts'
import { hasNginx, startNginx } from './nginx.ts'
import type { BenchCase, CaseContext, Row, Target } from './result.ts'
import { medianOf } from './statistics.ts'
import { readCpuSeconds, readMemory } from './usage.ts'
import { pageSizes, type Proxy } from './world.ts'

const connections = 16

const json = 'application/vnd.pypi.simple.v1+json'
const forms = [
  { name: 'JSON', end: 'json', headers: { Accept: json } },
  { name: 'HTML', end: 'html', headers: { Accept: 'text/html' } },
  { name: 'JSON, gzip', end: 'gzip', headers: { Accept: json, 'Accept-Encoding': 'gzip' } },
] as const

/** One page in one form. */
interface Page {
  readonly files: number
  readonly name: string
  readonly path: string
  readonly copy: string
  readonly headers: Readonly<Record<string, string>>
}

interface Server {
  readonly name: 'tufgate' | 'nginx'
  readonly pid: number
  readonly origin: string
}

export const pagesCase: BenchCase = {
  name: 'pages',
  title: 'cached pages, processor time a request',
  async run(context) {
    const { world } = context
    const proxy = await world.startProxy()
    const pages = await keepCopies(proxy, join(world.folder, 'pages'))
    const servers: Server[] = [{ ...proxy, name: 'tufgate' }]
    if (hasNginx) {
      const starting = startNginx(join(world.folder, 'pages'), join(world.folder, 'nginx-pages'))
      servers.push({ ...(await world.track(starting)), name: 'nginx' })
    }
    const rows: Row[] = []
    for (const page of pages) rows.push(await measurePage(page, servers, context))
    const { peakMb } = readMemory(proxy.pid)
    await proxy.stop()
    return {
      columns: [
        { name: 'size', unit: 'kB' },
        { name: 'tufgate', unit: 'CPU ms' },
        { name: 'nginx', unit: 'CPU ms' },
        { name: 'ratio', unit: 'times' },
        { name: 'tufgate/s', unit: 'requests' },
        { name: 'nginx/s', unit: 'requests' },
      ],
      rows,
      targets: [
        ...rows.map((row, at) => buildTarget(row, pages[at]?.files ?? 0)),
        { what: 'peak memory of serve', wanted: 150, found: peakMb, unit: 'MB', rule: 'at most' },
      ],
      notes: [
        `${connections} kept connections; nginx has its access log on, tufgate its audit log`,
      ],
    }
  },
}

function buildTarget(row: Row, files: number): Target {
  const found = medianOf(row.values['tufgate'] ?? [])
  const wanted = files > 300 ? 0.5 : 0.1
  return { what: row.label, wanted, found, unit: 'CPU ms', rule: 'at most' }
}

/** Exactly what the proxy answers, as files for nginx. */
async function keepCopies({ origin }: Proxy, folder: string): Promise<Page[]> {
  await mkdir(folder, { recursive: true })
  const pages: Page[] = []
  for (const files of pageSizes) {
    for (const { name, end, headers } of forms) {
      const path = `/simple/bench-${files}/`
      const copy = `page-${files}.${end}`
      const body = await readPage(`${origin}${path}`, headers)
      await writeFile(join(folder, copy), body)
      pages.push({ files, name, path, copy: `/${copy}`, headers })
    }
  }
  return pages
}

/** As it comes: `fetch` would unpack it. */
async function readPage(url: string, headers: Page['headers']): Promise<Buffer> {
  const { get } = await import('node:http')
  const chunks: Buffer[] = []
  await new Promise<void>((resolve, reject) => {
    const asked = get(url, { headers }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`${url}: ${response.statusCode}`))
      response.on('data', (chunk: Buffer) => void chunks.push(chunk))
      response.once('end', resolve)
    })
    asked.once('error', reject)
  })
  return Buffer.concat(chunks)
}

async function measurePage(
  page: Page,
  servers: readonly Server[],
  { runs, seconds, world, say }: CaseContext,
): Promise<Row> {
  const values: Record<string, number[]> = {
    size: [],
    tufgate: [],
    nginx: [],
    ratio: [],
    'tufgate/s': [],
    'nginx/s': [],
  }
  for (let run = 1; run <= runs; run += 1) {
    // Side by side, so that what else the machine does strikes both.
    for (const server of servers) {
      say(`${page.files} files, ${page.name}, ${server.name}, run ${run}`)
      const path = server.name === 'nginx' ? page.copy : page.path
      const url = `${server.origin}${path}`
      const before = readCpuSeconds(server.pid)
      const input = { url, headers: page.headers, connections, seconds }
      const report = await loadUrl(input, world.folder)
      const cpuMs = ((readCpuSeconds(server.pid) - before) * 1000) / report.requests
      values[server.name]?.push(cpuMs)
      values[`${server.name}/s`]?.push(report.requests / report.seconds)
      if (run === 1 && server.name === 'tufgate') {
        values['size'] = [report.bytes / report.requests / 1000]
      }
    }
  }
  const nginx = medianOf(values['nginx'] ?? [])
  values['ratio'] = Number.isNaN(nginx) ? [] : [medianOf(values['tufgate'] ?? []) / nginx]
  return { label: `${page.files.toLocaleString('en')} files, ${page.name}`, values }
}
