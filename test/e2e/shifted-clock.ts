/**
 * Loaded into a process before the program (`node --import`): its time of day is off by what the
 * file TUFGATE_TEST_CLOCK says, in ms, at any moment. Timers are not touched.
 */

import { readFileSync } from 'node:fs'

const path = process.env['TUFGATE_TEST_CLOCK'] ?? ''
const RealDate = Date

class ShiftedDate extends RealDate {
  constructor(...args: [] | [number | string]) {
    super(args.length === 0 ? ShiftedDate.now() : args[0])
  }

  static override now(): number {
    return RealDate.now() + Number(readFileSync(path, 'utf8'))
  }
}

globalThis.Date = ShiftedDate as DateConstructor
