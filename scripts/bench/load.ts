/** Load on one URL: by `wrk` where it is installed, else by our own loader. */

import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runCommand } from '../../test/support/program.ts'
import { runScript } from './child.ts'
import type { LoadInput, LoadReport } from './load-pages.ts'

export const hasWrk = spawnSync('wrk', ['-v']).error === undefined

/** Exact numbers; what wrk prints by itself is rounded. */
const script = `done = function(summary)
  local e = summary.errors
  io.write(string.format("counted %d %d %d %d\\n", summary.requests, summary.bytes,
    summary.duration, e.connect + e.read + e.write + e.status + e.timeout))
end
`

/** Throws unless every answer was a 200. */
export async function loadUrl(input: LoadInput, folder: string): Promise<LoadReport> {
  const report = hasWrk
    ? await runWrk(input, folder)
    : await runScript<LoadReport>('load-pages.ts', input)
  if (report.failed > 0 || report.requests === 0) {
    throw new Error(`${input.url}: ${report.failed} of ${report.requests} requests failed`)
  }
  return report
}

async function runWrk(input: LoadInput, folder: string): Promise<LoadReport> {
  const path = join(folder, 'count.lua')
  await writeFile(path, script)
  const headers = Object.entries(input.headers).flatMap(([name, value]) => [
    '-H',
    `${name}: ${value}`,
  ])
  const shape = ['-t1', `-c${input.connections}`, `-d${input.seconds}s`, '-s', path]
  const { stdout, stderr } = await runCommand('wrk', [...shape, ...headers, input.url])
  const found = /counted (\d+) (\d+) (\d+) (\d+)/.exec(stdout)
  if (found === null) throw new Error(`wrk said: ${stdout}${stderr}`)
  const [requests = 0, bytes = 0, microseconds = 0, failed = 0] = found.slice(1).map(Number)
  return { requests, bytes, seconds: microseconds / 1e6, failed }
}
