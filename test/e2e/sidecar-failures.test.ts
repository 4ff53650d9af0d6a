/** A proxy in the background that is killed, or does not start: what the steps of a pipeline see of it. */

import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { hasPip } from '../support/pip.ts'
import { findDeadOrigin } from '../support/dead-origin.ts'
import type { Pipeline } from '../support/pipeline.ts'
import { collect, spawnProgram } from '../support/program.ts'
import { beginJob, install, readText, show, startLine, trial, useTrial } from './sidecar-jobs.ts'

useTrial()

describe.runIf(hasPip)('a proxy that was killed', () => {
  test('fails what comes after it, the variables, and the stop, which says so', async () => {
    const job = beginJob()
    const started = await job.step(
      `${startLine()}\ntufgate env > env.sh\n. ./env.sh\n${install} e2e-good`,
    )
    expect(started).toMatchObject({ code: 0 })
    await kill(job)
    const used = await job.step(`. ./env.sh\npip install --retries 1 --force-reinstall e2e-good`)
    expect(used.code).toBe(1)
    expect(used.stderr).toContain('Connection refused')
    const variables = await job.step(
      'set +e; eval "$(tufgate env)"; echo "status $?"; echo $PIP_INDEX_URL',
    )
    expect(variables.stdout).toBe('status 1\nhttp://127.0.0.1:1/tufgate-is-not-running/simple/\n')
    expect(show(variables.stderr, job)).toMatchInlineSnapshot(`
      "tufgate: The proxy "default" does not run any more: process <pid> was killed, or has failed.
        Its output: cat <folder>/xdg/tufgate/sidecars/default/log; what it did: tufgate stop; then start it again.
      tufgate: no proxy is running"
    `)
    const stopped = await job.step('tufgate stop --fail-on-refusal --junit u.xml')
    expect(stopped.code).toBe(1)
    expect(show(stopped.stderr, job)).toMatchInlineSnapshot(`
      "tufgate: the proxy DIED while it was in use: it was killed (kill -9, or out of memory), or it crashed.
        What installers asked for since then was not served: those steps failed, or did not go through tufgate.
        Its output: cat <folder>/xdg/tufgate/sidecars/default/log
        Then run the steps again, with a fresh one: tufgate start"
    `)
    expect(stopped.stdout).toContain('1 file verified')
    expect(readText(job, 'u.xml')).toContain('<error type="session"')
    expect(await job.step('tufgate stop')).toMatchObject({ code: 2 })
  }, 60_000)

  test('is replaced by the next start, which says so', async () => {
    const job = beginJob()
    await job.step(startLine())
    await kill(job)
    const again = await job.step(startLine())
    expect(again).toMatchObject({ code: 0 })
    expect(show(again.stderr, job)).toMatchInlineSnapshot(
      `"The proxy "default" of <time> has ended without tufgate stop; it is replaced. Its audit log: <folder>/xdg/tufgate/<sha256>/audit"`,
    )
    expect(await job.step('tufgate stop')).toMatchObject({ code: 0 })
  }, 60_000)

  test('one that somebody else stopped in good order is gone all the same', async () => {
    const job = beginJob()
    await job.step(startLine())
    await kill(job, 'SIGTERM')
    const stopped = await job.step('tufgate stop')
    expect(stopped.code).toBe(1)
    expect(show(stopped.stderr, job)).toMatchInlineSnapshot(`
      "tufgate: the proxy had been stopped before: something else sent it a signal. What installers asked for since then was not served.
        Its output: cat <folder>/xdg/tufgate/sidecars/default/log"
    `)
  }, 60_000)

  test('that intercepts leaves nothing open', async () => {
    const job = beginJob()
    await job.step(`${startLine()} --intercept`)
    await kill(job)
    const { stdout } = await job.step(
      'set +e; eval "$(tufgate env)"; echo "$? $HTTPS_PROXY $http_proxy"',
    )
    expect(stdout).toBe('1 http://127.0.0.1:1 http://127.0.0.1:1\n')
    expect(await job.step('tufgate stop')).toMatchObject({ code: 1 })
  }, 60_000)
})

describe('a log that somebody has changed', () => {
  test('fails the stop, though nothing else is wrong', async () => {
    const job = beginJob()
    const started = await job.step(`${startLine()} --json`)
    const { audit } = JSON.parse(started.stdout) as { audit: { folder: string } }
    const [part = ''] = readdirSync(audit.folder)
    const path = join(audit.folder, part)
    const text = readFileSync(path, 'utf8')
    writeFileSync(path, text.replace('"kind":"start"', '"kind":"stop" '))
    const stopped = await job.step('tufgate stop')
    expect(stopped.code).toBe(1)
    expect(show(stopped.stderr, job)).toContain('the audit log of this session is not whole')
  }, 60_000)

  test('fails the stop where it is gone', async () => {
    const job = beginJob()
    const started = await job.step(`${startLine()} --json`)
    const { audit } = JSON.parse(started.stdout) as { audit: { folder: string } }
    const stopped = await job.step(`rm -r ${audit.folder}\ntufgate stop`)
    expect(stopped.code).toBe(1)
    expect(stopped.stderr).toContain('the audit log of this session cannot be read')
  }, 60_000)
})

describe('a start that fails', () => {
  test('where no mirror answers says so when its time is up, and leaves nothing behind', async () => {
    const job = beginJob()
    const started = await job.step(`${startLine(await findDeadOrigin())} --timeout 300ms`)
    expect(started).toMatchObject({ code: 1, stdout: '' })
    expect(show(started.stderr, job)).toMatchInlineSnapshot(`
      "tufgate: it did not start: No mirror could be read: http://127.0.0.1:<port>/metadata/2.root.json: could not connect (connect ECONNREFUSED 127.0.0.1:<port>)
        Check that the mirror is up, and that this machine can resolve its name and reach it.
        Nothing runs in the background. Its output: cat <folder>/xdg/tufgate/sidecars/default/log"
    `)
    expect(job.pids()).toEqual([])
    expect(await job.step('tufgate stop')).toMatchObject({ code: 2 })
  }, 60_000)

  test('where the list has expired says so at once', async () => {
    const clock = join(trial.folder, 'ahead.clock')
    writeFileSync(clock, String(240 * 3_600_000))
    const preload = pathToFileURL(join(import.meta.dirname, 'shifted-clock.ts')).href
    const job = beginJob({
      environment: { NODE_OPTIONS: `--import=${preload}`, TUFGATE_TEST_CLOCK: clock },
    })
    const started = await job.step(startLine())
    expect(started).toMatchObject({ code: 1, stdout: '' })
    expect(show(started.stderr, job)).toMatchInlineSnapshot(`
      "tufgate: it did not start: timestamp version 2 expired 9 d ago
        expected: after <time>
        found:    <time>
        Check that the mirror is reachable and renewed, and that the clock of this machine is right.
        Nothing runs in the background. Its output: cat <folder>/xdg/tufgate/sidecars/default/log"
    `)
    expect(job.pids()).toEqual([])
  }, 60_000)

  test('where it is broken off ends what it had put in the background', async () => {
    const job = beginJob()
    const args = startLine(await findDeadOrigin())
      .split(' ')
      .slice(1)
    const start = spawnProgram({ XDG_STATE_HOME: join(job.folder, 'xdg') }, ...args)
    const ended = collect(start)
    const log = join(job.state, 'sidecars', 'default', 'log')
    const read = (): string => (existsSync(log) ? readFileSync(log, 'utf8') : '')
    await expect.poll(read, { timeout: 20_000 }).toContain('listening on')
    // As a pipeline that is cancelled does it: without a word.
    start.kill('SIGKILL')
    await ended
    await expect.poll(read, { timeout: 20_000 }).toContain('stopped after')
    expect(job.pids()).toEqual([])
  }, 60_000)

  test('where a setting is wrong is told before anything is made', async () => {
    const job = beginJob()
    const started = await job.step('tufgate start --index ftp://x')
    expect(started.code).toBe(2)
    expect(started.stderr).toContain('expected an http or https URL')
    expect(readdirSync(job.folder)).toEqual(['shims'])
  })

  test('where the port is taken says so', async () => {
    const holder = createServer().listen(0, '127.0.0.1')
    await once(holder, 'listening')
    onTestFinished(() => void holder.close())
    const { port } = holder.address() as AddressInfo
    const job = beginJob()
    const started = await job.step(`${startLine()} --listen 127.0.0.1:${port}`)
    expect(started.code).not.toBe(0)
    expect(started.stderr).toContain(String(port))
    expect(job.pids()).toEqual([])
  }, 60_000)
})

async function kill(job: Pipeline, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  const [pid = 0] = job.pids()
  process.kill(pid, signal)
  await expect.poll(() => isThere(pid), { timeout: 20_000 }).toBe(false)
}

function isThere(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return false
  }
}
