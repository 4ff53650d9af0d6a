/**
 * Loaded into a process before the program (`node --import`), for machines on which a test may not
 * mount: while the file TUFGATE_TEST_FULL is there, no file can become larger than a megabyte.
 */

import fs, { existsSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const path = process.env['TUFGATE_TEST_FULL'] ?? ''
const realWrite = fs.write.bind(fs) as (...args: unknown[]) => void

/** `write(descriptor, buffer, ..., position, done)`, as the vault writes its files. */
function write(...args: unknown[]): void {
  const position = args.at(-2)
  const done = args.at(-1)
  const isWithin = typeof position !== 'number' || position < 1_000_000
  if (isWithin || typeof done !== 'function' || !existsSync(path)) return realWrite(...args)
  const error = new Error('ENOSPC: no space left on device, write')
  const failure = Object.assign(error, { code: 'ENOSPC', errno: -28, syscall: 'write' })
  process.nextTick(() => Reflect.apply(done, undefined, [failure]) as unknown)
}

Object.assign(fs, { write })
syncBuiltinESMExports()
