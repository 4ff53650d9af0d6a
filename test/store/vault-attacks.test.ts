import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { makeTempFolder } from './temp-folder.ts'
import { mebibyte, openVault, overwrite, pathIn, readFrom } from './vault-support.ts'

async function settle(): Promise<void> {
  // Changes within a tick of the file system's clock leave no trace: 10 ms on coarse kernels.
  await new Promise((resolve) => setTimeout(resolve, 60))
}

describe('a file that was changed in the vault', () => {
  test.each([
    ['overwritten', (path: string) => overwrite(path, 'evil')],
    ['cut short', (path: string) => (chmodSync(path, 0o600), truncateSync(path, 2))],
    ['made longer', (path: string) => overwrite(path, 'good and more')],
    ['emptied', (path: string) => (chmodSync(path, 0o600), truncateSync(path, 0))],
    ['replaced by a folder', (path: string) => (rmSync(path), mkdirSync(path))],
    ['replaced by a FIFO', (path: string) => (rmSync(path), spawnSync('mkfifo', [path]))],
    [
      'replaced by a symbolic link to the right content',
      (path: string) => {
        const copy = join(dirname(path), '..', '..', 'copy')
        writeFileSync(copy, 'good')
        rmSync(path)
        symlinkSync(copy, path)
      },
    ],
    [
      'replaced by a hard link to the right content, writable elsewhere',
      (path: string) => {
        const copy = join(dirname(path), '..', '..', 'copy')
        writeFileSync(copy, 'good')
        rmSync(path)
        linkSync(copy, path)
      },
    ],
  ])('while no process ran is removed and told: %s', async (_name, change) => {
    const folder = makeTempFolder()
    const first = await openVault(folder)
    const sha256 = await first.put(Buffer.from('good'))
    await first.close()
    change(pathIn(folder, sha256))
    const warnings: string[] = []
    const vault = await openVault(folder, warnings)
    expect(await vault.open(sha256)).toBeUndefined()
    expect(warnings.join()).toContain('was removed from the vault')
    expect(existsSync(pathIn(folder, sha256))).toBe(false)
    await vault.put(Buffer.from('good'))
    expect((await readFrom(vault, sha256))?.length).toBe(4)
    await vault.close()
  })

  test('after it was verified is found, even with its times set back', async () => {
    const folder = makeTempFolder()
    const vault = await openVault(folder)
    const sha256 = await vault.put(Buffer.from('good'))
    expect((await readFrom(vault, sha256))?.length).toBe(4)
    const path = pathIn(folder, sha256)
    const { atime, mtime } = statSync(path)
    await settle()
    overwrite(path, 'evil')
    chmodSync(path, 0o400)
    utimesSync(path, atime, mtime)
    expect(await vault.open(sha256)).toBeUndefined()
    await vault.close()
  })

  test('while somebody reads it is not read on, even with its times set back', async () => {
    const folder = makeTempFolder()
    const vault = await openVault(folder)
    const sha256 = await vault.put(Buffer.from('a good file'))
    const file = await vault.open(sha256)
    const buffer = Buffer.alloc(4)
    expect(await file?.read(buffer, 0, 4)).toBe(4)
    const path = pathIn(folder, sha256)
    const { atime, mtime } = statSync(path)
    await settle()
    overwrite(path, 'an evil one')
    chmodSync(path, 0o400)
    utimesSync(path, atime, mtime)
    await expect(file?.read(buffer, 4, 4)).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: `the vault's file ${sha256} was changed while it was read`,
    })
    await file?.close()
    expect(await vault.open(sha256)).toBeUndefined()
    await vault.close()
  })

  test('after it lost its name, while somebody reads it, is not read on', async () => {
    const folder = makeTempFolder()
    const vault = await openVault(folder)
    const sha256 = await vault.put(Buffer.from('a good file'))
    const file = await vault.open(sha256)
    const path = pathIn(folder, sha256)
    chmodSync(path, 0o600)
    const descriptor = openSync(path, 'r+')
    await settle()
    rmSync(path)
    const buffer = Buffer.alloc(4)
    expect(await file?.read(buffer, 0, 4)).toBe(4)
    writeSync(descriptor, 'evil', 4)
    closeSync(descriptor)
    await expect(file?.read(buffer, 4, 4)).rejects.toThrow('was changed while it was read')
    await file?.close()
    await vault.close()
  })

  test('after it was verified is found, when another file was renamed over it', async () => {
    const folder = makeTempFolder()
    const vault = await openVault(folder)
    const sha256 = await vault.put(Buffer.from('good'))
    const other = await vault.put(Buffer.from('evil'))
    rmSync(pathIn(folder, sha256))
    spawnSync('mv', [pathIn(folder, other), pathIn(folder, sha256)])
    expect(await vault.open(sha256)).toBeUndefined()
    await vault.close()
  })

  test('is found by all of many that ask for it at once', async () => {
    const folder = makeTempFolder()
    const first = await openVault(folder)
    const bytes = randomBytes(3 * mebibyte)
    const sha256 = await first.put(bytes)
    await first.close()
    const warnings: string[] = []
    const good = await openVault(folder, warnings)
    const files = await Promise.all(Array.from({ length: 20 }, () => good.open(sha256)))
    expect(files.every((file) => file?.size === bytes.length)).toBe(true)
    for (const file of files) await file?.close()
    await good.close()
    bytes[2 * mebibyte] = (bytes[2 * mebibyte] ?? 0) ^ 1
    overwrite(pathIn(folder, sha256), bytes)
    const bad = await openVault(folder, warnings)
    const none = await Promise.all(Array.from({ length: 20 }, () => bad.open(sha256)))
    expect(none.every((file) => file === undefined)).toBe(true)
    expect(warnings).toHaveLength(1)
    await bad.close()
  })
})
