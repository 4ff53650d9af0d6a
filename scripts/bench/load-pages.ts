/** Where `wrk` is not installed: many requests on kept connections, as a process of its own. */

import { Agent, request } from 'node:http'

export interface LoadInput {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly connections: number
  readonly seconds: number
}

export interface LoadReport {
  readonly requests: number
  readonly bytes: number
  readonly seconds: number
  readonly failed: number
}

const { url, headers, connections, seconds } = JSON.parse(process.argv[2] ?? '{}') as LoadInput
const agent = new Agent({ keepAlive: true, maxSockets: connections })
const seen = { requests: 0, bytes: 0, failed: 0 }

async function askOnce(): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const asked = request(url, { agent, headers }, (response) => {
      response.on('data', (chunk: Buffer) => (seen.bytes += chunk.length))
      response.once('end', resolve)
      if (response.statusCode !== 200) seen.failed += 1
    })
    asked.once('error', reject)
    asked.end()
  })
  seen.requests += 1
}

async function askUntil(end: number): Promise<void> {
  while (performance.now() < end) await askOnce()
}

const startedAt = performance.now()
await Promise.all(Array.from({ length: connections }, () => askUntil(startedAt + seconds * 1000)))
agent.destroy()
const report: LoadReport = { ...seen, seconds: (performance.now() - startedAt) / 1000 }
process.stdout.write(JSON.stringify(report))
