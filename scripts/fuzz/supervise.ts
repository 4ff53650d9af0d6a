/**
 * Runs targets in a process of their own, and ends it where one input takes for ever, never comes back
 * or takes all memory: that input is a finding, and the next target gets a new process.
 */

import { fork } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Finding, TargetResult } from './finding.ts'
import { showInput, type Budget } from './run-target.ts'
import { readSlate } from './slate.ts'
import type { Work } from './worker.ts'

const lookEveryMs = 250
const maxErrorBytes = 4000
const workerPath = fileURLToPath(new URL('worker.ts', import.meta.url))

export interface Watch {
  /** The module that exports `allTargets`. */
  readonly targets: URL
  /** Of the wall, on a machine that may be busy; slow ones are told by processor time long before. */
  readonly hangMs: number
  readonly maxHeapMb: number
  /** Of the whole process: what lies outside of the heap counts too. Looked at where there is /proc. */
  readonly maxResidentMb: number
}

export const usualWatch: Watch = {
  targets: new URL('all-targets.ts', import.meta.url),
  hangMs: 30_000,
  maxHeapMb: 400,
  maxResidentMb: 1200,
}

export async function supervise(
  names: readonly string[],
  budget: Budget,
  take: (result: TargetResult) => void,
  watch: Watch = usualWatch,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tufgate-fuzz-'))
  const slatePath = join(folder, 'slate')
  try {
    let left = names
    while (left.length > 0) {
      let done = 0
      writeFileSync(slatePath, '')
      const work = { names: left, budget, slatePath, targets: watch.targets.href }
      // oxlint-disable-next-line no-await-in-loop -- one process after the other
      const end = await runWorker(work, watch, (result) => {
        done += 1
        take(result)
      })
      if (done === left.length) return
      take(describeEnd(left[done] ?? '', budget, slatePath, end))
      left = left.slice(done + 1)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

type End = Pick<Finding, 'kind' | 'message'>

async function runWorker(
  work: Work,
  watch: Watch,
  take: (result: TargetResult) => void,
): Promise<End> {
  const worker = fork(workerPath, [JSON.stringify(work)], {
    execArgv: [`--max-old-space-size=${watch.maxHeapMb}`],
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    serialization: 'advanced',
  })
  let errors = ''
  worker.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors = `${errors}${text}`.slice(0, maxErrorBytes)
  })
  worker.on('message', (result) => take(result as TargetResult))
  let stopped: End | undefined
  const timer = watchWorker(worker.pid ?? 0, work.slatePath, watch, (end) => {
    stopped ??= end
    worker.kill('SIGKILL')
  })
  try {
    return await new Promise((resolve, reject) => {
      worker.once('error', reject)
      worker.once('close', (code) => resolve(stopped ?? describeExit(code, errors, watch)))
    })
  } finally {
    clearInterval(timer)
    worker.kill('SIGKILL')
  }
}

function watchWorker(
  pid: number,
  slatePath: string,
  { hangMs, maxResidentMb }: Watch,
  report: (end: End) => void,
): NodeJS.Timeout {
  let last = 0
  let since = performance.now()
  return setInterval(() => {
    const { beat } = readSlate(slatePath)
    if (readResidentMb(pid) > maxResidentMb) {
      report({ kind: 'memory', message: `the process took more than ${maxResidentMb} MB` })
    } else if (beat !== last) {
      last = beat
      since = performance.now()
    } else if (performance.now() - since > hangMs) {
      report({ kind: 'hang', message: `no answer after ${hangMs} ms` })
    }
  }, lookEveryMs)
}

/** 0 where the system does not tell. */
function readResidentMb(pid: number): number {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return Number(kilobytes ?? 0) / 1000
  } catch {
    // Another system, or a process that has just ended.
    return 0
  }
}

/** Node ends with this code where nothing is left that could wake what is awaited. */
const neverWoken = 13

function describeExit(code: number | null, errors: string, { maxHeapMb }: Watch): End {
  if (code === neverWoken) return { kind: 'hang', message: 'never answers, and waits for nothing' }
  return errors.includes('JavaScript heap out of memory')
    ? { kind: 'memory', message: `took more than ${maxHeapMb} MB` }
    : { kind: 'exception', message: `outside of the parser: ${errors.trim()}` }
}

function describeEnd(target: string, { seed }: Budget, slatePath: string, end: End): TargetResult {
  const { number, input } = readSlate(slatePath)
  const finding = { target, ...end, seed, number, ...showInput(input) }
  return { target, inputs: number + 1, seconds: 0, findings: [finding], counts: {} }
}
