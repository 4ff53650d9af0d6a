/**
 * Where the single executable begins: what bin/tufgate.js does for the package. The flags of the heap
 * count only where they are there from the start, and so the process begins again with them.
 */

import { setFlagsFromString } from 'node:v8'
import { runProgram } from '../../src/cli/program/main.ts'

const [, , command = ''] = process.argv
const isProxy = command === 'serve' || command === 'start'
/** The one flag by which an executable hands others to Node.js (execArgvExtension of its settings). */
const flag = '--max-semi-space-size=1'
const malloc = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '131072',
  MALLOC_TRIM_THRESHOLD_: '262144',
}

// What has a channel to its parent would lose it; its parent gave it the flags already.
if (isProxy && !process.execArgv.includes(flag) && !process.connected) {
  const { execPath, argv, env } = process
  const args = [execPath, `--node-options=${flag}`, ...argv.slice(2)]
  process.execve?.(execPath, args, { ...malloc, ...env })
}
if (isProxy) setFlagsFromString('--heap-growing-percent=100')
void begin()

/** Not awaited at the top: Node.js keeps compiled code of CommonJS alone. */
async function begin(): Promise<void> {
  process.exitCode = await runProgram(process.argv)
}
