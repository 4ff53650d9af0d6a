import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { withFile } from '../../src/cli/with-file.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tufgate-file-'))
  writeFileSync(join(folder, 'file'), 'abcdef')
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('reads the start of a file, and no more than there is', () => {
  const path = join(folder, 'file')
  expect(withFile(path, 'follow', ({ read }) => read(4).toString())).toBe('abcd')
  expect(withFile(path, 'follow', ({ read }) => read(100).toString())).toBe('abcdef')
})

test('reads a file piece by piece', () => {
  const buffer = Buffer.alloc(4)
  const counts = withFile(join(folder, 'file'), 'follow', ({ readNext }) => [
    readNext(buffer),
    readNext(buffer),
    readNext(buffer),
  ])
  expect(counts).toEqual([4, 2, 0])
})

test('follows a link only where it may', () => {
  const link = join(folder, 'link')
  symlinkSync(join(folder, 'file'), link)
  expect(withFile(link, 'follow', ({ stats }) => stats.size)).toBe(6)
  expect(() => withFile(link, 'refuse', ({ stats }) => stats.size)).toThrow('ELOOP')
})

test('does not wait for somebody to write into a FIFO', () => {
  const fifo = join(folder, 'fifo')
  execFileSync('mkfifo', [fifo])
  expect(withFile(fifo, 'follow', ({ stats }) => stats.isFIFO())).toBe(true)
})
