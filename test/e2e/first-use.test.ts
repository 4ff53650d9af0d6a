/** One command in front of an index, without a mirror: real pip, the program as processes, an index that changes. */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { TestIndex } from '../notary/test-index.ts'
import { buildWheel, sha256, type Wheel } from '../support/build-wheel.ts'
import { serveFolder, writeIndex, type ServedIndex } from '../support/folder-index.ts'
import {
  createPipEnvironment,
  hasPip,
  warnWithoutPip,
  type PipEnvironment,
} from '../support/pip.ts'
import {
  collect,
  runProgram,
  spawnServe,
  startServe,
  type Finished,
  type RunningProxy,
} from '../support/program.ts'

warnWithoutPip()

const greetings = ['1.0', '1.1'].map((version) => buildWheel({ name: 'e2e-greeting', version }))
const [old, newest] = greetings as [Wheel, Wheel]
const tool = buildWheel({ name: 'e2e-tool', version: '2.0', requires: ['e2e-greeting>=1.0'] })
const victim = buildWheel({ name: 'e2e-victim', version: '1.0' })
const evil = buildWheel({ name: 'e2e-victim', version: '1.0', code: 'print("evil")\n' })

describe.runIf(hasPip)('serve without a mirror', () => {
  let folder: string
  let index: ServedIndex
  let environment: PipEnvironment
  let proxy: RunningProxy | undefined

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tufgate-first-use-'))
    await putIndex(greetings, victim)
    index = await serveFolder(join(folder, 'index'))
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

  function putIndex(shown: readonly Wheel[], shownVictim: Wheel): Promise<void> {
    return writeIndex(join(folder, 'index'), [
      { name: 'e2e-greeting', wheels: shown },
      { name: 'e2e-tool', wheels: [tool] },
      { name: 'e2e-victim', wheels: [shownVictim] },
    ])
  }

  function flags(state = 'state'): string[] {
    return ['--index', index.url, '--state-dir', join(folder, state)]
  }

  async function start(...more: readonly string[]): Promise<RunningProxy> {
    proxy = await startServe(...flags(), ...more)
    return proxy
  }

  /** What it said; nothing of it may claim more than was done. */
  async function stop(): Promise<Finished> {
    const finished = await proxy!.stop()
    proxy = undefined
    expect(finished.code).toBe(0)
    expect(finished.stdout + finished.stderr).not.toMatch(/\b(?:signed|verified)\b/i)
    return finished
  }

  function install(...what: readonly string[]): Promise<Finished> {
    const options = ['--force-reinstall', '--index-url', `${proxy!.origin}/simple/`]
    return environment.pip('install', ...options, ...what)
  }

  async function findVersion(project: string): Promise<string | undefined> {
    const { stdout } = await environment.pip('show', project)
    return /^Version: (.+)$/m.exec(stdout)?.[1]
  }

  async function readAudit(state = 'state'): Promise<Record<string, unknown>[]> {
    const shown = await runProgram('audit', 'show', '--state-dir', join(folder, state), '--json')
    return shown.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  }

  async function readPage(project: string): Promise<string> {
    const response = await fetch(`${proxy!.origin}/simple/${project}/`)
    expect(response.headers.get('x-tufgate-trust')).toMatch(/^first-use\b/)
    const page = await response.text()
    expect(page).toContain('first-use: nobody vouches for what was seen for the first time')
    return page
  }

  test('installs, and says that nothing was compared', async () => {
    await start()
    expect(await install('e2e-tool')).toMatchObject({ code: 0, stderr: '' })
    expect(await findVersion('e2e-greeting')).toBe('1.1')
    expect(await readPage('e2e-victim')).toContain(victim.filename)
    const { stdout } = await stop()
    expect(stdout).toContain('trust on first use')
    expect(stdout).toContain(
      'index default: 3 of 3 projects seen for the first time: nothing was compared',
    )
  }, 120_000)

  test('says first-use in every line of the audit log that says what an answer rests on', async () => {
    const entries = await readAudit()
    const released = entries.filter(({ kind }) => kind === 'released')
    expect(released.length).toBeGreaterThanOrEqual(2)
    for (const { trust } of entries.filter((entry) => entry['trust'] !== undefined)) {
      expect(trust).toMatchObject({ kind: 'first-use' })
    }
    const messages = JSON.stringify(entries.map(({ message }) => message))
    expect(messages).not.toMatch(/\b(?:signed|verified)\b/)
    expect(messages).toContain('first-use: 3 of 3 projects')
    const shown = await runProgram('audit', 'show', '--state-dir', join(folder, 'state'))
    const lines = shown.stdout.split('\n').filter((line) => / (?:released|page) /.test(line))
    expect(lines.length).toBeGreaterThan(2)
    expect(lines.filter((line) => !line.includes('first-use'))).toEqual([])
  })

  test('compares at the second start', async () => {
    await start()
    expect(await install('e2e-tool')).toMatchObject({ code: 0 })
    expect((await stop()).stdout).toContain(
      '0 of 2 projects seen for the first time: 2 compared with what was seen before',
    )
  }, 120_000)

  test('goes on while the index is down', async () => {
    const { port } = new URL(index.url)
    await index.close()
    try {
      await start()
      expect(await install('e2e-tool')).toMatchObject({ code: 0 })
      expect((await stop()).stdout).toContain('could not be compared')
    } finally {
      index = await serveFolder(join(folder, 'index'), Number(port))
    }
  }, 120_000)

  test('refuses a file that changed together with its hash, with both digests', async () => {
    await putIndex(greetings, evil)
    await start()
    const refused = await install('e2e-victim')
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain(
      `403 Client Error: Refused by tufgate: sha256 of ${victim.filename} is not the one of first use`,
    )
    const { stderr } = await stop()
    expect(stderr).toContain(`e2e-victim: ${victim.filename} has another sha256 than at first use`)
    expect(stderr).toContain(`expected: ${victim.sha256}`)
    expect(stderr).toContain(`found:    ${evil.sha256}`)
    const entry = (await readAudit()).find(({ kind }) => kind === 'refused')
    expect(entry).toMatchObject({
      code: 'DIGEST_MISMATCH',
      project: 'e2e-victim',
      expected: victim.sha256,
      found: evil.sha256,
    })
  }, 120_000)

  test('keeps a release that vanished, so that nobody gets it by chance', async () => {
    await putIndex([old], evil)
    await start()
    expect(await install('e2e-greeting')).toMatchObject({ code: 0 })
    expect(await findVersion('e2e-greeting')).toBe('1.0')
    const page = await readPage('e2e-greeting')
    expect(page).toContain(newest.filename)
    expect(page).toMatch(/data-yanked="not listed since/)
    await stop()
  }, 120_000)

  test('holds a release that is revived, and accepts it by the command that it names', async () => {
    await putIndex(greetings, evil)
    await start()
    expect(await readPage('e2e-greeting')).toMatch(/data-yanked="not listed since/)
    expect(await install('e2e-greeting')).toMatchObject({ code: 0 })
    expect(await findVersion('e2e-greeting')).toBe('1.0')
    const { stderr } = await stop()
    const [, command = ''] = /To accept it: tufgate (mirror approve .+)$/m.exec(stderr) ?? []
    expect(command).toContain('e2e-greeting')
    await start()
    // While it runs: the lock is held only for a moment.
    expect(await runProgram(...command.split(' '))).toMatchObject({ code: 0 })
    expect(await readPage('e2e-greeting')).not.toContain('data-yanked')
    await stop()
  }, 120_000)

  test('two of them at once on one state both install', async () => {
    const other = await startServe(...flags('shared'))
    try {
      proxy = await startServe(...flags('shared'))
      const pip = (origin: string): Promise<Finished> =>
        environment.pip(
          'download',
          '--dest',
          join(folder, 'downloaded'),
          '--index-url',
          `${origin}/simple/`,
          'e2e-tool',
        )
      const both = await Promise.all([pip(proxy.origin), pip(other.origin)])
      expect(both).toMatchObject([{ code: 0 }, { code: 0 }])
      await stop()
    } finally {
      await other.stop()
    }
  }, 120_000)

  describe('pins', () => {
    let pins: string
    beforeAll(() => {
      pins = join(folder, 'pins.txt')
    })

    test('are exported, one line a file, with the first digests', async () => {
      const exported = await runProgram('pins', 'export', ...flags(), '-o', pins)
      expect(exported).toMatchObject({ code: 0 })
      const lines = (await readFile(pins, 'utf8')).trim().split('\n')
      expect(lines.slice(0, 2)).toEqual(['# tufgate pins 1', `# index: ${index.url}`])
      expect(lines.filter((line) => !line.startsWith('#'))).toEqual([
        `e2e-greeting 1.0 ${old.filename} ${old.sha256}`,
        `e2e-greeting 1.1 ${newest.filename} ${newest.sha256}`,
        `e2e-tool 2.0 ${tool.filename} ${tool.sha256}`,
        `e2e-victim 1.0 ${victim.filename} ${victim.sha256}`,
      ])
      // Nothing was seen of the usual index, and of one other.
      const again = await runProgram('pins', 'export', '--state-dir', join(folder, 'state'))
      expect(again.stdout).toBe(await readFile(pins, 'utf8'))
    })

    test('refuse on another machine what the index shows with another digest', async () => {
      await start('--state-dir', join(folder, 'elsewhere'), '--pins', pins)
      const refused = await install('e2e-victim')
      expect(refused.code).toBe(1)
      expect(refused.stderr).toContain(
        `sha256 of ${victim.filename} is not the one in the pins file ${pins}`,
      )
      expect(await install('e2e-tool')).toMatchObject({ code: 0 })
      expect((await stop()).stdout).toContain(`only what ${pins} names: 4 files`)
      const entry = (await readAudit('elsewhere')).find(({ kind }) => kind === 'refused')
      expect(entry).toMatchObject({
        code: 'CONFLICT',
        expected: victim.sha256,
        found: evil.sha256,
        message: expect.stringContaining(pins) as string,
      })
    }, 120_000)

    test('hide what they do not name, so that pip takes what they do', async () => {
      const text = await readFile(pins, 'utf8')
      const fewer = join(folder, 'fewer.txt')
      await writeFile(fewer, text.replace(/^e2e-greeting 1\.1 .*\n/m, ''))
      await start('--pins', fewer)
      expect(await install('e2e-tool')).toMatchObject({ code: 0 })
      expect(await findVersion('e2e-greeting')).toBe('1.0')
      await stop()
    }, 120_000)

    test('bind names that were never seen where they are imported', async () => {
      const imported = await runProgram('pins', 'import', pins, ...flags('imported'))
      expect(imported).toMatchObject({ code: 0 })
      expect(imported.stdout).toContain('4 files imported')
      await start('--state-dir', join(folder, 'imported'))
      // The index shows it with another digest: there is nothing of it to serve.
      expect(await readPage('e2e-victim')).not.toContain(victim.filename)
      expect(await install('e2e-tool')).toMatchObject({ code: 0 })
      expect((await stop()).stderr).toContain(`expected: ${victim.sha256}`)
    }, 120_000)

    test('that say something else than what was seen here are not imported', async () => {
      const text = await readFile(pins, 'utf8')
      const other = join(folder, 'other.txt')
      await writeFile(other, text.replace(old.sha256, sha256(Buffer.from('other'))))
      const imported = await runProgram('pins', 'import', other, ...flags())
      expect(imported.code).toBe(3)
      expect(imported.stderr).toContain(`seen here: ${old.sha256}`)
      expect(imported.stderr).toContain('Nothing was imported')
    })

    test('of another index are imported only where that is said', async () => {
      const other = ['--index', 'http://127.0.0.1:9/simple/', '--state-dir', join(folder, 'moved')]
      const refused = await runProgram('pins', 'import', pins, ...other)
      expect(refused.code).toBe(2)
      expect(refused.stderr).toContain('--accept-index')
      const accepted = await runProgram('pins', 'import', pins, ...other, '--accept-index')
      expect(accepted.code).toBe(0)
    })
  })

  test('does not begin anew where its keys are lost, and says which command does', async () => {
    const place = flags('lost')
    proxy = await startServe(...place)
    await readPage('e2e-tool')
    await stop()
    await rm(join(folder, 'lost', 'notary'), { recursive: true })
    // With its mark: that its root was trusted is remembered elsewhere.
    const lost = await collect(spawnServe({}, ...place))
    expect(lost.code).not.toBe(0)
    expect(lost.stderr).toContain(`tufgate notary forget --index ${index.url}`)
    expect(await runProgram('notary', 'forget', ...place)).toMatchObject({ code: 0 })
    proxy = await startServe(...place)
    expect(await install('e2e-tool')).toMatchObject({ code: 0 })
  }, 120_000)
})

describe('a first look that is killed', () => {
  let folder: string
  let index: TestIndex

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tufgate-first-look-'))
    index = await TestIndex.start()
  })
  afterAll(async () => {
    index.release()
    await index.close()
    await rm(folder, { recursive: true, force: true })
  })

  test('leaves a state that the next start serves from', async () => {
    const flags = ['--index', index.url, '--state-dir', join(folder, 'state')]
    for (let round = 0; round < 5; round += 1) {
      const project = `killed-${round}`
      index.put(project, [`killed_${round}-1.0.tar.gz`])
      index.mode = 'silent'
      const proxy = await startServe(...flags)
      const asked = index.count(project)
      const answer = fetch(`${proxy.origin}/simple/${project}/`).catch(() => undefined)
      while (index.count(project) === asked) await new Promise((resolve) => setImmediate(resolve))
      index.release()
      // Somewhere between the answer of the index and that of the proxy.
      for (let turn = 0; turn < round * 60; turn += 1) {
        await new Promise((resolve) => setImmediate(resolve))
      }
      await proxy.stop('SIGKILL')
      await answer
    }
    const proxy = await startServe(...flags)
    for (let round = 0; round < 5; round += 1) {
      const page = await fetch(`${proxy.origin}/simple/killed-${round}/`)
      expect(page.status).toBe(200)
      expect(await page.text()).toContain(`killed_${round}-1.0.tar.gz`)
    }
    await proxy.stop()
  }, 120_000)
})
