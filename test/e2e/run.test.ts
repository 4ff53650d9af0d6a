/** `tufgate run` as a pipeline uses it, with real pip, whose settings try to lead it past the proxy. */

import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildWheel } from '../support/build-wheel.ts'
import { serve, startHostileServer, type HostileServer } from '../support/hostile-server.ts'
import { createPipEnvironment, hasPip, warnWithoutPip } from '../support/pip.ts'
import { collect, spawnProgram } from '../support/program.ts'
import { node, useRun } from './run-fixture.ts'

warnWithoutPip()

const good = buildWheel({ name: 'run-good', version: '1.0' })
const swapped = buildWheel({ name: 'run-swapped', version: '1.0' })
const evil = buildWheel({ name: 'run-swapped', version: '1.0', code: 'EVIL = True\n' })
const bait = buildWheel({ name: 'run-bait', version: '9.0' })

const fixture = useRun({ 'run-good': [good], 'run-swapped': [swapped] })
let hostile: HostileServer
let python: string

/** What a hostile index has to offer, to whoever asks it. */
function baitIndex(server: HostileServer): void {
  const link = `<a href="/${bait.filename}#sha256=${bait.sha256}">${bait.filename}</a>`
  server.use((path) => {
    if (path.endsWith('.whl')) return serve(bait.bytes)
    return serve(Buffer.from(`<!DOCTYPE html><html><body>${link}</body></html>`), {
      'content-type': 'text/html',
    })
  })
}

beforeAll(async () => {
  hostile = await startHostileServer()
  baitIndex(hostile)
  fixture.trial.index.on(`/files/${swapped.filename}`, serve(evil.bytes))
  if (hasPip) ({ python } = await createPipEnvironment(join(fixture.trial.folder, 'venv')))
}, 120_000)

afterAll(() => hostile.close())

function pip(...args: readonly string[]): string[] {
  return [python, '-m', 'pip', ...args]
}

function install(name: string, ...more: readonly string[]): string[] {
  return pip('install', '--target', join(fixture.state, 'installed'), ...more, name)
}

function portOf(text: string): number {
  return Number(/http:\/\/127\.0\.0\.1:(\d+)\//.exec(text)?.[1] ?? 0)
}

async function isListening(port: number): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${port}/-/health`).catch(() => undefined)
  return answer !== undefined
}

describe.runIf(hasPip)('pip behind tufgate run', () => {
  test('installs what is verified: 0, and what it was is said at the end', async () => {
    const { code, stdout, stderr } = await fixture.run(install('run-good'))
    expect(stderr).toContain('tufgate: 1 file verified')
    expect(stderr).toContain('nothing refused')
    expect(stderr).toContain(`${good.filename}: `)
    expect(stderr).toMatch(/audit log head \S+:\d+:[0-9a-f]{64}\n/)
    expect(stdout).toContain('Successfully installed run-good-1.0')
    expect(code).toBe(0)
    expect(await isListening(portOf(stdout))).toBe(false)
  })

  test('is refused a file that is not the signed one: its own exit code, and the reason', async () => {
    const { code, stderr } = await fixture.run(install('run-swapped'))
    expect(code).toBe(1)
    expect(stderr).toContain('1 refused')
    expect(stderr).toMatch(
      / {4}run_swapped-1\.0-py3-none-any\.whl: .* is not the signed one \(r-[a-z2-7]+\)/,
    )
    expect(stderr).toContain('code     LENGTH_MISMATCH')
    expect(stderr).toMatch(/why: tufgate explain --state-dir \S+ r-/)
  })

  test('is refused a file, and the command says 0 all the same: 3', async () => {
    const [first = '', ...rest] = install('run-swapped')
    const { code, stderr } = await fixture.run(['sh', '-c', '"$0" "$@" || true', first, ...rest])
    expect(stderr).toContain('1 refused')
    expect(code).toBe(3)
  })

  test('asks for a name that nobody has signed: its own exit code', async () => {
    const { code, stderr } = await fixture.run(install('run-bait'))
    expect(code).toBe(1)
    expect(stderr).toContain('Not in the list')
  })

  test('is not led past it by --isolated: pip then minds no variable, but the file that one names', async () => {
    const more = ['--isolated', '--no-cache-dir', '--target', join(fixture.state, 'isolated')]
    const { code, stdout, stderr } = await fixture.run(pip('install', ...more, 'run-good'))
    expect(stdout).toMatch(/Looking in indexes: http:\/\/127\.0\.0\.1:\d+\/[^/]+\/simple\//)
    expect(stderr).toContain('tufgate: 1 file verified')
    expect(stderr).not.toContain('past the proxy')
    expect(code).toBe(0)
  })

  test.each([
    ['--extra-index-url', '/simple/'],
    ['--find-links', '/links/'],
  ])('is told of %s on its command line; --strict does not start it', async (option, path) => {
    const command = install('run-bait', option, hostile.url(path))
    const loose = await fixture.run(command)
    expect(loose.stderr).toContain(`tufgate: ${option}: ${hostile.url(path)}: pip `)
    expect(loose.stdout).toContain('Successfully installed run-bait-9.0')
    const before = hostile.requests.length
    const args = ['run', '--strict', '--config', fixture.config, '--', ...command]
    const strict = await collect(fixture.trial.watch(spawnProgram(fixture.variables(), ...args)))
    expect(strict.stderr).toContain('nothing was started: --strict refuses a command')
    expect(strict.code).toBe(2)
    expect(hostile.requests).toHaveLength(before)
  })

  test('finds no other index in any of its settings files, in any section', async () => {
    const paths = {
      global: join(fixture.home, 'etc/pip/pip.conf'),
      user: join(fixture.home, '.config/pip/pip.conf'),
      legacy: join(fixture.home, '.pip/pip.conf'),
      site: join(fixture.trial.folder, 'venv/pip.conf'),
    }
    const text = ['global', 'install', 'download', 'wheel', ':env:']
      .flatMap((section) => [
        `[${section}]`,
        `index-url = ${hostile.url('/simple/')}`,
        `extra-index-url =\n  ${hostile.url('/simple/')}\n  ${hostile.url('/other/')}`,
        `find_links = ${hostile.url('/links/')}`,
        `trusted-host = 127.0.0.1`,
        'timeout = 17',
      ])
      .join('\n')
    for (const path of Object.values(paths)) {
      await mkdir(join(path, '..'), { recursive: true })
      await writeFile(path, text)
    }
    try {
      const before = hostile.requests.length
      for (const verb of ['install', 'download', 'wheel']) {
        const where = verb === 'install' ? '--target' : verb === 'download' ? '-d' : '-w'
        const bad = await fixture.run(pip(verb, where, join(fixture.state, verb), 'run-bait'))
        expect(bad.code, bad.stderr + bad.stdout).toBe(1)
        const { code, stdout, stderr } = await fixture.run(
          pip(verb, where, join(fixture.state, verb), 'run-good'),
        )
        expect(code, stderr + stdout).toBe(0)
        const lines =
          'extra-index-url (line 3, 11, 19, 27, 35), find-links (line 6, 14, 22, 30, 38)'
        for (const path of Object.values(paths)) {
          const told = `left out of ${path}, so that nothing goes past the proxy: `
          expect(stderr).toContain(told)
        }
        expect(stderr.split(lines)).toHaveLength(5)
      }
      expect(hostile.requests.slice(before)).toEqual([])
      expect(await readFile(paths.user, 'utf8')).toBe(text)
    } finally {
      await rm(paths.site)
    }
  })

  test('finds no other index with --isolated, which makes it forget its variables', async () => {
    const before = hostile.requests.length
    await mkdir(join(fixture.home, 'etc/pip'), { recursive: true })
    await writeFile(
      join(fixture.home, 'etc/pip/pip.conf'),
      `[install]\nindex-url = ${hostile.url('/simple/')}\n`,
    )
    const { code, stdout } = await fixture.run(install('run-good', '--isolated'))
    expect(stdout).toContain('Successfully installed run-good-1.0')
    expect(code).toBe(0)
    expect(hostile.requests.slice(before)).toEqual([])
  })

  test.each(['no-index = yes', 'proxy = http://127.0.0.1:9', 'no-index = nonsense'])(
    'is not kept from the proxy by "%s" in a settings file',
    async (line) => {
      await mkdir(join(fixture.home, 'etc/pip'), { recursive: true })
      await writeFile(
        join(fixture.home, 'etc/pip/pip.conf'),
        `[global]\n${line}\n[install]\n${line}\n`,
      )
      const { code, stderr } = await fixture.run(install('run-good'))
      expect(code, stderr).toBe(0)
    },
  )

  test('finds no other index in the environment', async () => {
    const before = hostile.requests.length
    const url = hostile.url('/simple/')
    const more = {
      PIP_INDEX_URL: url,
      PIP_EXTRA_INDEX_URL: url,
      PIP_extra_index_url: url,
      PIP_FIND_LINKS: url,
      PIP_PYPI_URL: url,
      PIP_TRUSTED_HOST: '127.0.0.1',
    }
    expect((await fixture.run(install('run-bait'), more)).code).toBe(1)
    const { code, stderr } = await fixture.run(install('run-good'), more)
    expect(code).toBe(0)
    expect(stderr).toContain(
      'tufgate: left out of the environment, so that nothing goes past the proxy: ',
    )
    expect(stderr).toContain('PIP_EXTRA_INDEX_URL, PIP_extra_index_url, PIP_FIND_LINKS')
    expect(hostile.requests.slice(before)).toEqual([])
  })

  test('is not sent to the proxy of the network for what is on this machine', async () => {
    const before = hostile.requests.length
    const more = {
      http_proxy: hostile.origin,
      HTTP_PROXY: hostile.origin,
      PIP_PROXY: hostile.origin,
    }
    // The proxy itself reaches its index by it, as the user wants; that one is on loopback too.
    const { code, stderr } = await fixture.run(install('run-good'), {
      ...more,
      no_proxy: '127.0.0.1',
    })
    expect(code, stderr).toBe(0)
    expect(hostile.requests.slice(before)).toEqual([])
  })

  test('with PIP_CONFIG_FILE=/dev/null it still reads no settings of the machine', async () => {
    await mkdir(join(fixture.home, 'etc/pip'), { recursive: true })
    await writeFile(join(fixture.home, 'etc/pip/pip.conf'), '[install]\nrequire-hashes = yes\n')
    const { code, stderr } = await fixture.run(install('run-good'), {
      PIP_CONFIG_FILE: '/dev/null',
    })
    expect(code, stderr).toBe(0)
  })

  test('keeps the harmless settings of the user', async () => {
    await mkdir(join(fixture.home, '.config/pip'), { recursive: true })
    await writeFile(join(fixture.home, '.config/pip/pip.conf'), '[install]\nrequire-hashes = yes\n')
    const { code, stderr } = await fixture.run(install('run-good'))
    expect(code).toBe(1)
    expect(stderr).toContain('hash')
  })

  test('has nothing to ask once the proxy was killed, and goes nowhere else', async () => {
    const before = hostile.requests.length
    const script = `
      const parent = process.ppid
      process.kill(parent, 'SIGKILL')
      const timer = setInterval(() => {
        if (process.ppid === parent) return
        clearInterval(timer)
        const [command, ...args] = process.argv.slice(1)
        const { status, stderr } = require('node:child_process').spawnSync(command, args)
        console.log('pip said ' + status, String(stderr))
      }, 5)`
    const killed = await fixture.run(node(script, ...install('run-good', '--retries', '0')))
    expect(killed.signal).toBe('SIGKILL')
    expect(killed.stdout).toContain('pip said 1')
    expect(hostile.requests.slice(before)).toEqual([])
    for (const name of await readdir(fixture.temporary))
      await rm(join(fixture.temporary, name), { recursive: true })
  })
})
