import { fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { makeTempFolder } from './temp-folder.ts'
import { listFiles, openVault, readFrom, sha256Of } from './vault-support.ts'

describe('temporary files', () => {
  test('of dead processes go at the next start, those of living ones stay', async () => {
    const folder = makeTempFolder()
    const vault = await openVault(folder)
    const spool = await vault.createSpool()
    const own = readdirSync(join(folder, 'tmp'))
    const place = own[0]!.split('-')[0]!.split('.')[2]!
    const dead = `4194303.1.${place}-0011223344556677`
    const reused = `${process.pid}.1.${place}-0011223344556677`
    const elsewhere = '1.1.n1b2-0011223344556677'
    const oldElsewhere = '2.1.n1b2-0011223344556677'
    for (const name of [dead, reused, elsewhere, oldElsewhere])
      writeFileSync(join(folder, 'tmp', name), 'x')
    utimesSync(join(folder, 'tmp', oldElsewhere), 1, 1)
    const second = await openVault(folder)
    expect(readdirSync(join(folder, 'tmp')).toSorted()).toEqual([...own, elsewhere].toSorted())
    await spool.write(Buffer.from('x'))
    await spool.commit(sha256Of(Buffer.from('x')))
    await second.close()
    await vault.close()
  })
})

describe('a process that is killed', () => {
  test('leaves no file under a final name that is not verified', { timeout: 60_000 }, async () => {
    const folder = makeTempFolder()
    const child = join(import.meta.dirname, 'fill-vault.child.ts')
    for (let round = 0; round < 15; round += 1) {
      const writer = fork(child, [folder], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
      // Killed at a message, so somewhere within the files that follow it.
      for (let files = 0; files <= round % 5; files += 1) await once(writer, 'message')
      writer.kill('SIGKILL')
      await once(writer, 'exit')
      for (const path of listFiles(folder)) {
        expect(sha256Of(readFileSync(path))).toBe(path.slice(-64))
      }
    }
    const vault = await openVault(folder)
    expect(readdirSync(join(folder, 'tmp'))).toEqual([])
    for (const path of listFiles(folder))
      expect(await readFrom(vault, path.slice(-64))).toBeDefined()
    await vault.close()
  })

  test(
    'two processes fill one small vault: every file that is found is whole',
    { timeout: 60_000 },
    async () => {
      const folder = makeTempFolder()
      const child = join(import.meta.dirname, 'fill-vault.child.ts')
      const writers = [1, 2].map(() =>
        fork(child, [folder, '40', '400000'], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }),
      )
      const codes = await Promise.all(
        writers.map(async (writer) => (await once(writer, 'exit'))[0] as number),
      )
      expect(codes).toEqual([0, 0])
      const sizes = listFiles(folder).map((path) => statSync(path).size)
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(900_000)
    },
  )
})

describe('a disk that takes no more', () => {
  test('is a refusal that names the file, and nothing is left of it', () => {
    const folder = makeTempFolder()
    const child = join(import.meta.dirname, 'fill-vault.child.ts')
    // A limit on the size of files fails in the middle of a write, like a full disk, without a mount.
    const result = spawnSync(
      'sh',
      ['-c', `ulimit -f 1000; exec "${process.execPath}" "${child}" "${folder}" large`],
      {
        encoding: 'utf8',
      },
    )
    expect(result.stdout).toContain('STORAGE_FAILED EFBIG')
    expect(result.stdout).toContain(join(folder, 'tmp'))
    expect(readdirSync(join(folder, 'tmp'))).toEqual([])
    // The small one, which fits.
    expect(listFiles(folder)).toHaveLength(1)
  })

  test.skipIf(!canMount())('says DISK_FULL, and works again when there is room', () => {
    const folder = makeTempFolder()
    const child = join(import.meta.dirname, 'fill-vault.child.ts')
    const script = `mount -t tmpfs -o size=2m tmpfs "${folder}" && exec "${process.execPath}" "${child}" "${folder}" large`
    const result = spawnSync('unshare', ['-rm', 'sh', '-c', script], { encoding: 'utf8' })
    expect(result.stdout).toContain('DISK_FULL ENOSPC')
    expect(result.stdout).toContain('free space on this disk')
    expect(result.stdout).toContain('then kept a small one')
  })
})

function canMount(): boolean {
  return spawnSync('unshare', ['-rm', 'sh', '-c', 'mount -t tmpfs tmpfs /mnt']).status === 0
}
