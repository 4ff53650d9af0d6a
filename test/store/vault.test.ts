import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { makeTempFolder } from './temp-folder.ts'
import { mebibyte, openVault, overwrite, pathIn, readFrom, sha256Of } from './vault-support.ts'

describe('a vault', () => {
  test('gives back what was put, across processes', async () => {
    const folder = makeTempFolder()
    const vault = await openVault(folder)
    const sha256 = await vault.put(Buffer.from('a record'))
    expect(sha256).toBe(sha256Of(Buffer.from('a record')))
    expect(Buffer.from((await readFrom(vault, sha256)) ?? [])).toEqual(Buffer.from('a record'))
    await vault.close()
    const again = await openVault(folder)
    const file = await again.open(sha256)
    expect(file).toMatchObject({ size: 8, sha256 })
    await file?.close()
    await again.close()
    expect(statSync(pathIn(folder, sha256)).mode & 0o777).toBe(0o400)
  })

  test('has nothing under a digest that it never saw, and takes no other names', async () => {
    const vault = await openVault(makeTempFolder())
    expect(await vault.open('0'.repeat(64))).toBeUndefined()
    for (const name of ['../../x', '', 'A'.repeat(64), `${'0'.repeat(63)}/`, '0'.repeat(65)]) {
      await expect(vault.open(name)).rejects.toThrow(TypeError)
    }
    await vault.close()
  })

  test('keeps the empty file', async () => {
    const vault = await openVault(makeTempFolder())
    const sha256 = await vault.put(new Uint8Array(0))
    expect((await readFrom(vault, sha256))?.length).toBe(0)
    await vault.close()
  })

  test('reads any part of a file', async () => {
    const vault = await openVault(makeTempFolder())
    const bytes = randomBytes(700_000)
    const file = await vault.open(await vault.put(bytes))
    const buffer = Buffer.alloc(262_144)
    expect(await file?.read(buffer, 500_000, 262_144)).toBe(200_000)
    expect(buffer.subarray(0, 200_000).equals(bytes.subarray(500_000))).toBe(true)
    expect(await file?.read(buffer, 700_000, 262_144)).toBe(0)
    await file?.close()
    await vault.close()
  })

  test('never reads from a descriptor that was closed, even when the close comes in the middle', async () => {
    const folder = makeTempFolder()
    const vault = await openVault(folder)
    const bytes = randomBytes(4 * mebibyte)
    const file = (await vault.open(await vault.put(bytes)))!
    const buffers = Array.from({ length: 16 }, () => Buffer.alloc(262_144))
    const reads = buffers.map((buffer, at) => file.read(buffer, at * 262_144, 262_144))
    const closing = file.close()
    await expect(file.read(Buffer.alloc(1), 0, 1)).rejects.toThrow('was closed')
    expect(await Promise.all(reads)).toEqual(buffers.map(() => 262_144))
    await closing
    expect(Buffer.concat(buffers).equals(bytes)).toBe(true)
    await vault.close()
  })
})

describe('a spool', () => {
  test('hashes and keeps what comes in chunks of any size', async () => {
    const vault = await openVault(makeTempFolder())
    for (const sizes of [
      [1],
      [16_384],
      [16_385],
      [5, 300_000, 1, 262_144, 0, 900_000],
      [70_000, 70_000],
    ]) {
      const chunks = sizes.map((size) => randomBytes(size))
      const whole = Buffer.concat(chunks)
      const spool = await vault.createSpool()
      for (const chunk of chunks) {
        await spool.write(chunk)
        // The caller may use its buffer again.
        chunk.fill(0)
      }
      expect(spool.length).toBe(whole.length)
      expect(spool.digestHex()).toBe(sha256Of(whole))
      await spool.commit(sha256Of(whole))
      expect(Buffer.from((await readFrom(vault, sha256Of(whole))) ?? []).equals(whole)).toBe(true)
    }
    await vault.close()
  })

  test('keeps nothing where the digest is another', async () => {
    const folder = makeTempFolder()
    const vault = await openVault(folder)
    const spool = await vault.createSpool()
    await spool.write(Buffer.from('evil'))
    const signed = sha256Of(Buffer.from('good'))
    await expect(spool.commit(signed)).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
      message: 'the sha256 of what arrived is not the expected one',
      facts: { expected: signed, found: sha256Of(Buffer.from('evil')) },
    })
    expect(await vault.open(signed)).toBeUndefined()
    expect(readdirSync(join(folder, 'tmp'))).toEqual([])
    await vault.close()
  })

  test('gives at most the first 48 bytes before it is verified', async () => {
    const vault = await openVault(makeTempFolder())
    const spool = await vault.createSpool()
    expect(await spool.readPrefix(48)).toHaveLength(0)
    await spool.write(Buffer.from('abc'))
    await spool.write(Buffer.alloc(100, 'x'))
    expect(Buffer.from(await spool.readPrefix(5)).toString()).toBe('abcxx')
    expect(await spool.readPrefix(1000)).toHaveLength(48)
    await spool.discard()
    await vault.close()
  })

  test('is gone after discard, and takes nothing more', async () => {
    const folder = makeTempFolder()
    const vault = await openVault(folder)
    const spool = await vault.createSpool()
    await spool.write(randomBytes(600_000))
    await spool.discard()
    await spool.discard()
    expect(readdirSync(join(folder, 'tmp'))).toEqual([])
    await expect(spool.write(Buffer.from('x'))).rejects.toThrow('a write after the end')
    await expect(spool.commit('0'.repeat(64))).rejects.toThrow('a commit after the end')
    await vault.close()
  })

  test('refuses a write before the last one has ended', async () => {
    const vault = await openVault(makeTempFolder())
    const spool = await vault.createSpool()
    const first = spool.write(randomBytes(2 * mebibyte))
    await expect(spool.write(Buffer.from('x'))).rejects.toThrow('before the last one has ended')
    await first
    await spool.discard()
    await vault.close()
  })

  test('replaces what stands under the name: what is there may be damaged', async () => {
    const folder = makeTempFolder()
    const vault = await openVault(folder)
    const sha256 = await vault.put(Buffer.from('good'))
    overwrite(pathIn(folder, sha256), 'evil')
    await vault.put(Buffer.from('good'))
    expect(readFileSync(pathIn(folder, sha256), 'latin1')).toBe('good')
    await vault.close()
  })
})

describe('eviction', () => {
  test('takes the least recently used files first', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1000 })
    onTestFinished(() => void vi.useRealTimers())
    const vault = await openVault(makeTempFolder(), [], 10_000)
    const names: string[] = []
    for (let at = 0; at < 9; at += 1) {
      vi.setSystemTime(1000 + at)
      names.push(await vault.put(Buffer.alloc(1000, at)))
    }
    vi.setSystemTime(2000)
    await readFrom(vault, names[0]!)
    vi.setSystemTime(3000)
    await vault.put(Buffer.alloc(3500, 99))
    const isKept: boolean[] = []
    for (const name of names) isKept.push((await readFrom(vault, name)) !== undefined)
    expect(isKept).toEqual([true, false, false, false, false, true, true, true, true])
    await vault.close()
  })

  test('never takes the file that has just come, however large', async () => {
    const folder = makeTempFolder()
    const vault = await openVault(folder, [], 10_000)
    const small = await vault.put(Buffer.alloc(10))
    const large = await vault.put(Buffer.alloc(50_000))
    expect((await readFrom(vault, large))?.length).toBe(50_000)
    expect(await vault.open(small)).toBeUndefined()
    await vault.close()
  })

  test('keeps an evicted file readable for those who have it open', async () => {
    const vault = await openVault(makeTempFolder(), [], 10_000)
    const bytes = randomBytes(5000)
    const name = await vault.put(bytes)
    const file = (await vault.open(name))!
    await vault.put(Buffer.alloc(9999))
    expect(await vault.open(name)).toBeUndefined()
    expect(Buffer.from(await file.readAll()).equals(bytes)).toBe(true)
    await file.close()
    await vault.close()
  })

  test('counts what was there after the index was lost or damaged', async () => {
    const folder = makeTempFolder()
    const first = await openVault(folder)
    const old = await first.put(Buffer.alloc(8000, 1))
    utimesSync(pathIn(folder, old), 1, 1)
    await first.close()
    writeFileSync(join(folder, 'index.db'), 'x'.repeat(4096))
    const warnings: string[] = []
    const vault = await openVault(folder, warnings, 10_000)
    expect(warnings[0]).toContain('set aside as')
    await vault.put(Buffer.alloc(3000, 2))
    expect(await vault.open(old)).toBeUndefined()
    await vault.close()
  })
})
