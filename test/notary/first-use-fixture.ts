/** An index without a mirror as serve opens it, over a test index, with a clock that the test moves. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AuditEvent } from '../../src/audit/event.ts'
import { isTufgateError, type TufgateError } from '../../src/base/errors.ts'
import { openIndex, openIndexState, type OpenIndex } from '../../src/cli/serve/open-index.ts'
import { parseSettings, type LogLevel } from '../../src/cli/settings.ts'
import type { FirstUse } from '../../src/notary/first-use.ts'
import { findNotaryPlace, type NotaryPlace } from '../../src/notary/notary-folder.ts'
import type { Notary } from '../../src/notary/notary.ts'
import type { RecordFile } from '../../src/simple/record.ts'
import { HttpClient } from '../../src/upstream/http-client.ts'
import { TestIndex } from './test-index.ts'

export const minuteMs = 60_000
export const dayMs = 86_400_000

export interface Opened extends OpenIndex {
  readonly firstUse: FirstUse
  readonly notary: Notary
}

export class FirstUseFixture {
  readonly folder: string
  readonly index: TestIndex
  readonly lines: string[] = []
  readonly events: AuditEvent[] = []
  now = Date.parse('2026-11-20T12:00:00Z')
  readonly #http = new HttpClient({ userAgent: 'test', limits: { retries: 0 } })
  readonly #opened: Opened[] = []

  private constructor(folder: string, index: TestIndex) {
    this.folder = folder
    this.index = index
  }

  static async create(): Promise<FirstUseFixture> {
    const folder = await mkdtemp(join(tmpdir(), 'tufgate-notary-'))
    return new FirstUseFixture(folder, await TestIndex.start())
  }

  get place(): NotaryPlace {
    return findNotaryPlace(join(this.folder, 'state'), this.index.url)
  }

  /** Another process, as far as the state on disk is concerned. */
  async open(settingsText = ''): Promise<Opened> {
    const stateHome = join(this.folder, 'state')
    const settings = parseSettings(settingsText, 'test', { index: this.index.url })
    const context = {
      settings,
      stateHome,
      http: this.#http,
      clock: () => this.now,
      log: (level: LogLevel, message: string) => void this.lines.push(`${level} ${message}`),
      warn: (message: string) => void this.lines.push(`warning ${message}`),
    }
    const state = await openIndexState(settings.index[0]!, context)
    state.opened?.news.begin(async (event) => void this.events.push(event))
    const content = { read: async () => undefined, put: () => undefined }
    const index = await openIndex(state, content, context, () => undefined)
    const { firstUse, notary } = index.opened!
    const opened = Object.defineProperties(
      { firstUse, notary },
      Object.getOwnPropertyDescriptors(index),
    ) as Opened
    this.#opened.push(opened)
    return opened
  }

  /** Ends one that was opened, as at the end of its process. */
  async close(opened: Opened): Promise<void> {
    this.#opened.splice(this.#opened.indexOf(opened), 1)
    await opened.close()
  }

  async remove(): Promise<void> {
    this.index.release()
    for (const opened of this.#opened) await opened.close()
    await this.#http.close()
    await this.index.close()
    await rm(this.folder, { recursive: true, force: true })
  }
}

/** The files of a page, by name; throws where there is no page. */
export async function filesOf(
  index: OpenIndex,
  project: string,
): Promise<ReadonlyMap<string, RecordFile>> {
  const found = await index.findRecord(project, 'page')
  if (found === undefined) throw new Error(`there is no ${project}`)
  return new Map(found.record.files.map((file) => [file.filename, file]))
}

export async function failureOf(running: Promise<unknown>): Promise<TufgateError> {
  const outcome = await running.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (isTufgateError(outcome)) return outcome
  throw new Error('it did not fail with a code')
}
