import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { acquireLock } from '../../src/store/lock.ts'
import { currentOwner } from '../../src/store/process-owner.ts'
import { makeTempFolder } from './temp-folder.ts'

test('a lock is held by one at a time, and names its holder', () => {
  const path = join(makeTempFolder(), 'mirror.lock')
  const lock = acquireLock(path)
  expect(() => acquireLock(path)).toThrow(`${path} is held by process ${process.pid} since 2`)
  lock.release()
  expect(existsSync(`${path}.holder`)).toBe(false)
  acquireLock(path).release()
})

test('a lock ends with its process, even by kill -9', async () => {
  const path = join(makeTempFolder(), 'mirror.lock')
  const child = fork(join(import.meta.dirname, 'hold-lock.child.ts'), [path])
  await once(child, 'message')
  const error: unknown = (() => {
    try {
      return acquireLock(path)
    } catch (reason) {
      return reason
    }
  })()
  expect(error).toMatchObject({
    code: 'STATE_BUSY',
    facts: { next: 'wait for that process to end, or stop it' },
  })
  expect(String(error)).toContain(`process ${child.pid}`)
  child.kill('SIGKILL')
  await once(child, 'exit')
  acquireLock(path).release()
})

test('a process knows itself, and that another one is dead', async () => {
  const owner = currentOwner()
  expect(owner.isAlive(owner.id)).toBe(true)
  expect(owner.id).toMatch(/^[0-9a-z.]+$/)
  const [pid, start, place] = owner.id.split('.')
  expect(owner.isAlive(`${pid}.${Number(start) + 1}.${place}`)).toBe(false)
  expect(owner.isAlive(`4194304.1.${place}`)).toBe(false)
  // Of another machine, container or boot nothing is known, and of no process at all neither.
  expect(owner.isAlive(`${pid}.${start}.n1b2`)).toBe(true)
  expect(owner.isAlive('')).toBe(true)
})
