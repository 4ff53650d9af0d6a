/** What `tufgate mirror claims` and `deny` say to a person: input, output and exit code. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { initMirror } from '../../src/mirror/init.ts'
import { buildRelease } from '../../src/owner/release.ts'
import { parseRecord, renderRecord } from '../../src/simple/record.ts'
import { claimFor, createKey } from '../owner/maintainer.ts'
import { buildWheel } from '../support/build-wheel.ts'
import { writeIndex } from '../support/folder-index.ts'
import { runProgram } from '../support/program.ts'

let folder = ''
let mirror = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tufgate-words-'))
  mirror = join(folder, 'mirror')
  await initMirror({ directory: mirror, bins: 2, clock: Date.now, report: () => undefined })
  const key = await createKey()
  await writeFile(join(folder, 'claim'), await claimFor('never-seen', [key], { now: Date.now() }))
  const record = renderRecord({ name: 'never-seen', versions: [], files: [], extra: new Map() })
  const parsed = parseRecord(record, 'never-seen')
  const input = { project: 'never-seen', record, parsed, version: 1, expires: Date.now() + 1e9 }
  const release = await buildRelease({ ...input, signsFiles: false, signsHtml: false }, key)
  await writeFile(join(folder, 'release'), release)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const doubt = (project: string): string =>
  `warning: nothing of ${project} was ever signed here. Is the name right?\n  What is signed is listed by: tufgate mirror status ${mirror} --projects\n`

describe('a file that maintainers have sent', () => {
  test('is told apart: a release is no claim', async () => {
    const path = join(folder, 'release')
    expect(await runProgram('mirror', 'claims', 'add', mirror, path)).toMatchObject({
      code: 2,
      stderr: `tufgate: ${path} is a release, and no claim\n  For a release it is: tufgate mirror claims accept ${mirror} ${path}\n`,
    })
  })

  test('is told apart: a claim is no release', async () => {
    const path = join(folder, 'claim')
    expect(await runProgram('mirror', 'claims', 'accept', mirror, path)).toMatchObject({
      code: 2,
      stderr: `tufgate: ${path} is a claim, and no release\n  For a claim it is: tufgate mirror claims add ${mirror} ${path}\n`,
    })
  })
})

describe('a project that was never signed here', () => {
  test('may be a name that is typed wrongly, when it is claimed', async () => {
    const found = await runProgram('mirror', 'claims', 'add', mirror, join(folder, 'claim'))
    expect(found).toMatchObject({ code: 0, stderr: doubt('never-seen') })
    expect(found.stdout).toContain(
      `Nothing of never-seen is published until: tufgate mirror claims accept ${mirror} RELEASE`,
    )
  })

  test('may be one when it is withdrawn', async () => {
    const found = await runProgram(
      'mirror',
      'deny',
      'add',
      mirror,
      'No_Such',
      '--reason',
      'malware',
    )
    expect(found).toMatchObject({ code: 0, stderr: doubt('no-such') })
  })

  test('has nothing of which a version could be withdrawn', async () => {
    const version = ['--version', '1.0', '--reason', 'malware']
    const found = await runProgram('mirror', 'deny', 'add', mirror, 'nosuch', ...version)
    expect(found).toMatchObject({ code: 2 })
    expect(found.stderr).toContain(`tufgate mirror status ${mirror} --projects`)
  })
})

test('hints name the folder of the mirror', async () => {
  const nothing = await runProgram('mirror', 'deny', 'remove', mirror, 'other')
  expect(nothing.stderr).toContain(`tufgate mirror deny list ${mirror}`)
  const nobody = await runProgram('mirror', 'claims', 'remove', mirror, 'other')
  expect(nobody.stderr).toContain(`tufgate mirror claims list ${mirror}`)
})

test('mirror status --projects lists what is signed, and nothing else', async () => {
  const index = join(folder, 'index')
  const wheels = [buildWheel({ name: 'foo', version: '1.0' })]
  await writeIndex(index, [
    { name: 'foo', wheels },
    { name: 'bar', wheels: [buildWheel({ name: 'bar', version: '1.0' })] },
  ])
  const sync = ['--index', index, '--base-url', 'https://files.test/', '--all']
  expect(await runProgram('mirror', 'sync', mirror, ...sync)).toMatchObject({ code: 0 })
  const { stdout } = await runProgram('mirror', 'status', mirror, '--projects')
  expect(stdout).toBe('bar\nfoo\n')
  const json = await runProgram('mirror', 'status', mirror, '--projects', '--json')
  expect(JSON.parse(json.stdout)).toEqual(['bar', 'foo'])
})
