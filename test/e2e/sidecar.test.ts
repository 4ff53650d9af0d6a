/** A proxy in the background, as the steps of a pipeline use it, with real pip: what is seen on every path. */

import { describe, expect, test } from 'vitest'
import { hasPip } from '../support/pip.ts'
import {
  beginJob,
  good,
  install,
  readJson,
  readText,
  readVariables,
  show,
  startLine,
  trial,
  useTrial,
  victim,
} from './sidecar-jobs.ts'

useTrial()

describe.runIf(hasPip)('what is in order', () => {
  test('is installed through the proxy; the summary counts it, and the exit code is 0', async () => {
    const job = beginJob()
    const started = await job.step(startLine())
    expect(started).toMatchObject({ code: 0, stderr: '' })
    expect(show(started.stdout, job)).toMatchInlineSnapshot(`
      "tufgate 0.1.0: the proxy is ready: process <pid>, http://127.0.0.1:<port>
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
      "tufgate: 1 file verified (972 bytes), nothing refused
        Warnings:
          default: FIRST CONTACT with this root: an old list that has not expired cannot be recognised yet
        Verified:
          e2e_good-1.0-py3-none-any.whl: 972 bytes
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
    const job = beginJob()
    await job.step(startLine())
    const again = await job.step(startLine())
    expect(again).toMatchObject({ code: 2, stdout: '' })
    expect(show(again.stderr, job)).toMatchInlineSnapshot(`
      "tufgate: The proxy "default" runs already: process <pid>, http://127.0.0.1:<port>, since <time>.
        Use it: tufgate env; end it: tufgate stop; or start another one with --name."
    `)
    expect(await job.step('tufgate stop')).toMatchObject({ code: 0 })
    const stopped = await job.step('tufgate stop')
    expect(stopped).toMatchObject({ code: 2, stdout: '' })
    expect(show(stopped.stderr, job)).toMatchInlineSnapshot(`
      "tufgate: No proxy "default" runs: there is no <folder>/xdg/tufgate/sidecars/default/sidecar.json.
        It was stopped already, or never started. If it was started with --state-dir, --config or --name, give the same here."
    `)
    // And a new one may come.
    expect(await job.step(`${startLine()}\ntufgate stop`)).toMatchObject({ code: 0 })
  }, 60_000)

  test('two names run at once, and each is judged by what it did itself', async () => {
    const job = beginJob()
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
    const job = beginJob()
    const starts = await Promise.all([1, 2, 3].map(() => job.step(startLine())))
    expect(starts.filter(({ code }) => code === 0)).toHaveLength(1)
    expect(job.pids()).toHaveLength(1)
    expect(await job.step('tufgate stop')).toMatchObject({ code: 0 })
  }, 60_000)
})

describe.runIf(hasPip)('what is refused', () => {
  test('fails the step of pip, and the stop where it is told to', async () => {
    const job = beginJob()
    await job.step(startLine())
    const used = await job.step(`eval "$(tufgate env)"\n${install} e2e-good\n${install} e2e-victim`)
    expect(used.code).toBe(1)
    expect(used.stderr).toContain(
      `Refused by tufgate: sha256 of ${victim.filename} is not the signed one`,
    )
    const stopped = await job.step('tufgate stop --fail-on-refusal')
    expect(stopped).toMatchObject({ code: 3, stderr: '' })
    expect(show(stopped.stdout, job)).toMatchInlineSnapshot(`
      "tufgate: 1 file verified (972 bytes), 1 refused
        Refused:
          e2e_victim-1.0-py3-none-any.whl: sha256 of e2e_victim-1.0-py3-none-any.whl is not the signed one (<id>)
            code     DIGEST_MISMATCH
            expected <sha256>
            found    <sha256>
        Warnings:
          default: FIRST CONTACT with this root: an old list that has not expired cannot be recognised yet
        Verified:
          e2e_good-1.0-py3-none-any.whl: 972 bytes
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
    const job = beginJob()
    await job.step(startLine())
    await job.step(`eval "$(tufgate env)"\n${install} e2e-victim`)
    const stopped = await job.step('tufgate stop')
    expect(stopped).toMatchObject({ code: 0 })
    expect(stopped.stdout).toContain('1 refused')
  }, 60_000)

  test('stands in the job summary and the annotations of GitHub Actions, and in every report', async () => {
    const job = beginJob()
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
      | <code>e2e&#95;victim-1.0-py3-none-any.whl</code> | <code>sha256 of e2e&#95;victim-1.0-py3-none-any.whl is not the signed one &#40;<id>&#41;</code> | code <code>DIGEST&#95;MISMATCH</code><br>expected <code><sha256></code><br>found <code><sha256></code> |

      ### Warnings

      |   |   |   |
      |---|---|---|
      |  | <code>default&#58; FIRST CONTACT with this root&#58; an old list that has not expired cannot be recognised yet</code> |  |

      Answers rested on: <code>signed list&#58; root 1, timestamp 2, snapshot 2</code>

      Head of the audit log: <code><chain>:7:<sha256></code>"
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
    const job = beginJob()
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

describe.runIf(hasPip)('what is hidden', () => {
  test('is said in the end, since pip only says that there is nothing', async () => {
    const job = beginJob()
    const { config } = await trial.writeSettings({ settings: '[policy]\nmin-age = "3d"' })
    await job.step(`tufgate start --config ${config}`)
    const env = `eval "$(tufgate env --config ${config})"`
    const used = await job.step(`${env}\n${install} e2e-good`)
    expect(used.code).toBe(1)
    expect(used.stderr).toContain('No matching distribution found for e2e-good')
    const stopped = await job.step(`tufgate stop --config ${config} --fail-on-refusal`)
    expect(stopped.code).toBe(0)
    expect(show(stopped.stdout, job)).toMatchInlineSnapshot(`
      "tufgate: no file handed out, nothing refused, files of 1 project hidden by policy
        Hidden by policy:
          e2e-good: policy hides e2e_good-1.0-py3-none-any.whl, and nothing else is left (<id>)
            rule     TOO_YOUNG
        Warnings:
          trial: FIRST CONTACT with this root: an old list that has not expired cannot be recognised yet
        answers rested on: signed list: root 1, timestamp 2, snapshot 2
        audit log head <chain>:6:<sha256>"
    `)
  }, 60_000)
})

describe('a sidecar that intercepts', () => {
  test('gets all that is asked by HTTP, with one bundle of roots however often it is asked for', async () => {
    const job = beginJob()
    const started = await job.step(`${startLine()} --intercept\ntufgate env > env.sh`)
    expect(started).toMatchObject({ code: 0 })
    const again = '. ./env.sh\nwc -c < "$PIP_CERT"\neval "$(tufgate env)"\nwc -c < "$SSL_CERT_FILE"'
    const [first = '', second = ''] = (await job.step(again)).stdout.split('\n')
    expect(Number(first)).toBeGreaterThan(500)
    expect(second).toBe(first)
    const asked = await job.step(
      '. ./env.sh\ncurl -s -x "$http_proxy" http://other.example/x?secret',
    )
    expect(asked.stdout).toContain('FORWARD_REFUSED')
    const near = await job.step('. ./env.sh\necho "[$NO_PROXY][$no_proxy]"')
    expect(near.stdout).toBe('[][]\n')
    const stopped = await job.step('tufgate stop --fail-on-refusal')
    expect(stopped.code).toBe(3)
    expect(stopped.stdout).toMatch(/GET http:\/\/other\.example\/x: .* \(r-/)
    expect(stopped.stdout).not.toContain('secret')
  }, 60_000)
})
