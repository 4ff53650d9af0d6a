import {
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { ConfigError, StorageError } from '../../src/base/errors.ts'
import {
  openDatabase,
  readBlob,
  readInteger,
  readText,
  type Database,
} from '../../src/store/database.ts'
import { makeTempFolder } from './temp-folder.ts'

const schema = 'CREATE TABLE things (name TEXT PRIMARY KEY, size INTEGER) STRICT'

function openThings(path: string, damages: string[] = []): Database {
  return openDatabase(path, { schema, version: 1, onDamaged: (message) => damages.push(message) })
}

function catchError(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

describe('a database', () => {
  test('keeps what was written, for its owner alone', () => {
    const path = join(makeTempFolder(), 'things.db')
    const database = openThings(path)
    expect(database.run('INSERT INTO things VALUES (?, ?)', 'a', 1)).toBe(1)
    database.close()
    const again = openThings(path)
    expect(again.get('SELECT * FROM things')).toEqual({ name: 'a', size: 1 })
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(`${path}-wal`).mode & 0o777).toBe(0o600)
    again.close()
  })

  test('runs two iterations of one query at the same time', () => {
    const database = openThings(join(makeTempFolder(), 'things.db'))
    for (const name of ['a', 'b', 'c']) database.run('INSERT INTO things VALUES (?, 0)', name)
    const pairs: string[] = []
    for (const left of database.iterate('SELECT name FROM things ORDER BY name')) {
      for (const right of database.iterate('SELECT name FROM things ORDER BY name')) {
        pairs.push(readText(left, 'name') + readText(right, 'name'))
      }
    }
    expect(pairs).toHaveLength(9)
    database.close()
  })

  test('takes back a transaction that throws, and can go on', () => {
    const database = openThings(join(makeTempFolder(), 'things.db'))
    const work = (): void => {
      database.run("INSERT INTO things VALUES ('a', 1)")
      throw new RangeError('no')
    }
    expect(() => database.transaction(work)).toThrow(RangeError)
    expect(database.all('SELECT * FROM things')).toEqual([])
    database.transaction(() => database.run("INSERT INTO things VALUES ('b', 1)"))
    expect(database.all('SELECT * FROM things')).toHaveLength(1)
    database.close()
  })

  test('refuses a transaction that waits, and one within another', () => {
    const database = openThings(join(makeTempFolder(), 'things.db'))
    expect(() => database.transaction(async () => undefined)).toThrow('cannot wait')
    expect(() => database.transaction(() => database.transaction(() => 1))).toThrow('within')
    database.close()
  })

  test('says busy while another connection writes', () => {
    const path = join(makeTempFolder(), 'things.db')
    const first = openThings(path)
    const second = openThings(path)
    second.get('PRAGMA busy_timeout = 1')
    first.transaction(() => {
      const error = catchError(() => second.run("INSERT INTO things VALUES ('a', 1)"))
      expect(error).toMatchObject({
        code: 'STATE_BUSY',
        facts: { next: 'wait for the other process, or stop it' },
      })
      expect(String(error)).toContain(`another process keeps ${path} busy`)
    })
    first.close()
    second.close()
  })

  test('refuses a column of another type', () => {
    const database = openThings(join(makeTempFolder(), 'things.db'))
    const row = database.get("SELECT 'x' AS name, 1.5 AS size, x'00' AS bytes") ?? {}
    expect(() => readInteger(row, 'size')).toThrow('column size of the database is not an integer')
    expect(() => readText(row, 'size')).toThrow(StorageError)
    expect(() => readBlob(row, 'name')).toThrow('is not bytes')
    expect(readBlob(row, 'bytes')).toEqual(new Uint8Array([0]))
    database.close()
  })

  test('refuses a format that is newer than this program', () => {
    const path = join(makeTempFolder(), 'things.db')
    const database = openThings(path)
    database.run('PRAGMA user_version = 7')
    database.run(`PRAGMA application_id = ${crc32('tufgate database 7') >>> 1}`)
    database.close()
    const error = catchError(() => openThings(path))
    expect(error).toBeInstanceOf(ConfigError)
    expect(error).toMatchObject({ code: 'STATE_NEWER', facts: { found: 'format 7' } })
    expect(String(error)).toContain('was written by a newer tufgate')
    expect(readdirSync(join(path, '..'))).toEqual(['things.db'])
  })

  // Offsets of the file format of SQLite: what is there is not covered by its own check.
  test.each([
    ['version of the format', 63, 'its version 65 does not have its mark'],
    ['write version, by which the file is read-only', 18, 'its header has the write version 66'],
    ['schema format', 47, 'unsupported file format'],
  ])('sets a file aside whose header has another %s', (_, offset, reason) => {
    const path = join(makeTempFolder(), 'things.db')
    openThings(path).close()
    const bytes = readFileSync(path)
    bytes[offset] = (bytes[offset] ?? 0) ^ 0x40
    writeFileSync(path, bytes)
    const told: string[] = []
    openThings(path, told).close()
    expect(told).toHaveLength(1)
    expect(told[0]).toContain(reason)
    expect(told[0]).toContain('set aside as')
  })

  test('brings an older format up to date', () => {
    const path = join(makeTempFolder(), 'things.db')
    openThings(path).close()
    const upgraded = openDatabase(path, {
      schema,
      version: 2,
      upgrade: (database) => database.run('ALTER TABLE things ADD COLUMN seen INTEGER'),
    })
    expect(upgraded.get('PRAGMA user_version')).toEqual({ user_version: 2 })
    upgraded.close()
    expect(() => openDatabase(path, { schema, version: 3 })).toThrow('has format 2')
  })
})

describe('a damaged database', () => {
  test('that is not a database at all is set aside and reported', () => {
    const path = join(makeTempFolder(), 'things.db')
    writeFileSync(path, 'x'.repeat(8192))
    const damages: string[] = []
    const database = openThings(path, damages)
    expect(database.all('SELECT * FROM things')).toEqual([])
    expect(damages).toHaveLength(1)
    const aside = readdirSync(join(path, '..')).find((name) => name.includes('.damaged-')) ?? ''
    expect(damages[0]).toContain(aside)
    expect(readFileSync(join(path, '..', aside), 'latin1')).toHaveLength(8192)
    database.close()
  })

  test('that was cut short is set aside', () => {
    const path = join(makeTempFolder(), 'things.db')
    const database = openThings(path)
    database.transaction(() => {
      for (let at = 0; at < 2000; at += 1)
        database.run('INSERT INTO things VALUES (?, 0)', `n${at}`)
    })
    database.close()
    truncateSync(path, statSync(path).size - 8192)
    const damages: string[] = []
    openThings(path, damages).close()
    expect(damages).toHaveLength(1)
  })

  test('is set aside once, not by each process that sees the damage', () => {
    const path = join(makeTempFolder(), 'things.db')
    writeFileSync(path, 'x'.repeat(8192))
    const damages: string[] = []
    const first = openThings(path, damages)
    first.run("INSERT INTO things VALUES ('kept', 1)")
    const second = openThings(path, damages)
    expect(second.all('SELECT name FROM things')).toEqual([{ name: 'kept' }])
    expect(damages).toHaveLength(1)
    first.close()
    second.close()
  })

  test('tells whoever still has it open that it was replaced', () => {
    const path = join(makeTempFolder(), 'things.db')
    const old = openThings(path)
    expect(old.isReplaced()).toBe(false)
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix)
    writeFileSync(path, 'x'.repeat(8192))
    const fresh = openThings(path)
    expect(old.isReplaced()).toBe(true)
    expect(existsSync(path)).toBe(true)
    old.close()
    fresh.close()
  })
})
