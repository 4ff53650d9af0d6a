/** The main job as a user does it: real pip, real wheels, the program as processes, an ordinary index. */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildWheel, type Wheel } from '../support/build-wheel.ts'
import { serveFolder, writeIndex, type ServedIndex } from '../support/folder-index.ts'
import {
  createPipEnvironment,
  hasPip,
  warnWithoutPip,
  type PipEnvironment,
} from '../support/pip.ts'
import { runCommand, runProgram, startServe, type RunningProxy } from '../support/program.ts'

warnWithoutPip()

const greetings = ['1.0', '1.1'].map((version) =>
  buildWheel({
    name: 'e2e-greeting',
    version,
    code: `def greet():\n    return "hello from ${version}"\n`,
  }),
)
const tool = buildWheel({
  name: 'e2e-tool',
  version: '2.0',
  requires: ['e2e-greeting>=1.0'],
  code: 'from e2e_greeting import greet\n\ndef main():\n    print(greet())\n',
  scripts: { 'e2e-tool': 'e2e_tool:main' },
})
const victim = buildWheel({ name: 'e2e-victim', version: '1.0' })

describe.runIf(hasPip)('a verified install', () => {
  let folder: string
  let index: ServedIndex
  let proxy: RunningProxy
  let environment: PipEnvironment
  let state: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tufgate-e2e-'))
    state = join(folder, 'state')
    await writeIndex(join(folder, 'index'), [
      { name: 'e2e-greeting', wheels: greetings },
      { name: 'e2e-tool', wheels: [tool] },
      { name: 'e2e-victim', wheels: [victim] },
    ])
    index = await serveFolder(join(folder, 'index'))
    const mirror = join(folder, 'mirror')
    expect(await runProgram('mirror', 'init', mirror, '--projects', '10')).toMatchObject({
      code: 0,
    })
    const sync = await runProgram('mirror', 'sync', mirror, '--index', index.url, '--all')
    expect(sync).toMatchObject({ code: 0 })
    const root = join(folder, '1.root.json')
    await writeFile(root, await readFile(join(mirror, 'public/metadata/1.root.json')))
    proxy = await startServe(
      '--index',
      index.url,
      '--mirror',
      join(mirror, 'public'),
      '--root',
      root,
      '--state-dir',
      state,
    )
    environment = await createPipEnvironment(join(folder, 'venv'))
  }, 120_000)

  afterAll(async () => {
    await proxy.stop()
    await index.close()
    await rm(folder, { recursive: true, force: true })
  })

  test('brings a program and its dependency, which then run', async () => {
    const install = await environment.pip(
      'install',
      '--index-url',
      `${proxy.origin}/simple/`,
      'e2e-tool',
    )
    expect(install.stderr).toBe('')
    expect(install).toMatchObject({ code: 0 })
    const run = await runCommand(join(folder, 'venv/bin/e2e-tool'), [])
    expect(run.stdout).toBe('hello from 1.1\n')
  }, 120_000)

  test('refuses a file that was tampered with after signing, and says why in the output of pip', async () => {
    await tamper(join(folder, 'index/files'), victim)
    const install = await environment.pip(
      'install',
      '--index-url',
      `${proxy.origin}/simple/`,
      'e2e-victim',
    )
    expect(install.code).toBe(1)
    expect(install.stderr).toMatch(
      /403 Client Error: Refused by tufgate: sha256 of e2e_victim-1\.0-py3-none-any\.whl is not the signed one \(r-[0-9a-z]+\)/,
    )
    const list = await environment.pip('list')
    expect(list.stdout).not.toContain('e2e-victim')
  }, 120_000)

  test('tells the story in the audit log, which verifies against the head that serve printed', async () => {
    const finished = await proxy.stop()
    expect(finished.code).toBe(0)
    const [, head = ''] = /audit log head (\S+)/.exec(finished.stdout) ?? []
    const shown = await runProgram('audit', 'show', '--state-dir', state, '--json')
    const entries = shown.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(
      entries.find(({ kind, file }) => kind === 'released' && file === tool.filename),
    ).toBeDefined()
    expect(entries.find(({ kind }) => kind === 'refused')).toMatchObject({
      project: 'e2e-victim',
      file: victim.filename,
      code: 'DIGEST_MISMATCH',
      expected: victim.sha256,
      found: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    })
    const verified = await runProgram('audit', 'verify', '--state-dir', state, '--head', head)
    expect(verified).toMatchObject({ code: 0 })
  }, 60_000)
})

/** One byte of the file, of the same length, under the same name. */
async function tamper(files: string, { filename, bytes }: Wheel): Promise<void> {
  const changed = Buffer.from(bytes)
  const at = Math.floor(changed.length / 3)
  changed[at] = (changed[at] ?? 0) ^ 1
  await writeFile(join(files, filename), changed)
}
