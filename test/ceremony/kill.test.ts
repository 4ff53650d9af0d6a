import { spawn } from 'node:child_process'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { publishChange } from '../../src/ceremony/publish-change.ts'
import { onlineRoles } from '../../src/mirror/role-names.ts'
import { TufgateError } from '../../src/base/errors.ts'
import { collect, type Finished } from '../support/program.ts'
import { chooseSteps } from '../support/thoroughness.ts'
import { Ceremony, readChecked, signAll } from './ceremony-fixture.ts'
import type { Seen } from './returning-client.ts'
import type { Bytes } from '../../src/base/bytes.ts'

const script = fileURLToPath(new URL('publish-until-killed.ts', import.meta.url))
const parallel = 3

let ceremony: Ceremony
let change: Bytes
let changePath: string
beforeEach(async () => {
  ceremony = await Ceremony.create({ bins: 2 })
  await visit(ceremony)
  // Everything at once: all keys of the mirror, its bins, and what people sign.
  const blank = await ceremony.prepare({
    isRenewal: true,
    bins: 4,
    rotate: new Map(onlineRoles.map((role) => [role, undefined] as const)),
  })
  const names = ['root-1', 'targets', 'claimed', 'bins']
  change = await signAll(blank, ...(await Promise.all(names.map((name) => ceremony.offline(name)))))
  changePath = join(ceremony.mirror.root, 'change.json')
  await writeFile(changePath, change)
})
afterEach(() => ceremony.remove())

function visit(of: Ceremony): Promise<Seen> {
  return of.client().visit(of.mirror.public, of.mirror.now, of.projects)
}

function publishUntil(of: Ceremony, step: number): Promise<Finished> {
  const args = [script, of.mirror.root, changePath, String(step), String(of.mirror.now)]
  return collect(spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] }))
}

function requireAll({ files }: Seen, of: Ceremony): void {
  for (const name of of.projects) expect(files[name], name).toEqual([`${name}-1.0.tar.gz`])
}

/** Between the two renames alone, which follow each other directly, clients have to wait. */
async function requireReadable(of: Ceremony): Promise<boolean> {
  try {
    requireAll(await visit(of), of)
    return true
  } catch (error) {
    if (!(error instanceof TufgateError)) throw error
    expect(error).toMatchObject({ code: 'SIGNATURE_THRESHOLD', facts: { role: 'timestamp' } })
    expect(await readdir(join(of.mirror.public, 'metadata'))).toContain('2.root.json')
    return false
  }
}

/** Whether clients could read the tree that was left. */
async function killAt(step: number): Promise<boolean> {
  const copy = await ceremony.copy(`killed-${step}`)
  const { signal, stderr } = await publishUntil(copy, step)
  expect(signal, stderr).toBe('SIGKILL')
  const isReadable = await requireReadable(copy)
  // Whatever command comes next mends it.
  if (step % 4 < 2) {
    await copy.mirror.sync({ index: ceremony.mirror.index })
    requireAll(await visit(copy), copy)
  }
  await copy.publish(change)
  const seen = await visit(copy)
  requireAll(seen, copy)
  expect(seen.root).toBe(2)
  expect((await readdir(copy.keys)).filter((name) => name.includes('next'))).toEqual([])
  return isReadable
}

test('kill -9 before every step leaves a mirror that clients read, or that the next command mends', async () => {
  const whole = await ceremony.copy('whole')
  const { stdout, stderr } = await publishUntil(whole, 0)
  const steps = Number(stdout)
  expect(steps, stderr).toBeGreaterThan(20)
  const unreadable: number[] = []
  const failures: unknown[] = []
  const queue = chooseSteps(steps).values()
  const work = async (): Promise<void> => {
    for (const step of queue) {
      const isReadable = await killAt(step).catch((error: unknown) => failures.push(step, error))
      if (isReadable === false) unreadable.push(step)
    }
  }
  await Promise.all(Array.from({ length: parallel }, work))
  expect(failures).toEqual([])
  expect(unreadable.length).toBeLessThanOrEqual(1)
}, 300_000)

test('a change that was decided and not published is finished by publishing it again', async () => {
  const checked = readChecked(change)
  expect(checked.documents).toHaveLength(4)
  const failing = { ...ceremony.mirror.context, check: () => Promise.reject(new Error('no')) }
  await expect(
    publishChange({
      ...failing,
      directory: ceremony.mirror.directory,
      copies: [{ place: 'change.json', checked }],
    }),
  ).rejects.toThrow('no')
  expect((await visit(ceremony)).root).toBe(1)
  expect(await ceremony.publish(change)).toMatchObject({ isRepeated: true })
  expect((await visit(ceremony)).root).toBe(2)
})
