/** The only door to SQLite. */

export type SqlValue = null | number | bigint | string | Uint8Array
export type Row = Readonly<Record<string, SqlValue>>

export interface DatabaseOptions {
  /** SQL that makes an empty file into a database of `version`. */
  readonly schema: string
  readonly version: number
  /** Told that a damaged file was set aside, and why; a fresh database is in its place then. */
  readonly onDamaged?: (message: string) => void
  /** `false`: a power cut may lose the last transactions, never the consistency. Default `true`. */
  readonly isDurable?: boolean
}

export class Database {
  run(_sql: string, ..._values: SqlValue[]): number {
    throw new Error('to come')
  }

  get(_sql: string, ..._values: SqlValue[]): Row | undefined {
    throw new Error('to come')
  }

  all(_sql: string, ..._values: SqlValue[]): Row[] {
    throw new Error('to come')
  }

  iterate(_sql: string, ..._values: SqlValue[]): IterableIterator<Row> {
    throw new Error('to come')
  }

  /** BEGIN IMMEDIATE ... COMMIT; rolls back where `work` throws. `work` must not be async. */
  transaction<T>(_work: () => T): T {
    throw new Error('to come')
  }

  close(): void {}
}

export function openDatabase(_path: string, _options: DatabaseOptions): Database {
  throw new Error('to come')
}

/** The column as text, whole number or bytes; StorageError where it is something else. */
export function readText(_row: Row, _column: string): string {
  throw new Error('to come')
}

export function readInteger(_row: Row, _column: string): number {
  throw new Error('to come')
}

export function readBlob(_row: Row, _column: string): Uint8Array {
  throw new Error('to come')
}
