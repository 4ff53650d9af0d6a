/** Lines for the operator on standard error. The audit log is another thing: it is never filtered. */

import type { Clock } from '../base/clock.ts'
import { toPrintable } from '../base/bytes.ts'
import type { LogLevel } from './settings.ts'
import { paint } from './terminal.ts'

export type Log = (level: LogLevel, message: string) => void

const levels: readonly LogLevel[] = ['debug', 'info', 'warning', 'error']
const styles = { debug: 'dim', info: 'green', warning: 'yellow', error: 'red' } as const

export function createLog(threshold: LogLevel, clock: Clock): Log {
  return (level, message) => {
    if (levels.indexOf(level) < levels.indexOf(threshold)) return
    const time = new Date(clock()).toISOString().slice(11, 19)
    const lines = message.split('\n').map((line) => toPrintable(line, 1000))
    process.stderr.write(`${time} ${paint(styles[level], level.padEnd(7))} ${lines.join('\n  ')}\n`)
  }
}
