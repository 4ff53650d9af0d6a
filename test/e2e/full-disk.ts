/**
 * Loaded into a process before the program (`node --import`), for machines on which a test may not
 * mount: while the file TUFGATE_TEST_FULL is there, no file can become larger than a megabyte; if `all`
 * stands in it, nothing can be written at all.
 */

import fs, { existsSync, readFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const path = process.env['TUFGATE_TEST_FULL'] ?? ''
const realWrite = fs.write.bind(fs) as (...args: unknown[]) => void
const realWriteSync = fs.writeSync.bind(fs) as (...args: unknown[]) => number

/** `write(descriptor, buffer, ..., position, done)`, as the vault writes its files. */
function write(...args: unknown[]): void {
  const position = args.at(-2)
  const done = args.at(-1)
  const isWithin = typeof position !== 'number' || position < 1_000_000
  const isFull = existsSync(path) && (!isWithin || isFullToTheEnd())
  if (!isFull || typeof done !== 'function') return realWrite(...args)
  process.nextTick(() => Reflect.apply(done, undefined, [buildFailure()]) as unknown)
}

function writeSync(...args: unknown[]): number {
  if (existsSync(path) && isFullToTheEnd()) throw buildFailure()
  return realWriteSync(...args)
}

function isFullToTheEnd(): boolean {
  return readFileSync(path, 'utf8') === 'all'
}

function buildFailure(): Error {
  const error = new Error('ENOSPC: no space left on device, write')
  return Object.assign(error, { code: 'ENOSPC', errno: -28, syscall: 'write' })
}

Object.assign(fs, { write, writeSync })
syncBuiltinESMExports()
