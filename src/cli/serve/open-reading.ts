/** What commands that only read open of the settings, and what they say of projects that were never seen. */

import type { OpenIndexes } from './gateway-ops.ts'
import { createLog } from '../logger.ts'
import { createReadingReport, openIndexesForReading, type Reading } from './open-indexes.ts'
import { readSettings } from '../read-settings.ts'
import type { SettingsOverrides } from '../settings.ts'
import { say } from '../terminal.ts'

export interface ReadingFlags extends SettingsOverrides {
  readonly config?: string
}

export function openReading({ config, ...overrides }: ReadingFlags): Promise<Reading> {
  const settings = readSettings(config, overrides)
  const log = createLog('warning', Date.now)
  const options = { settings, log, clock: Date.now, environment: process.env }
  return openIndexesForReading(options, createReadingReport(log, Date.now))
}

/** Of a project that was asked for just now only the index itself has said anything. */
export function sayFirstSights(indexes: OpenIndexes): void {
  const count = indexes.reduce((sum, { opened }) => sum + (opened?.firstUse.counts.first ?? 0), 0)
  if (count === 0) return
  const what = count === 1 ? '1 project was' : `${count} projects were`
  say(`${what} asked for at the index for the first time just now: nothing earlier to compare with`)
}
