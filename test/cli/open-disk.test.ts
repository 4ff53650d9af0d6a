import { chmod, mkdir, mkdtemp, realpath, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openDisk } from '../../src/cli/verify/open-disk.ts'
import { runCommand } from '../support/program.ts'

let folder: string

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'tufgate-disk-')))
})

afterEach(async () => {
  await chmod(join(folder, 'listed'), 0o755).catch(() => undefined)
  // Node.js cannot remove a path that is too long.
  await runCommand('rm', ['-rf', folder])
})

describe('a folder as it is on disk', () => {
  test('does not hide a file whose name is not UTF-8', async () => {
    await writeFile(Buffer.concat([Buffer.from(`${folder}/evil`), Buffer.of(0xff)]), '')
    const found = [...openDisk(folder).files.values()]
    expect(found).toMatchObject([{ kind: 'unreadable', problem: 'its name is not UTF-8' }])
  })

  test.runIf(process.geteuid?.() !== 0)(
    'names what is in a folder that can be listed but not entered',
    async () => {
      await mkdir(join(folder, 'listed'))
      await writeFile(join(folder, 'listed/evil.py'), '')
      await chmod(join(folder, 'listed'), 0o444)
      expect(openDisk(folder).files.get('listed/evil.py')).toMatchObject({ kind: 'unreadable' })
    },
  )

  test('is not ended by a path that is too long for the system', async () => {
    const deep = Array.from({ length: 30 }, () => 'x'.repeat(200))
    const make = `import os; [(os.mkdir(x), os.chdir(x)) for x in ${JSON.stringify(deep)}]`
    await runCommand('python3', ['-c', make], { cwd: folder })
    const problems = [...openDisk(folder).files.values()].map(({ kind }) => kind)
    expect(problems).toEqual(['unreadable'])
  })

  test('neither waits for a FIFO nor opens it', async () => {
    await runCommand('mkfifo', [join(folder, 'pipe.py')])
    const disk = openDisk(folder)
    expect(disk.files.get('pipe.py')).toMatchObject({ kind: 'other' })
    expect(await disk.digest('pipe.py')).toBeUndefined()
  })
})
