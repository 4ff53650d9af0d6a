/** What serve, pins and notary say to a person who made a mistake, where there is no mirror. */

import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runProgram, type Finished } from '../support/program.ts'

const index = 'http://127.0.0.1:9/simple/'

let folder: string
let state: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tufgate-pins-words-'))
  state = join(folder, 'state')
})
afterAll(() => rm(folder, { recursive: true, force: true }))

function run(...args: readonly string[]): Promise<Finished> {
  return runProgram(...args, '--state-dir', state)
}

async function putSettings(): Promise<string> {
  const path = join(folder, 'tufgate.toml')
  const two = ['one', 'two'].map(
    (name) => `[[index]]\nname = "${name}"\nurl = "${index}${name}/"\n`,
  )
  const mirrored = `[[index]]\nname = "three"\nurl = "${index}"\nmirror = ["/srv/m"]\nroot = "r"\n`
  await writeFile(path, [...two, mirrored].join('\n'))
  return path
}

describe('serve with pins', () => {
  test('says that the file is not there, before it makes any keys', async () => {
    const pins = join(folder, 'missing.txt')
    expect(await run('serve', '--listen', '127.0.0.1:0', '--pins', pins)).toMatchObject({
      code: 2,
      stderr: `tufgate: ${pins}, the pins file, cannot be read: there is no such file\n  Give the path of a file that tufgate pins export has written.\n`,
    })
    expect(existsSync(state)).toBe(false)
  })

  test('names the line that is no pin', async () => {
    const pins = join(folder, 'bad.txt')
    await writeFile(pins, '# tufgate pins 1\nflask==3.0\n')
    const { code, stderr } = await run('serve', '--listen', '127.0.0.1:0', '--pins', pins)
    expect(code).toBe(2)
    expect(stderr).toContain(`${pins}, line 2: this line names no file`)
    expect(stderr).toContain('expected: name version file sha256')
  })
})

describe('pins and notary', () => {
  test.each([
    ['pins', 'export'],
    ['notary', 'forget'],
  ])('%s %s says that nothing was seen yet, and where', async (...command) => {
    const { code, stderr } = await run(...command, '--index', index)
    expect(code).toBe(2)
    expect(stderr).toContain(`Nothing of ${index} was seen yet`)
    expect(stderr).toContain(`expected: ${join(state, 'notary', '127.0.0.1-9-')}`)
    expect(stderr).toContain('--state-dir')
  })

  test('name the indexes of which something was seen, where it is several', async () => {
    const marks = join(state, 'notary')
    await mkdir(marks, { recursive: true })
    for (const name of ['one', 'two']) {
      const mark = { format: 1, subject: `https://${name}.test/simple/` }
      await writeFile(join(marks, `${name}.test-0.json`), JSON.stringify(mark))
    }
    try {
      const { code, stderr } = await run('pins', 'export')
      expect(code).toBe(2)
      expect(stderr).toContain('--index: https://one.test/simple/, https://two.test/simple/')
    } finally {
      await rm(marks, { recursive: true })
    }
  })

  test('ask which index is meant where there are several without a mirror', async () => {
    const { code, stderr } = await run('pins', 'export', '--config', await putSettings())
    expect(code).toBe(2)
    expect(stderr).toContain('The settings have not exactly one index without a mirror.')
    expect(stderr).toContain('expected: one, two')
  })

  test('say of an index that has a mirror that there is nothing to export', async () => {
    const config = await putSettings()
    const { code, stderr } = await run('pins', 'export', '--config', config, '--index', 'three')
    expect(code).toBe(2)
    expect(stderr).toContain('The index three has a mirror')
  })

  test.each([['pins', 'export'], ['pins', 'import'], ['notary', 'forget'], ['serve']])(
    '%s %s: --help has an example',
    async (...command) => {
      const { code, stdout } = await runProgram(...command.filter(Boolean), '--help')
      expect(code).toBe(0)
      expect(stdout).toMatch(/Examples?:\n {2}tufgate /)
    },
  )
})
