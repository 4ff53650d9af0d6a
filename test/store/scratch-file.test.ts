import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { sha256Hex } from '../../src/base/digest.ts'
import { ScratchFile } from '../../src/store/scratch-file.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tufgate-scratch-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('a scratch file is read anywhere after it was written, and has no name meanwhile', async () => {
  const scratch = await ScratchFile.open(join(folder, 'new'), 'one')
  await scratch.write(Buffer.from('hello '))
  await scratch.write(Buffer.from('world'))
  expect(scratch.size).toBe(11)
  expect(scratch.digestHex()).toBe(sha256Hex(Buffer.from('hello world')))
  expect(Buffer.from(await scratch.read(6, 3)).toString()).toBe('wor')
  expect(Buffer.from(await scratch.read(9, 100)).toString()).toBe('ld')
  expect(await scratch.read(50, 5)).toHaveLength(0)
  expect(await readdir(join(folder, 'new'))).toEqual([])
  await scratch.close()
})

test('a scratch file that is begun again knows nothing of what was written before', async () => {
  const scratch = await ScratchFile.open(folder, 'one')
  await scratch.write(Buffer.from('a longer text of before'))
  await scratch.restart()
  await scratch.write(Buffer.from('short'))
  expect(scratch.size).toBe(5)
  expect(scratch.digestHex()).toBe(sha256Hex(Buffer.from('short')))
  expect(Buffer.from(await scratch.read(0, 100)).toString()).toBe('short')
  await scratch.close()
})
