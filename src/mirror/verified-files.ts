/**
 * Which of the signed files somebody has downloaded and compared, and when: a pin says what a file
 * must be, this says that it was so. Asked for by project, like all that is remembered.
 */

import { readInteger, readText, type Database } from '../store/database.ts'

export class VerifiedFiles {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Roughly: removed files are among them, and are not downloaded any more. */
  countOpen(): number {
    const sql = `SELECT count(*) AS n FROM file
       WHERE verified_at IS NULL AND substr(name, -9) <> '.metadata'`
    const row = this.#database.get(sql)
    return row === undefined ? 0 : readInteger(row, 'n')
  }

  /** File names of a project that nobody has compared yet. */
  listOpen(project: string): Set<string> {
    const sql = `SELECT file.name FROM file JOIN project ON project.id = file.project
       WHERE project.name = ? AND verified_at IS NULL`
    return new Set(this.#database.all(sql, project).map((row) => readText(row, 'name')))
  }

  /**
   * `length` is that of the file itself, whatever anybody tells: where the file is a target of its own
   * with another one, the next publication signs it right.
   */
  put(project: string, filename: string, { length, now }: { length: number; now: number }): void {
    const ofFile = 'project = (SELECT id FROM project WHERE name = ?) AND name = ?'
    this.#database.transaction(() => {
      this.#database.run(
        `UPDATE role SET dirty = 1 WHERE bin IS NOT NULL AND bin IN (
           SELECT bin FROM file WHERE ${ofFile} AND length <> ?)`,
        project,
        filename,
        length,
      )
      const sql = `UPDATE file SET verified_at = ?, length = ? WHERE ${ofFile}`
      this.#database.run(sql, now, length, project, filename)
    })
  }
}
