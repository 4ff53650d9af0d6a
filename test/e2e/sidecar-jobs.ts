/** A trial for jobs of a pipeline: one project that is in order, one whose file was changed, and pip. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest'
import { buildWheel } from '../support/build-wheel.ts'
import { serve } from '../support/hostile-server.ts'
import { createPipEnvironment, hasPip, warnWithoutPip } from '../support/pip.ts'
import { Pipeline, type PipelineOptions } from '../support/pipeline.ts'
import { toTranscript } from './transcript.ts'
import { Trial } from './trial.ts'

export const good = buildWheel({ name: 'e2e-good', version: '1.0' })
export const victim = buildWheel({ name: 'e2e-victim', version: '1.0' })

export const install = 'pip install -q --retries 0 --force-reinstall --no-deps'

export let trial: Trial
let bin: string
let count = 0

/** For all tests of a file. */
export function useTrial(): void {
  warnWithoutPip()
  beforeAll(async () => {
    trial = await Trial.create()
    trial.publish('e2e-good', [good])
    trial.publish('e2e-victim', [victim])
    expect(await trial.sync()).toMatchObject({ exitCode: 0 })
    const changed = Buffer.from(victim.bytes)
    changed.write('evil', 60)
    trial.index.on(`/files/${victim.filename}`, serve(changed))
    bin = join(trial.folder, 'venv', 'bin')
    if (hasPip) await createPipEnvironment(join(trial.folder, 'venv'))
  }, 120_000)
  afterAll(() => trial.close())
}

export function beginJob(options: PipelineOptions = {}): Pipeline {
  count += 1
  const pipeline = new Pipeline(join(trial.folder, `job-${count}`), { bin, ...options })
  onTestFinished(() => pipeline.close())
  return pipeline
}

export function startLine(mirror = trial.published): string {
  return `tufgate start --index ${trial.indexUrl} --mirror ${mirror} --root ${trial.root}`
}

/** What a person reads, without what differs from run to run. */
export function show(text: string, { folder }: Pipeline): string {
  return toTranscript(text, folder)
    .replaceAll(trial.folder, '<trial>')
    .replaceAll(/process \d+/g, 'process <pid>')
    .replaceAll(/\d{8}T\d+Z_\S+?:(\d+):/g, '<chain>:$1:')
    .replaceAll(/\d{8}T\d+Z&#95;\S+?&#58;(\d+)&#58;/g, '<chain>:$1:')
    .replaceAll(/127\.0\.0\.1:(?:<port>|\d+)\/[0-9a-f]{32}\//g, '127.0.0.1:<port>/<token>/')
}

export function readText({ folder }: Pipeline, file: string): string {
  return readFileSync(join(folder, file), 'utf8')
}

export function readJson(job: Pipeline, file: string): unknown {
  return JSON.parse(readText(job, file))
}

export function readVariables(job: Pipeline, file: string): Record<string, string> {
  const lines = readText(job, file).trimEnd().split('\n')
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )
}
