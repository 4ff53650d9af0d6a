/** The examples of proxy-config/ci and the unit of serve are true: their own lines are run, with real pip. */

import { spawnSync } from 'node:child_process'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readList, readMap, readSteps } from '../support/example-lines.ts'
import { hasPip } from '../support/pip.ts'
import type { Pipeline } from '../support/pipeline.ts'
import { collect, runCommand, spawnProgram, type Finished } from '../support/program.ts'
import { findFreeOrigin } from './free-origin.ts'
import { beginJob, readText, readVariables, trial, useTrial } from './sidecar-jobs.ts'

useTrial()

const github = readFileSync('proxy-config/ci/github-actions.yml', 'utf8')
const gitlab = readFileSync('proxy-config/ci/gitlab-ci.yml', 'utf8')
const compose = readFileSync('proxy-config/ci/container/compose.yaml', 'utf8')
const containerfile = readFileSync('proxy-config/ci/container/Containerfile', 'utf8')
const unit = readFileSync('proxy-config/systemd/tufgate-serve.service', 'utf8')

/** A checkout with what its pipeline needs; the variables of the example, with the addresses of the trial. */
function checkOut(yaml: string, key: string, requirement: string) {
  const job = beginJob()
  writeFileSync(join(job.folder, 'requirements.txt'), `${requirement}\n`)
  copyFileSync(trial.root, join(job.folder, '1.root.json'))
  const example = readMap(yaml, key)
  expect(Object.keys(example)).toEqual([
    'TUFGATE_PACKAGE',
    'TUFGATE_INDEX',
    'TUFGATE_MIRROR',
    'TUFGATE_ROOT',
  ])
  const variables = {
    ...example,
    // The environment is the same for all of these jobs.
    PIP_FORCE_REINSTALL: '1',
    TUFGATE_INDEX: trial.indexUrl,
    TUFGATE_MIRROR: trial.published,
    TUFGATE_ROOT: '1.root.json',
  }
  return { job, variables }
}

interface Ended extends Finished {
  readonly name: string
}

/** As the runner does it: variables for the steps that follow, and no step after one that failed. */
async function runGithub(requirement: string): Promise<{ job: Pipeline; ended: Ended[] }> {
  const { job, variables } = checkOut(github, 'env', requirement)
  const files = { GITHUB_ACTIONS: 'true', GITHUB_ENV: 'env', GITHUB_STEP_SUMMARY: 'summary.md' }
  writeFileSync(join(job.folder, 'env'), '')
  const ended: Ended[] = []
  for (const { name, script, isAlways } of readSteps(github)) {
    if (!isAlways && ended.some(({ code }) => code !== 0)) continue
    const environment = { ...variables, ...files, ...readVariables(job, 'env') }
    ended.push({ name, ...(await job.step(script, environment)) })
  }
  return { job, ended }
}

describe.runIf(hasPip)('the example of GitHub Actions', () => {
  test('installs what is in order', async () => {
    const { job, ended } = await runGithub('e2e-good')
    expect(ended.map(({ name, code }) => [name, code])).toEqual([
      ['Install tufgate', 0],
      ['Start tufgate', 0],
      ['Install packages', 0],
      ['Stop tufgate', 0],
    ])
    expect(readText(job, 'summary.md')).toContain('1 file verified')
    expect(readText(job, 'tufgate.xml')).toContain('failures="0"')
  }, 60_000)

  test('fails at what is refused, and says so in the end', async () => {
    const { job, ended } = await runGithub('e2e-victim')
    expect(ended.map(({ name, code }) => [name, code])).toEqual([
      ['Install tufgate', 0],
      ['Start tufgate', 0],
      ['Install packages', 1],
      ['Stop tufgate', 3],
    ])
    expect(ended.at(-1)?.stdout).toContain('\n::error title=tufgate refused e2e_victim')
    expect(readText(job, 'summary.md')).toContain('### Refused')
    expect(readText(job, 'tufgate.sarif')).toContain('DIGEST_MISMATCH')
  }, 60_000)
})

/** As the runner does it: all lines in one shell. */
async function runGitlab(requirement: string): Promise<{ job: Pipeline; ended: Finished }> {
  const { job, variables } = checkOut(gitlab, 'variables', requirement)
  const lines = [...readList(gitlab, 'before_script'), ...readList(gitlab, 'script')]
  expect(lines).toHaveLength(7)
  return { job, ended: await job.step(lines.join('\n'), variables) }
}

describe.runIf(hasPip)('the example of GitLab CI', () => {
  test('installs what is in order', async () => {
    const { job, ended } = await runGitlab('e2e-good')
    expect(ended.code).toBe(0)
    expect(ended.stdout).toContain('tufgate: 1 file verified')
    expect(JSON.parse(readText(job, 'gl-code-quality-report.json'))).toEqual([])
  }, 60_000)

  test('fails at what is refused, and its reports are there', async () => {
    const { job, ended } = await runGitlab('e2e-victim')
    expect(ended.code).toBe(3)
    expect(ended.stdout).toContain('1 refused')
    expect(readText(job, 'tufgate.xml')).toContain('failures="1"')
    expect(readText(job, 'gl-code-quality-report.json')).toContain('DIGEST_MISMATCH')
  }, 60_000)
})

describe.runIf(hasPip)('the example with containers', () => {
  const [proxyService = '', jobService = ''] = compose.split(/^ {2}job:$/m)

  test('starts a proxy whose health is what it says, and from which the job installs', async () => {
    const { host, hostname, port } = new URL(await findFreeOrigin())
    const toTrial = (text: string): string =>
      text
        .replaceAll('127.0.0.1:8642', host)
        .replace('https://pypi.org/simple/', trial.indexUrl)
        .replace('https://mirror.example/tufgate/', trial.published)
        .replace('/etc/tufgate/1.root.json', trial.root)
        .replace('/var/lib/tufgate', join(trial.folder, 'container-state'))
    const args = readList(proxyService, 'command').map(toTrial)
    expect(args).toContain(`--listen=${hostname}:${port}`)
    const proxy = trial.watch(spawnProgram({}, ...args))
    const ended = collect(proxy)
    const [, check = ''] = /test: (\[.*\])/.exec(proxyService) ?? []
    const [, command = '', ...rest] = (JSON.parse(check) as string[]).map(toTrial)
    const isHealthy = async (): Promise<boolean> => (await runCommand(command, rest)).code === 0
    await expect.poll(isHealthy, { timeout: 20_000 }).toBe(true)

    const job = beginJob()
    writeFileSync(join(job.folder, 'requirements.txt'), 'e2e-good\n')
    const variables = Object.entries(readMap(jobService, 'environment'))
    const environment = Object.fromEntries(variables.map(([name, value]) => [name, toTrial(value)]))
    expect(environment['PIP_INDEX_URL']).toBe(`http://${host}/simple/`)
    const [shell, flags, script = ''] = readList(jobService, 'command')
    expect([shell, flags]).toEqual(['sh', '-ec'])
    expect(await job.step(script, environment)).toMatchObject({ code: 0 })
    proxy.kill('SIGTERM')
    expect(await ended).toMatchObject({ code: 0 })
    expect(await isHealthy()).toBe(false)
  }, 60_000)

  test('takes the package of this version, and never runs it as root', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
    expect(containerfile.match(/tufgate-[\d.]+\.tgz/g)).toEqual([
      `tufgate-${version}.tgz`,
      `tufgate-${version}.tgz`,
    ])
    expect(containerfile.indexOf('USER node')).toBeLessThan(containerfile.indexOf('ENTRYPOINT'))
    for (const variables of [readMap(github, 'env'), readMap(gitlab, 'variables')]) {
      // A name alone would be asked for in a registry, where it may be anybody's.
      expect(variables['TUFGATE_PACKAGE']).toBe(`./tufgate-${version}.tgz`)
    }
  })
})

describe('the unit of systemd', () => {
  test.runIf(hasPip)(
    'runs a proxy from which pip installs, and which ends in order',
    async () => {
      const settings = 'listen = ["127.0.0.1:0"]'
      const { config } = await trial.writeSettings({ settings })
      const [, line = ''] = /^ExecStart=\/usr\/local\/bin\/tufgate (.*)$/m.exec(unit) ?? []
      const args = line
        .replace('/etc/tufgate/tufgate.toml', config)
        .replace('/var/lib/tufgate', join(trial.folder, 'unit-state'))
      const proxy = trial.watch(spawnProgram({}, ...args.split(' ')))
      const ended = collect(proxy)
      const origin = await new Promise<string>((resolve) => {
        let seen = ''
        proxy.stdout.on('data', (text: string) => {
          seen += text
          const [found] = /http:\/\/127\.0\.0\.1:\d+(?=\n)/.exec(seen) ?? []
          if (found !== undefined) resolve(found)
        })
      })
      const job = beginJob()
      const installed = await job.step(`pip install --index-url ${origin}/simple/ e2e-good`)
      expect(installed).toMatchObject({ code: 0 })
      expect(unit).toContain('\nKillSignal=SIGTERM\n')
      proxy.kill('SIGTERM')
      expect(await ended).toMatchObject({ code: 0 })
    },
    60_000,
  )

  const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0

  test.runIf(hasSystemd)('is hardened, in the eyes of systemd', () => {
    const { stdout } = spawnSync(
      'systemd-analyze',
      ['security', '--offline=true', 'proxy-config/systemd/tufgate-serve.service'],
      { encoding: 'utf8' },
    )
    const [, exposure = '10'] = /exposure level[^:]*: ([\d.]+)/.exec(stdout) ?? []
    expect(Number(exposure)).toBeLessThan(2)
  })
})
