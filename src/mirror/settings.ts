/** What a mirror was told once and keeps to, in its database, each under a name of its own. */

import type { Json } from '../base/canonical-json.ts'
import {
  DecodeError,
  readArray,
  readBoolean,
  readInteger as decodeInteger,
  readString,
} from '../base/decode.ts'
import { StorageError } from '../base/errors.ts'
import { readText, type Database } from '../store/database.ts'

export const dayMs = 86_400_000

/** One name in the table, and how its JSON is read. */
export interface Setting<T> {
  readonly name: string
  readonly read: (value: unknown) => T
}

const time = (value: unknown): number => decodeInteger(value, 0)

export const settings = {
  /** TAP 15 */
  bitLength: { name: 'bit-length', read: (value: unknown) => decodeInteger(value, 1) },
  /** As given to the first `sync`; a URL or a folder. */
  index: { name: 'index', read: readString },
  /** Where a folder that is the index is served. */
  baseUrl: { name: 'base-url', read: readString },
  /** Given by the operator; otherwise it follows from the index. */
  fileHosts: { name: 'file-hosts', read: (value: unknown) => readArray(value, readString) },
  /** Every distribution is a target too, the letter of PEP 458. */
  signsFiles: { name: 'signs-files', read: readBoolean },
  /** The HTML twin of each record is a target too. */
  signsHtml: { name: 'signs-html', read: readBoolean },
  /** Whether snapshot says the hash of each bin: `on`, `off`, or `auto`, by their number. */
  snapshotHashes: { name: 'snapshot-hashes', read: readString },
  /** For the User-Agent. */
  contact: { name: 'contact', read: readString },
  /** Of the list of projects that was dealt with last, without a failure; empty: ask for all of it. */
  listValidator: { name: 'list-validator', read: readString },
  /** The highest that the index's list had; it never goes back. */
  listSerial: { name: 'list-serial', read: time },
  maxUnseenMs: { name: 'max-unseen-ms', read: time },
  hasProjectList: { name: 'has-project-list', read: readBoolean },
  /** Of the signed list of projects, where there is one. */
  projectList: { name: 'project-list', read: readString },
  binLifetimeMs: { name: 'bin-lifetime-ms', read: time },
  snapshotLifetimeMs: { name: 'snapshot-lifetime-ms', read: time },
  timestampLifetimeMs: { name: 'timestamp-lifetime-ms', read: time },
  /** ms: when the last look at everything that is signed began. */
  indexSeenAt: { name: 'index-seen-at', read: time },
  /** The newest entry of the journal that stands in a published file. */
  journalPublished: { name: 'journal-published', read: time },
  /** ms: since when the index does not answer; 0 while it does. */
  unreachableSince: { name: 'unreachable-since', read: time },
  /** ms: never goes back. */
  lastSignedAt: { name: 'last-signed-at', read: time },
} as const satisfies Record<string, Setting<unknown>>

export class SettingStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  find<T>(setting: Setting<T>): T | undefined {
    const row = this.#database.get('SELECT value FROM setting WHERE name = ?', setting.name)
    if (row === undefined) return undefined
    try {
      return setting.read(JSON.parse(readText(row, 'value')))
    } catch (cause) {
      if (!(cause instanceof DecodeError) && !(cause instanceof SyntaxError)) throw cause
      throw new StorageError(
        'STORAGE_FAILED',
        `The setting ${setting.name} of the mirror is damaged`,
        {
          next: 'Put mirror.db back from its backup.',
          cause,
        },
      )
    }
  }

  require<T>(setting: Setting<T>): T {
    const value = this.find(setting)
    if (value !== undefined) return value
    throw new StorageError('STORAGE_FAILED', `The mirror database has no setting ${setting.name}`, {
      expected: setting.name,
      next: 'Put mirror.db back from its backup: without it no version may be signed again.',
    })
  }

  put<T extends Json>(setting: Setting<T>, value: T): void {
    const sql = 'INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)'
    this.#database.run(sql, setting.name, JSON.stringify(value))
  }
}
