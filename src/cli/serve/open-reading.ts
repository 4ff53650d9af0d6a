/** What commands that only read open of the settings, and what they say of projects that were never seen. */

import type { Downloads } from '../../client/download.ts'
import type { Vault } from '../../store/vault.ts'
import type { OpenIndexes } from './gateway-ops.ts'
import { createLog, type Log } from '../logger.ts'
import { MirrorNews } from './mirror-news.ts'
import {
  createIndexContext,
  openDownloads,
  openIndexes,
  openStates,
  openVault,
  type CreateReport,
  type IndexStates,
} from './open-indexes.ts'
import { readSettings } from '../read-settings.ts'
import type { SettingsOverrides } from '../settings.ts'
import { say } from '../terminal.ts'

export interface Reading {
  readonly indexes: OpenIndexes
  /** Of the same indexes, in the same order. */
  readonly states: IndexStates
  readonly vault: Vault
  readonly downloads: Downloads
  close(): Promise<void>
}

export interface ReadingFlags extends SettingsOverrides {
  readonly config?: string
}

/** Nothing is audited: nobody is served. */
export async function openReading({ config, ...overrides }: ReadingFlags): Promise<Reading> {
  const settings = readSettings(config, overrides)
  const log = createLog('warning', Date.now)
  const context = createIndexContext({ settings, log, clock: Date.now, environment: process.env })
  const states = await openStates(context)
  const vault = await openVault(states, context)
  const indexes = await openIndexes(states, vault, context, createReport(log))
  for (const { opened } of states) opened?.news.begin(() => Promise.resolve())
  const downloads = openDownloads(vault, context)
  return {
    indexes,
    states,
    vault,
    downloads,
    close: async () => {
      await downloads.close()
      await context.http.close()
      for (const index of indexes) await index.close()
      await vault.close()
    },
  }
}

/** What fails at a mirror is said, and kept nowhere. */
function createReport(log: Log): CreateReport {
  return ({ settings, opened }) => {
    if (opened !== undefined) return () => undefined
    const news = new MirrorNews(settings.name, log, Date.now)
    return (event) => news.tell(event)
  }
}

/** Of a project that was asked for just now only the index itself has said anything. */
export function sayFirstSights(indexes: OpenIndexes): void {
  const count = indexes.reduce((sum, { opened }) => sum + (opened?.firstUse.counts.first ?? 0), 0)
  if (count === 0) return
  const what = count === 1 ? '1 project was' : `${count} projects were`
  say(`${what} asked for at the index for the first time just now: nothing earlier to compare with`)
}
