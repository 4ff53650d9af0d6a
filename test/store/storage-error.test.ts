import { mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { StorageError } from '../../src/base/errors.ts'
import { buildStorageError } from '../../src/store/storage-error.ts'

describe('what the operating system said of a path', () => {
  const path = '/proc/none/such'

  test('is told with the path once, and with the way out', () => {
    const error = failureOf(() => mkdirSync(path))
    expect(buildStorageError(error, 'make the folder', path)).toMatchObject({
      code: 'STORAGE_FAILED',
      message: `cannot make the folder ${path}: ENOENT: no such file or directory`,
      facts: { found: 'ENOENT', next: `look at ${path} and the disk that it lies on` },
    })
  })

  test('is told with the path of the system where that is another one', () => {
    const error = failureOf(() => openSync(join(path, 'other'), 'r'))
    expect(buildStorageError(error, 'read', '/elsewhere').message).toBe(
      `cannot read /elsewhere: ENOENT: no such file or directory, open '${path}/other'`,
    )
  })

  test('that the disk is full is told without the call', () => {
    const failure = new Error('ENOSPC: no space left on device, write')
    const error = Object.assign(failure, { code: 'ENOSPC', errno: -28, syscall: 'write' })
    const built = buildStorageError(error, 'write', path)
    expect(built).toBeInstanceOf(StorageError)
    expect(built).toMatchObject({
      code: 'DISK_FULL',
      message: `cannot write ${path}: ENOSPC: no space left on device`,
    })
  })
})

function failureOf(run: () => unknown): unknown {
  try {
    return run()
  } catch (error) {
    return error
  }
}
