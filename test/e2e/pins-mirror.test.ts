/** Pins beside a real mirror: real pip, the program as processes. What is not pinned is not served. */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { buildWheel, sha256, type Wheel } from '../support/build-wheel.ts'
import { serveFolder, writeIndex, type ServedIndex } from '../support/folder-index.ts'
import {
  createPipEnvironment,
  hasPip,
  warnWithoutPip,
  type PipEnvironment,
} from '../support/pip.ts'
import { runProgram, startServe, type Finished, type RunningProxy } from '../support/program.ts'

warnWithoutPip()

const greetings = ['1.0', '1.1', '1.2'].map((version) =>
  buildWheel({ name: 'e2e-greeting', version }),
)
const [old, pinned, later] = greetings as [Wheel, Wheel, Wheel]
const tool = buildWheel({ name: 'e2e-tool', version: '2.0', requires: ['e2e-greeting>=1.0'] })

describe.runIf(hasPip)('pins beside a mirror', () => {
  let folder: string
  let mirror: string
  let pins: string
  let index: ServedIndex
  let environment: PipEnvironment
  let proxy: RunningProxy | undefined

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tufgate-pins-mirror-'))
    mirror = join(folder, 'mirror')
    pins = join(folder, 'pins.txt')
    await putIndex([old, pinned])
    index = await serveFolder(join(folder, 'index'))
    expect(await runProgram('mirror', 'init', mirror, '--projects', '10')).toMatchObject({
      code: 0,
    })
    await sync('--index', index.url)
    environment = await createPipEnvironment(join(folder, 'venv'))
  }, 120_000)

  afterEach(async () => {
    await proxy?.stop('SIGKILL')
    proxy = undefined
  })

  afterAll(async () => {
    await index.close()
    await rm(folder, { recursive: true, force: true })
  })

  function putIndex(shown: readonly Wheel[]): Promise<void> {
    return writeIndex(join(folder, 'index'), [
      { name: 'e2e-greeting', wheels: shown },
      { name: 'e2e-tool', wheels: [tool] },
    ])
  }

  async function sync(...more: readonly string[]): Promise<void> {
    expect(await runProgram('mirror', 'sync', mirror, '--all', ...more)).toMatchObject({ code: 0 })
  }

  async function start(pinsFile: string): Promise<RunningProxy> {
    const root = join(folder, '1.root.json')
    await writeFile(root, await readFile(join(mirror, 'public/metadata/1.root.json')))
    const place = ['--mirror', join(mirror, 'public'), '--root', root]
    const state = ['--state-dir', join(folder, 'state')]
    proxy = await startServe('--index', index.url, ...place, ...state, '--pins', pinsFile)
    return proxy
  }

  /** With a mirror nothing is first use. */
  async function stop(): Promise<Finished> {
    const finished = await proxy!.stop()
    proxy = undefined
    const audit = await runProgram('audit', 'show', '--state-dir', join(folder, 'state'), '--json')
    expect(finished.stdout + finished.stderr + audit.stdout).not.toMatch(/first.use/i)
    return finished
  }

  function install(what: string): Promise<Finished> {
    const options = ['--force-reinstall', '--index-url', `${proxy!.origin}/simple/`]
    return environment.pip('install', ...options, what)
  }

  async function findVersion(): Promise<string | undefined> {
    const { stdout } = await environment.pip('show', 'e2e-greeting')
    return /^Version: (.+)$/m.exec(stdout)?.[1]
  }

  function pathOf({ filename }: Wheel): string {
    return `/files/e2e-greeting/${new URL(index.url).host}/files/${filename}`
  }

  test('are written of what the mirror has signed', async () => {
    const exported = await runProgram('pins', 'export', '--mirror', mirror, '-o', pins)
    expect(exported).toMatchObject({ code: 0 })
    const text = await readFile(pins, 'utf8')
    expect(text).not.toMatch(/first.use/i)
    expect(text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))).toEqual([
      `e2e-greeting 1.0 ${old.filename} ${old.sha256}`,
      `e2e-greeting 1.1 ${pinned.filename} ${pinned.sha256}`,
      `e2e-tool 2.0 ${tool.filename} ${tool.sha256}`,
    ])
  })

  test('keep pip at what they name, though the mirror has signed a newer release', async () => {
    await putIndex(greetings)
    await sync()
    const { origin } = await start(pins)
    expect(await install('e2e-tool')).toMatchObject({ code: 0, stderr: '' })
    expect(await findVersion()).toBe('1.1')
    const page = await fetch(`${origin}/simple/e2e-greeting/`)
    expect(page.headers.get('x-tufgate-trust')).toMatch(/^root=1 /)
    const html = await page.text()
    expect(html).not.toContain(later.filename)
    expect(html).not.toMatch(/metadata=|first.use/i)
    await stop()
  }, 120_000)

  test.each([
    ['a file that is not in them', () => pathOf(later)],
    ['its .metadata', () => `${pathOf(later)}.metadata`],
    ['the .metadata of one that is', () => `${pathOf(pinned)}.metadata`],
  ])('refuse a client that has the URL of %s already', async (_what, path) => {
    const { origin } = await start(pins)
    const refused = await fetch(`${origin}${path()}`)
    expect(refused.status).toBe(403)
    expect(await refused.json()).toMatchObject({ code: 'NOT_PINNED' })
    await stop()
  })

  test('with another digest than the mirror has signed refuse loudly, with both', async () => {
    const other = join(folder, 'other.txt')
    const wrong = sha256(Buffer.from('other'))
    await writeFile(other, (await readFile(pins, 'utf8')).replace(pinned.sha256, wrong))
    await start(other)
    const refused = await install('e2e-tool')
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain(
      `sha256 of ${pinned.filename} is not the one in the pins file ${other}`,
    )
    await stop()
  }, 120_000)

  test('of a mirror bind the names for a machine without one', async () => {
    const place = ['--index', index.url, '--state-dir', join(folder, 'elsewhere')]
    const imported = await runProgram('pins', 'import', pins, ...place)
    expect(imported).toMatchObject({ code: 0 })
    expect(imported.stdout).toContain('3 files imported')
  })

  test('are not exported of a mirror and an index at once', async () => {
    const both = await runProgram('pins', 'export', '--mirror', mirror, '--index', index.url)
    expect(both.code).toBe(2)
    expect(both.stderr).toContain('Leave --index, --config and --state-dir out.')
  })
})
