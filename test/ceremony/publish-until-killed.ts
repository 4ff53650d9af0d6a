/**
 * A process of the kill test: publishes a change, and kills itself before the step of this number.
 * A step is whatever outlives a process: a file that is renamed or removed, a transaction.
 * Arguments: the root folder, the change file, the number, the time.
 */

import fs from 'node:fs'
import { readFile } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { parseChange } from '../../src/ceremony/change-file.ts'
import { checkChange } from '../../src/ceremony/check-change.ts'
import { publishChange } from '../../src/ceremony/publish-change.ts'
import { Database } from '../../src/store/database.ts'
import { MirrorFixture } from '../mirror/mirror-fixture.ts'

const [root = '', change = '', last = '', now = ''] = process.argv.slice(2)
let steps = 0

function countStep(): void {
  steps += 1
  if (steps === Number(last)) process.kill(process.pid, 'SIGKILL')
}

function countCalls<T extends object>(target: T, name: keyof T & string): void {
  const real = target[name] as unknown as (...args: unknown[]) => unknown
  Object.assign(target, {
    [name]: function counted(this: unknown, ...args: unknown[]): unknown {
      // A twin is nothing without its file.
      if (!args.some((arg) => typeof arg === 'string' && arg.endsWith('.gz'))) countStep()
      return real.apply(this, args)
    },
  })
}

const mirror = new MirrorFixture(root)
mirror.now = Number(now)
const bytes = await readFile(change)
countCalls(fs.promises, 'rename')
countCalls(fs.promises, 'rm')
countCalls(fs, 'renameSync')
syncBuiltinESMExports()
countCalls(Database.prototype, 'transaction')
await publishChange({
  ...mirror.context,
  copies: [{ place: change, checked: checkChange(parseChange(bytes, change)) }],
})
process.stdout.write(String(steps))
