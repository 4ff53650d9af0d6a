/** A proxy in the background, as the steps of a pipeline use it, with real pip: what is seen on every path. */

import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { buildWheel } from '../support/build-wheel.ts'
import { serve } from '../support/hostile-server.ts'
import { createPipEnvironment, hasPip, warnWithoutPip } from '../support/pip.ts'
import { Pipeline, type PipelineOptions } from '../support/pipeline.ts'
import { toTranscript } from './transcript.ts'
import { Trial } from './trial.ts'

warnWithoutPip()

const good = buildWheel({ name: 'e2e-good', version: '1.0' })
const victim = buildWheel({ name: 'e2e-victim', version: '1.0' })

const install = 'pip install -q --retries 0 --force-reinstall --no-deps'

let trial: Trial
let bin: string
let count = 0

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

function begin(options: PipelineOptions = {}): Pipeline {
  count += 1
  const pipeline = new Pipeline(join(trial.folder, `job-${count}`), { bin, ...options })
  onTestFinished(() => pipeline.close())
  return pipeline
}

function startLine(mirror = trial.published): string {
  return `tufgate start --index ${trial.indexUrl} --mirror ${mirror} --root ${trial.root}`
}

/** What a person reads, without what differs from run to run. */
function show(text: string, { folder }: Pipeline): string {
  return toTranscript(text, folder)
    .replaceAll(trial.folder, '<trial>')
    .replaceAll(/process \d+/g, 'process <pid>')
    .replaceAll(/\d{8}T\d+Z_\S+?:(\d+):/g, '<chain>:$1:')
    .replaceAll(/127\.0\.0\.1:(?:<port>|\d+)\/[0-9a-f]{32}\//g, '127.0.0.1:<port>/<token>/')
}

describe.runIf(hasPip)('what is in order', () => {
  test('is installed through the proxy; the summary counts it, and the exit code is 0', async () => {
    const job = begin()
    const started = await job.step(startLine())
    expect(started).toMatchObject({ code: 0, stderr: '' })
    expect(show(started.stdout, job)).toMatchInlineSnapshot(`
      "tufgate 0.1.0: the sidecar is ready: process <pid>, http://127.0.0.1:<port>
        index default: http://127.0.0.1:<port>/simple/ (signed list: root 1, timestamp 2, snapshot 2)
        output <folder>/xdg/tufgate/sidecars/default/log
        audit log head <chain>:3:<sha256>
        next: eval "$(tufgate env)"
        then: tufgate stop --fail-on-refusal"
    `)
    const used = await job.step(
      `eval "$(tufgate env)"\n${install} e2e-good\nenv | grep -c ^PIP_INDEX_URL`,
    )
    expect(used).toMatchObject({ code: 0, stdout: '1\n' })
    const stopped = await job.step('tufgate stop --fail-on-refusal --json report.json')
    expect(stopped).toMatchObject({ code: 0, stderr: '' })
    expect(show(stopped.stdout, job)).toMatchInlineSnapshot(`
      "tufgate: 1 file verified (972 B), nothing refused
        Warnings:
          default: FIRST CONTACT with this root: an old list that has not expired cannot be recognised yet
        Verified:
          e2e_good-1.0-py3-none-any.whl: 972 B
        answers rested on: signed list: root 1, timestamp 2, snapshot 2
        audit log head <chain>:7:<sha256>"
    `)
    expect(readJson(job, 'report.json')).toMatchObject({
      isStopped: true,
      problems: [],
      released: { items: [{ file: good.filename, trust: 'signed' }], more: 0 },
    })
  }, 60_000)

  test('a second start says that it runs already, and where; a second stop that there is none', async () => {
    const job = begin()
    await job.step(startLine())
    const again = await job.step(startLine())
    expect(again).toMatchObject({ code: 2, stdout: '' })
    expect(show(again.stderr, job)).toMatchInlineSnapshot(`
      "tufgate: The sidecar default runs already: process <pid>, http://127.0.0.1:<port>, since <time>.
        Use it: tufgate env; end it: tufgate stop; or start another one with --name."
    `)
    expect(await job.step('tufgate stop')).toMatchObject({ code: 0 })
    const stopped = await job.step('tufgate stop')
    expect(stopped).toMatchObject({ code: 2, stdout: '' })
    expect(show(stopped.stderr, job)).toMatchInlineSnapshot(`
      "tufgate: No sidecar default runs: there is no <folder>/xdg/tufgate/sidecars/default/sidecar.json.
        It was stopped already, or never started. If it was started with --state-dir, --config or --name, give the same here."
    `)
    // And a new one may come.
    expect(await job.step(`${startLine()}\ntufgate stop`)).toMatchObject({ code: 0 })
  }, 60_000)

  test('two names run at once, and each is judged by what it did itself', async () => {
    const job = begin()
    const both = await job.step(`${startLine()} --name one\n${startLine()} --name two`)
    expect(both).toMatchObject({ code: 0 })
    expect(new Set(job.pids()).size).toBe(2)
    const used = await job.step(`eval "$(tufgate env --name one)"\n${install} e2e-victim`)
    expect(used.code).not.toBe(0)
    const two = await job.step('tufgate stop --name two --fail-on-refusal')
    expect(two).toMatchObject({ code: 0 })
    expect(two.stdout).toContain('no file handed out, nothing refused')
    expect(await job.step('tufgate stop --name one --fail-on-refusal')).toMatchObject({ code: 3 })
  }, 60_000)

  test('starts at the same moment make one sidecar', async () => {
    const job = begin()
    const starts = await Promise.all([1, 2, 3].map(() => job.step(startLine())))
    expect(starts.filter(({ code }) => code === 0)).toHaveLength(1)
    expect(job.pids()).toHaveLength(1)
    expect(await job.step('tufgate stop')).toMatchObject({ code: 0 })
  }, 60_000)
})

describe.runIf(hasPip)('what is refused', () => {
  test('fails the step of pip, and the stop where it is told to', async () => {
    const job = begin()
    await job.step(startLine())
    const used = await job.step(`eval "$(tufgate env)"\n${install} e2e-good\n${install} e2e-victim`)
    expect(used.code).toBe(1)
    expect(used.stderr).toContain(
      `Refused by tufgate: sha256 of ${victim.filename} is not the signed one`,
    )
    const stopped = await job.step('tufgate stop --fail-on-refusal')
    expect(stopped).toMatchObject({ code: 3, stderr: '' })
    expect(show(stopped.stdout, job)).toMatchInlineSnapshot(`
      "tufgate: 1 file verified (972 B), 1 refused
        Refused:
          e2e_victim-1.0-py3-none-any.whl: sha256 of e2e_victim-1.0-py3-none-any.whl is not the signed one [<id>]
            code     DIGEST_MISMATCH
            expected <sha256>
            found    <sha256>
        Warnings:
          default: FIRST CONTACT with this root: an old list that has not expired cannot be recognised yet
        Verified:
          e2e_good-1.0-py3-none-any.whl: 972 B
        answers rested on: signed list: root 1, timestamp 2, snapshot 2
        why: tufgate explain --log <folder>/xdg/tufgate/<sha256>/audit <id>
        audit log head <chain>:10:<sha256>"
    `)
    const [, why = ''] = /why: (tufgate explain .*)/.exec(stopped.stdout) ?? []
    const explained = await job.step(why)
    expect(explained.code).toBe(0)
    expect(explained.stdout).toContain(victim.filename)
  }, 60_000)

  test('is for the caller to weigh: without the flag the stop says it, and succeeds', async () => {
    const job = begin()
    await job.step(startLine())
    await job.step(`eval "$(tufgate env)"\n${install} e2e-victim`)
    const stopped = await job.step('tufgate stop')
    expect(stopped).toMatchObject({ code: 0 })
    expect(stopped.stdout).toContain('1 refused')
  }, 60_000)

  test('stands in the job summary and the annotations of GitHub Actions, and in every report', async () => {
    const job = begin()
    const files = {
      GITHUB_ENV: 'github.env',
      GITHUB_STEP_SUMMARY: 'step.md',
      GITHUB_ACTIONS: 'true',
    }
    const started = await job.step(`${startLine()}\ntufgate env --format github --write`, files)
    expect(started).toMatchObject({ code: 0 })
    const variables = readVariables(job, 'github.env')
    const token = new URL(variables['PIP_INDEX_URL'] ?? '').pathname.split('/')[1] ?? ''
    expect(started.stderr).toBe(`::add-mask::${token}\n`)
    expect(started.stdout).not.toContain(token)
    const used = await job.step(`${install} e2e-victim`, variables)
    expect(used.stderr).toContain('is not the signed one')
    const stopped = await job.step(
      'tufgate stop --fail-on-refusal --summary s.md --junit u.xml --sarif s.sarif --code-quality q.json',
      files,
    )
    expect(stopped.code).toBe(3)
    const commands = stopped.stdout.split('\n').filter((line) => line.startsWith('::'))
    expect(commands.map((line) => show(line, job))).toMatchInlineSnapshot(`
      [
        "::error title=tufgate refused e2e_victim-1.0-py3-none-any.whl::sha256 of e2e_victim-1.0-py3-none-any.whl is not the signed one (DIGEST_MISMATCH, <id>)",
        "::notice title=tufgate::no file handed out, 1 refused",
      ]
    `)
    expect(readText(job, 'step.md')).toBe(readText(job, 's.md'))
    expect(show(readText(job, 's.md'), job)).toMatchInlineSnapshot(`
      "## :x: tufgate: no file handed out, 1 refused

      ### Refused

      |   |   |   |
      |---|---|---|
      | <code>e2e&#95;victim-1.0-py3-none-any.whl</code> | <code>sha256 of e2e&#95;victim-1.0-py3-none-any.whl is not the signed one &#91;<id>&#93;</code> | code <code>DIGEST&#95;MISMATCH</code><br>expected <code><sha256></code><br>found <code><sha256></code> |

      ### Warnings

      |   |   |   |
      |---|---|---|
      |  | <code>default&#58; FIRST CONTACT with this root&#58; an old list that has not expired cannot be recognised yet</code> |  |

      Answers rested on: <code>signed list&#58; root 1, timestamp 2, snapshot 2</code>

      Head of the audit log: <code>20261120T194006345Z&#95;10942.2377569.n4026531836b106094fc&#95;09934338&#58;7&#58;<sha256></code>"
    `)
    expect(readText(job, 'u.xml')).toContain(' failures="1" errors="0"')
    expect(readJson(job, 's.sarif')).toMatchObject({
      runs: [{ results: [{ ruleId: 'DIGEST_MISMATCH' }] }],
    })
    expect(readJson(job, 'q.json')).toMatchObject([{ check_name: 'tufgate/DIGEST_MISMATCH' }])
    for (const file of ['s.md', 'u.xml', 's.sarif', 'q.json']) {
      expect(readText(job, file)).not.toContain(token)
    }
  }, 60_000)

  test('gives no pipeline a command, whatever is asked for', async () => {
    const job = begin()
    await job.step(startLine())
    const hostile = [
      '::error::owned.whl',
      '%0A::set-output%20name=x::y.whl',
      '%23%23%5Berror%5Downed.whl',
      '%1B%5B2Jx.whl',
      '%E2%80%AEx.whl',
    ]
    const urls = hostile.map((name) => `"$\{PIP_INDEX_URL%simple/}files/e2e-good/h/${name}"`)
    const asked = await job.step(
      `eval "$(tufgate env)"\nfor url in ${urls.join(' ')}; do curl -s -o /dev/null "$url"; done`,
    )
    expect(asked).toMatchObject({ code: 0 })
    const stopped = await job.step('tufgate stop', { GITHUB_ACTIONS: 'true' })
    expect(stopped.code).toBe(0)
    expect(stopped.stdout).toMatch(/^[\x20-\x7e\n]*$/)
    expect(stopped.stdout).not.toContain('##')
    for (const line of stopped.stdout.split('\n')) {
      if (line.trim().startsWith('::'))
        expect(line).toMatch(/^::(?:error|notice) title=tufgate[^:]*::/)
    }
  }, 60_000)
})

describe.runIf(hasPip)('a proxy that was killed', () => {
  test('fails what comes after it, the variables, and the stop, which says so', async () => {
    const job = begin()
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
      "tufgate: The sidecar default does not run any more: process <pid> was killed, or has failed.
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
    const job = begin()
    await job.step(startLine())
    await kill(job)
    const again = await job.step(startLine())
    expect(again).toMatchObject({ code: 0 })
    expect(show(again.stderr, job)).toMatchInlineSnapshot(
      `"The sidecar default of <time> has ended without tufgate stop; it is replaced. Its audit log: <folder>/xdg/tufgate/<sha256>/audit"`,
    )
    expect(await job.step('tufgate stop')).toMatchObject({ code: 0 })
  }, 60_000)

  test('one that somebody else stopped in good order is gone all the same', async () => {
    const job = begin()
    await job.step(startLine())
    await kill(job, 'SIGTERM')
    const stopped = await job.step('tufgate stop')
    expect(stopped.code).toBe(1)
    expect(show(stopped.stderr, job)).toMatchInlineSnapshot(`
      "tufgate: the proxy had been stopped before: something else sent it a signal. What installers asked for since then was not served.
        Its output: cat <folder>/xdg/tufgate/sidecars/default/log"
    `)
  }, 60_000)
})

describe('a log that somebody has changed', () => {
  test('fails the stop, though nothing else is wrong', async () => {
    const job = begin()
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
    const job = begin()
    const started = await job.step(`${startLine()} --json`)
    const { audit } = JSON.parse(started.stdout) as { audit: { folder: string } }
    const stopped = await job.step(`rm -r ${audit.folder}\ntufgate stop`)
    expect(stopped.code).toBe(1)
    expect(stopped.stderr).toContain('the audit log of this session cannot be read')
  }, 60_000)
})

describe('a start that fails', () => {
  test('where no mirror answers says so when its time is up, and leaves nothing behind', async () => {
    const job = begin()
    const started = await job.step(`${startLine(await findFreeOrigin())} --timeout 300ms`)
    expect(started).toMatchObject({ code: 1, stdout: '' })
    expect(show(started.stderr, job)).toMatchInlineSnapshot(`
      "tufgate: it did not start: No mirror could be read: http://127.0.0.1:<port>/metadata/2.root.json: could not connect (connect ECONNREFUSED 127.0.0.1:<port>)
        Check that the mirror is up and that this machine can reach it.
        Nothing runs in the background. Its output: cat <folder>/xdg/tufgate/sidecars/default/log"
    `)
    expect(job.pids()).toEqual([])
    expect(await job.step('tufgate stop')).toMatchObject({ code: 2 })
  }, 60_000)

  test('where the list has expired says so at once', async () => {
    const clock = join(trial.folder, 'ahead.clock')
    writeFileSync(clock, String(240 * 3_600_000))
    const preload = pathToFileURL(join(import.meta.dirname, 'shifted-clock.ts')).href
    const job = begin({
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

  test('where a setting is wrong is told before anything is made', async () => {
    const job = begin()
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
    const job = begin()
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

/** Where nobody listens. */
async function findFreeOrigin(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return `http://127.0.0.1:${port}/`
}

function readText({ folder }: Pipeline, file: string): string {
  return readFileSync(join(folder, file), 'utf8')
}

function readJson(job: Pipeline, file: string): unknown {
  return JSON.parse(readText(job, file))
}

function readVariables(job: Pipeline, file: string): Record<string, string> {
  const lines = readText(job, file).trimEnd().split('\n')
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )
}
