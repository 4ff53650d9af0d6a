/**
 * Loaded into a process before the program (`node --import`), for machines on which a test may not
 * mount: while the file TUFGATE_TEST_FULL is there, nothing more can be written to files.
 */

import fs, { existsSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const path = process.env['TUFGATE_TEST_FULL'] ?? ''
const realWrite = fs.write.bind(fs) as (...args: unknown[]) => void

function write(...args: unknown[]): void {
  const done = args.at(-1)
  if (!existsSync(path) || typeof done !== 'function') return realWrite(...args)
  const error = new Error('ENOSPC: no space left on device, write')
  const failure = Object.assign(error, { code: 'ENOSPC', errno: -28, syscall: 'write' })
  process.nextTick(() => Reflect.apply(done, undefined, [failure]) as unknown)
}

Object.assign(fs, { write })
syncBuiltinESMExports()
