/** A mirror whose journal is looked at, and tampered with. */

import { join } from 'node:path'
import type { JournalVerdict } from '../../src/mirror/journal-check.ts'
import type { JournalEntry } from '../../src/mirror/journal.ts'
import { readJournal, verifyMirrorJournal } from '../../src/mirror/read-journal.ts'
import type { SyncOptions, SyncResult } from '../../src/mirror/sync.ts'
import { openDatabase } from '../../src/store/database.ts'
import { hourMs, type MirrorFixture } from './mirror-fixture.ts'

export interface JournalLine {
  readonly sequence: number
  readonly kind: string
  readonly project?: string
  readonly act?: string
  readonly [name: string]: unknown
}

function toLine({ detail, ...entry }: JournalEntry): JournalLine {
  return { ...entry, ...(JSON.parse(detail) as object) }
}

const old = { 'upload-time': '2024-01-01T00:00:00Z' }
const fresh = { 'upload-time': '2026-02-20T00:00:00Z' }
export const foo1 = { filename: 'foo-1.0.tar.gz', extra: old }
export const foo2 = { filename: 'foo-1.1.tar.gz', extra: fresh }
/** Of the release of 2024. */
export const lateWheel = { filename: 'foo-1.0-py3-none-any.whl', extra: old }

export class JournalFixture {
  readonly mirror: MirrorFixture

  constructor(mirror: MirrorFixture) {
    this.mirror = mirror
  }

  async lines(project?: string): Promise<JournalLine[]> {
    const found: JournalLine[] = []
    const filter = project === undefined ? {} : { project }
    await readJournal(this.mirror.directory, filter, (entry) => {
      found.push(toLine(entry))
      return true
    })
    return found
  }

  async kinds(project?: string): Promise<string[]> {
    const lines = await this.lines(project)
    return lines.map(({ kind, act }) => (act === undefined ? kind : `${kind} ${act}`))
  }

  verify(kept?: { sequence: number; sha256: string }): Promise<JournalVerdict> {
    return verifyMirrorJournal(this.mirror.directory, kept === undefined ? {} : { kept })
  }

  /** As somebody with the database in his hands. */
  change(sql: string): void {
    const options = { schema: '', version: 2 }
    const database = openDatabase(join(this.mirror.directory, 'mirror.db'), options)
    for (const statement of sql.split(';')) database.run(statement)
    database.close()
  }

  async signedHead(): Promise<{ sequence: number; sha256: string }> {
    const { 'x-tufgate': ours } = await this.mirror.readMetadata('timestamp')
    return (ours as unknown as { journal: { sequence: number; sha256: string } }).journal
  }

  /** Two projects, signed one after the other. */
  async signTwo(): Promise<void> {
    const { mirror } = this
    await mirror.init()
    await mirror.putPage('foo', [foo1, foo2])
    await mirror.putPage('bar', ['bar-1.0.tar.gz'])
    await mirror.sync({ projects: ['foo', 'bar'], parallel: 1 })
    mirror.events.length = 0
  }

  syncLater(options: Partial<SyncOptions> = {}): Promise<SyncResult> {
    this.mirror.now += hourMs
    return this.mirror.sync(options)
  }
}
