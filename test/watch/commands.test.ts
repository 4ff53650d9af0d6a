import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { MirrorFixture } from '../mirror/mirror-fixture.ts'
import { collect, runProgram, spawnProgram } from '../support/program.ts'

let mirror: MirrorFixture
beforeEach(async () => {
  mirror = await MirrorFixture.create()
  mirror.now = Date.now()
  await mirror.init()
  await mirror.putPage('foo', ['foo-1.0.tar.gz'])
  await mirror.sync({ projects: ['foo'] })
})
afterEach(() => mirror.remove())

test('mirror watch syncs, ends with 0 at SIGTERM, and mirror health tells its exit code', async () => {
  const child = spawnProgram({}, 'mirror', 'watch', mirror.directory)
  const finished = collect(child)
  await new Promise<void>((resolve, reject) => {
    let seen = ''
    child.stderr.on('data', (text: string) => {
      seen += text
      if (seen.includes('synced: 1 looked at, 0 changed, 0 failed, 0 held; timestamp 3')) resolve()
    })
    child.on('close', () => reject(new Error(seen)))
  })
  child.kill('SIGTERM')
  const { code, stderr, stdout } = await finished
  expect(code).toBe(0)
  expect(stdout).toBe('')
  expect(stderr).toContain('SIGTERM: stopping')
  expect(stderr).toContain('stopped; what is published stays valid until it expires')
  const stopped = await runProgram('mirror', 'health', mirror.directory)
  expect(stopped.code).toBe(3)
  expect(stopped.stdout).toContain('the watch was stopped')
  await rm(join(mirror.directory, 'health.json'))
  const timers = await runProgram('mirror', 'health', mirror.directory, '--json')
  expect(timers.code).toBe(0)
  expect(JSON.parse(timers.stdout)).toMatchObject({ v: 1, state: 'ok', problems: [], held: 0 })
})

test('a second mirror watch on one mirror is refused, and a later one is not', async () => {
  const child = spawnProgram({}, 'mirror', 'watch', mirror.directory)
  const finished = collect(child)
  await new Promise((resolve) => child.stderr.once('data', resolve))
  const second = await runProgram('mirror', 'watch', mirror.directory)
  expect(second.code).toBe(1)
  expect(second.stderr).toMatch(
    /^tufgate: Another watch works on \S+: process \d+ since \S+\n {2}One is enough\. Stop that one first/,
  )
  child.kill('SIGKILL')
  await finished
  const third = spawnProgram({}, 'mirror', 'watch', mirror.directory)
  const ended = collect(third)
  third.stderr.once('data', () => third.kill('SIGTERM'))
  expect(await ended).toMatchObject({ code: 0 })
})

test('mirror watch takes its intervals from mirror.toml, and flags before them', async () => {
  const text = '[watch]\nsync-every = "2h"\nrenew-every = "3h"\n'
  await writeFile(join(mirror.directory, 'mirror.toml'), text)
  const child = spawnProgram({}, 'mirror', 'watch', mirror.directory, '--renew-every', '4h')
  const finished = collect(child)
  child.stderr.once('data', () => child.kill('SIGTERM'))
  const { code, stderr } = await finished
  expect(code).toBe(0)
  expect(stderr).toContain('sync every 2 h, renew every 4 h')
})

test('mirror check ends with 3 and names the file, as sentences and as JSON', async () => {
  const file = join(mirror.public, 'metadata/1.root.json')
  await rm(file)
  const found = await runProgram('mirror', 'check', mirror.directory)
  expect(found.code).toBe(3)
  expect(found.stdout).toContain('finding: the roots: metadata/1.root.json is missing')
  expect(found.stdout).toContain('file: metadata/1.root.json')
  const json = await runProgram('mirror', 'check', mirror.directory, '--full', '--json')
  expect(JSON.parse(json.stdout)).toMatchObject({ exitCode: 3, findings: [{ where: 'the roots' }] })
})
