import { execFile } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { VerifyError } from '../../src/base/errors.ts'
import { FloorStore } from '../../src/store/floors.ts'
import type { Floors } from '../../src/tuf/floors.ts'
import { makeTempFolder } from './temp-folder.ts'

function floorsOf(versions: Record<string, number>, rest: Partial<Floors> = {}): Floors {
  return { versions: new Map(Object.entries(versions)), signedAt: 0, epoch: 0, ...rest }
}

const fail = (): never => {
  throw new RangeError('rename failed')
}

const nothing = (): void => undefined

function catchError(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

describe('floors', () => {
  test('are empty at first contact and kept afterwards', () => {
    const path = join(makeTempFolder(), 'floors.db')
    const store = FloorStore.open(path)
    expect(store.contact).toBe('new')
    expect(store.isFirstContact()).toBe(true)
    expect(store.read()).toEqual(floorsOf({}))
    store.raise(floorsOf({ root: 1, timestamp: 41 }, { signedAt: 1000 }), nothing)
    expect(store.contact).toBe('known')
    store.close()
    const again = FloorStore.open(path)
    expect(again.isFirstContact()).toBe(false)
    expect(again.read()).toEqual(floorsOf({ root: 1, timestamp: 41 }, { signedAt: 1000 }))
    again.close()
  })

  test('refuse to go down, say both versions, and write nothing', () => {
    const store = FloorStore.open(join(makeTempFolder(), 'floors.db'))
    store.raise(floorsOf({ timestamp: 57, 'bins-0a': 3 }), nothing)
    let wasWritten = false
    const error = catchError(() =>
      store.raise(floorsOf({ timestamp: 58, 'bins-0a': 2 }), () => (wasWritten = true)),
    )
    expect(error).toBeInstanceOf(VerifyError)
    expect(error).toMatchObject({
      code: 'VERSION_ROLLBACK',
      message: 'version 2 of bins-0a is older than 3, which was trusted before',
      facts: { role: 'bins-0a', version: 2, expected: 'at least 3', found: '2' },
    })
    expect(wasWritten).toBe(false)
    expect(store.read().versions.get('timestamp')).toBe(57)
    store.close()
  })

  test('keep the newest signed time that any process has seen', () => {
    const store = FloorStore.open(join(makeTempFolder(), 'floors.db'))
    store.raise(floorsOf({ timestamp: 1, 'bins-0a': 3 }, { signedAt: 2000 }), nothing)
    store.raise(floorsOf({ timestamp: 2, 'bins-0a': 3 }, { signedAt: 1000 }), nothing)
    expect(store.read()).toEqual(floorsOf({ timestamp: 2, 'bins-0a': 3 }, { signedAt: 2000 }))
    store.close()
  })

  test('A2: refuse a process that does not know a role which another one has seen, and may have lost it', () => {
    const store = FloorStore.open(join(makeTempFolder(), 'floors.db'))
    store.raise(floorsOf({ snapshot: 6, 'bins-0a': 3, 'bins-0b': 9 }), nothing)
    let wasWritten = false
    const error = catchError(() =>
      store.raise(floorsOf({ snapshot: 7, 'bins-0a': 3 }), () => (wasWritten = true)),
    )
    expect(error).toMatchObject({
      code: 'VERSION_ROLLBACK',
      message: 'bins-0b is not known here, and 9 of it was trusted before',
      facts: { role: 'bins-0b', expected: 'at least 9', found: 'nothing' },
    })
    expect(wasWritten).toBe(false)
    store.close()
  })

  test('of a new epoch replace all but the root, after a fast-forward attack', () => {
    const store = FloorStore.open(join(makeTempFolder(), 'floors.db'))
    store.raise(floorsOf({ root: 3, timestamp: 2 ** 31, snapshot: 2 ** 31, 'bins-0a': 9 }), nothing)
    store.raise(floorsOf({ root: 4, timestamp: 8 }, { epoch: 4, signedAt: 5 }), nothing)
    expect(store.read()).toEqual(floorsOf({ root: 4, timestamp: 8 }, { epoch: 4, signedAt: 5 }))
    store.close()
  })

  test('of a new epoch do not lower the root', () => {
    const store = FloorStore.open(join(makeTempFolder(), 'floors.db'))
    store.raise(floorsOf({ root: 5 }), nothing)
    const error = catchError(() => store.raise(floorsOf({ root: 4 }, { epoch: 4 }), nothing))
    expect(error).toMatchObject({ code: 'VERSION_ROLLBACK', facts: { role: 'root' } })
    store.close()
  })

  test('refuse a process that still lives in an older epoch', () => {
    const store = FloorStore.open(join(makeTempFolder(), 'floors.db'))
    store.raise(floorsOf({ root: 4, timestamp: 8 }, { epoch: 4 }), nothing)
    const error = catchError(() => store.raise(floorsOf({ root: 4, timestamp: 999 }), nothing))
    expect(error).toMatchObject({
      code: 'VERSION_ROLLBACK',
      facts: { role: 'root', expected: 'at least 4' },
    })
    store.close()
  })

  test('stay as they were where the renames fail', () => {
    const store = FloorStore.open(join(makeTempFolder(), 'floors.db'))
    store.raise(floorsOf({ timestamp: 1 }), nothing)
    expect(() => store.raise(floorsOf({ timestamp: 2 }), fail)).toThrow('rename failed')
    expect(store.read().versions.get('timestamp')).toBe(1)
    store.raise(floorsOf({ timestamp: 2 }), nothing)
    expect(store.read().versions.get('timestamp')).toBe(2)
    store.close()
  })

  test('of two connections never undo each other', () => {
    const path = join(makeTempFolder(), 'floors.db')
    const first = FloorStore.open(path)
    const second = FloorStore.open(path)
    first.raise(floorsOf({ timestamp: 5 }), nothing)
    expect(second.read().versions.get('timestamp')).toBe(5)
    second.raise(floorsOf({ timestamp: 6 }), nothing)
    expect(() => first.raise(floorsOf({ timestamp: 5 }), nothing)).toThrow(VerifyError)
    expect(first.read().versions.get('timestamp')).toBe(6)
    first.close()
    second.close()
  })

  test('hold names that are dangerous elsewhere', () => {
    const path = join(makeTempFolder(), 'floors.db')
    const store = FloorStore.open(path)
    const names = [
      '__proto__',
      'constructor',
      '',
      'epoch',
      'signed-at',
      '../x',
      "'; DROP TABLE floors",
      'ü',
      'a\0b',
    ]
    const versions = new Map(names.map((name, at) => [name, at + 1]))
    store.raise({ versions, signedAt: 7, epoch: 0 }, nothing)
    store.close()
    const again = FloorStore.open(path)
    expect(again.read()).toEqual({ versions, signedAt: 7, epoch: 0 })
    again.close()
  })

  test('of 16,384 roles write only the rows that changed', () => {
    const path = join(makeTempFolder(), 'floors.db')
    const store = FloorStore.open(path)
    const versions = new Map(Array.from({ length: 16_384 }, (_, at) => [`bins-${at}`, 1]))
    store.raise({ versions, signedAt: 0, epoch: 0 }, nothing)
    store.close()
    const again = FloorStore.open(path)
    again.raise({ versions: versions.set('bins-7', 2), signedAt: 0, epoch: 0 }, nothing)
    // One changed row is a page or two of the log, all rows are hundreds.
    expect(readFileSync(`${path}-wal`).length).toBeLessThan(20 * 4096)
    expect(again.read().versions.get('bins-7')).toBe(2)
    again.close()
  })
})

describe('lost floors', () => {
  test('are told from a new state folder', () => {
    const path = join(makeTempFolder(), 'floors.db')
    const store = FloorStore.open(path)
    store.raise(floorsOf({ timestamp: 1 }), nothing)
    store.close()
    rmSync(path)
    const fresh = FloorStore.open(path)
    expect(fresh.contact).toBe('lost')
    expect(fresh.isFirstContact()).toBe(true)
    fresh.raise(floorsOf({ timestamp: 1 }), nothing)
    expect(fresh.contact).toBe('known')
    fresh.close()
  })

  test('are reported where the database is damaged, and an open store follows to the fresh one', () => {
    const path = join(makeTempFolder(), 'floors.db')
    const open = FloorStore.open(path)
    open.raise(floorsOf({ timestamp: 9 }), nothing)
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix)
    writeFileSync(path, 'garbage '.repeat(1024))
    const damages: string[] = []
    const fresh = FloorStore.open(path, { onDamaged: (message) => damages.push(message) })
    expect(damages[0]).toContain('set aside as')
    expect(fresh.contact).toBe('lost')
    open.raise(floorsOf({ timestamp: 9 }), nothing)
    expect(fresh.read().versions.get('timestamp')).toBe(9)
    open.close()
    fresh.close()
  })

  test('a flipped bit in any byte of the database never passes as a lower floor', () => {
    const path = join(makeTempFolder(), 'floors.db')
    const store = FloorStore.open(path)
    store.raise(floorsOf({ root: 3, timestamp: 41, snapshot: 40 }, { signedAt: 1e12 }), nothing)
    store.close()
    const good = readFileSync(path)
    const known = floorsOf({ root: 3, timestamp: 41, snapshot: 40 }, { signedAt: 1e12 })
    for (let at = 0; at < good.length; at += at < 120 || at > good.length - 300 ? 1 : 61) {
      const bad = Buffer.from(good)
      bad[at] = (bad[at] ?? 0) ^ 4
      for (const suffix of ['-wal', '-shm']) rmSync(path + suffix, { force: true })
      writeFileSync(path, bad)
      expect(readOrRefuse(path)).toBeOneOf(['refused', 'lost', known])
    }
  })
})

function readOrRefuse(path: string): unknown {
  let store
  try {
    store = FloorStore.open(path)
    const floors = store.read()
    if (store.contact === 'lost') return 'lost'
    return floors
  } catch {
    return 'refused'
  } finally {
    store?.close()
  }
}

test('two processes that raise the same floors at the same time never lower one', async () => {
  const path = join(makeTempFolder(), 'floors.db')
  const child = join(import.meta.dirname, 'raise-floors.child.ts')
  const run = promisify(execFile)
  await Promise.all([
    run(process.execPath, [child, path, '0']),
    run(process.execPath, [child, path, '1']),
  ])
  const store = FloorStore.open(path)
  expect(store.read().versions.get('timestamp')).toBe(400)
  store.close()
})
