/** What is no file, in the place of one. Before it was looked for, each of these held the program up for ever. */

import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { FloorStore } from '../../src/store/floors.ts'
import { openFolderIndex } from '../../src/store/folder-index.ts'
import { acquireLock } from '../../src/store/lock.ts'
import { readRegular } from '../../src/store/regular-file.ts'
import { openStateDirectory } from '../../src/store/state-directory.ts'
import { makeTempFolder } from './temp-folder.ts'

function putFifo(path: string): void {
  rmSync(path, { force: true })
  execFileSync('mkfifo', [path])
}

const root = { path: '/etc/1.root.json', sha256: 'ab'.repeat(32) }

describe('a FIFO', () => {
  test('in the place of what the state folder remembers is told', async () => {
    const home = join(makeTempFolder(), 'state')
    const { path } = await openStateDirectory(home, root)
    putFifo(join(path, 'state.json'))
    await expect(openStateDirectory(home, root)).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: `${path}/state.json is not a file`,
    })
  })

  test('in the place of a database is told, and not replaced', () => {
    const path = join(makeTempFolder(), 'floors.db')
    putFifo(path)
    expect(() => FloorStore.open(path)).toThrow(/^cannot open .*floors\.db/)
    expect(() => acquireLock(path)).toThrow(/^cannot lock .*floors\.db/)
  })

  test('in the place of a page of a folder is no page', async () => {
    const folder = makeTempFolder()
    mkdirSync(join(folder, 'simple/foo'), { recursive: true })
    putFifo(join(folder, 'simple/foo/index.html'))
    const index = openFolderIndex({ folder, url: 'https://files.test/simple/' })
    expect(await index.fetchProject('foo')).toBe('absent')
  })
})

test('a device is no file either, and a file behind a link is one', () => {
  expect(() => readRegular('/dev/zero')).toThrow('/dev/zero is not a file')
  const folder = makeTempFolder()
  writeFileSync(join(folder, 'file'), 'content')
  symlinkSync(join(folder, 'file'), join(folder, 'link'))
  expect(readRegular(join(folder, 'link')).toString()).toBe('content')
})
