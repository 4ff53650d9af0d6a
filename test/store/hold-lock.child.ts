/** Takes the lock, says so, and keeps it until it is killed. */

import { acquireLock } from '../../src/store/lock.ts'

acquireLock(process.argv[2] ?? '')
process.send?.('held')
setInterval(() => undefined, 1000)
