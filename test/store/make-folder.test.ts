import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeFolderPath } from '../../src/store/make-folder.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tufgate-folder-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('makes a folder with those above it, and again without a word', () => {
  const path = join(folder, 'a', 'b', 'c')
  makeFolderPath(path, 0o700)
  makeFolderPath(path, 0o700)
  expect(statSync(path).mode & 0o777).toBe(0o700)
  expect(statSync(join(folder, 'a')).mode & 0o777).toBe(0o700)
})

test('says that a file is in the way', () => {
  writeFileSync(join(folder, 'file'), '')
  expect(() => makeFolderPath(join(folder, 'file'), 0o700)).toThrow(/EEXIST/)
  expect(() => makeFolderPath(join(folder, 'file', 'below'), 0o700)).toThrow(/ENOTDIR/)
})

test.runIf(existsSync('/proc/self'))('ends where the system takes no folder at all', () => {
  expect(() => makeFolderPath('/proc/tufgate/state', 0o700)).toThrow(/ENOENT|EACCES/)
})
