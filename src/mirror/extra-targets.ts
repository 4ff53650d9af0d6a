/**
 * Targets besides the records, for mirrors that were told to sign them: every distribution under
 * `files/<project>/<file name>` (the letter of PEP 458), and the HTML twin of each record.
 *
 * A target stands in the bin of its own path. Which files are targets is remembered with their pins.
 */

import { encodeHex, type Bytes } from '../base/bytes.ts'
import { sha256Hex } from '../base/digest.ts'
import type { RecordContent } from '../simple/record.ts'
import { readBlob, readInteger, readText, type Database, type Row } from '../store/database.ts'
import { findBin } from '../tuf/delegation.ts'
import type { FileDigest } from './metadata-documents.ts'
import { settings, type Setting, type SettingStore } from './settings.ts'
import { fileTarget, htmlTarget, targetPath } from './tree-layout.ts'

export interface ExtraTargets {
  /** Length by file name of those that are to be targets; absent where files are not signed. */
  readonly files?: ReadonlyMap<string, number | undefined>
  /** Absent where HTML is not signed. */
  readonly html?: FileDigest
  readonly bitLength: number
  /** ms */
  readonly now: number
}

/** What a record brings with it, if anything. `html` is its twin as it is published. */
export function findExtraTargets(
  store: SettingStore,
  record: RecordContent,
  { html, now }: { readonly html: Bytes; readonly now: number },
): ExtraTargets | undefined {
  const isOn = (setting: Setting<boolean>): boolean => store.find(setting) === true
  const [signsFiles, signsHtml] = [isOn(settings.signsFiles), isOn(settings.signsHtml)]
  if (!signsFiles && !signsHtml) return undefined
  return {
    bitLength: store.require(settings.bitLength),
    now,
    ...(signsFiles && { files: listFiles(record) }),
    ...(signsHtml && { html: { length: html.length, sha256: sha256Hex(html) } }),
  }
}

/** What is removed, or is another file now, is nobody's to fetch: it is no target. */
function listFiles({ files }: RecordContent): Map<string, number | undefined> {
  const there = files.filter((file) => file.removed === undefined && file.conflict === undefined)
  return new Map(there.map(({ filename, size, toldSize }) => [filename, size ?? toldSize]))
}

/** Within the transaction that writes the record and its pins; marks the bins that change. */
export function putExtraTargets(database: Database, project: string, extra: ExtraTargets): void {
  const row = database.get('SELECT id, html_sha256 FROM project WHERE name = ?', project)
  if (row === undefined) return
  if (extra.files !== undefined)
    putFiles(database, { project, id: readInteger(row, 'id') }, extra, extra.files)
  if (extra.html !== undefined) putHtml(database, project, extra, row)
}

function putFiles(
  database: Database,
  { project, id }: { readonly project: string; readonly id: number },
  { bitLength }: ExtraTargets,
  wanted: ReadonlyMap<string, number | undefined>,
): void {
  const sql = 'SELECT name, bin, length, verified_at FROM file WHERE project = ?'
  for (const row of database.all(sql, id)) {
    const name = readText(row, 'name')
    const bin = findNumber(row, 'bin')
    // What was measured counts more than what anybody tells.
    const told = wanted.get(name)
    const isMeasured = findNumber(row, 'verified_at') !== undefined
    const length = isMeasured ? findNumber(row, 'length') : (told ?? findNumber(row, 'length'))
    const isTarget = wanted.has(name) && length !== undefined
    const next = isTarget ? findBin(bitLength, fileTarget(project, name)) : undefined
    if (next === bin && (!isTarget || length === findNumber(row, 'length'))) continue
    const update = 'UPDATE file SET bin = ?, length = ? WHERE project = ? AND name = ?'
    database.run(update, next ?? null, length ?? null, id, name)
    for (const changed of [bin, next]) if (changed !== undefined) markBin(database, changed)
  }
}

function putHtml(
  database: Database,
  project: string,
  { bitLength, html, now }: ExtraTargets,
  row: Row,
): void {
  const before = row['html_sha256']
  if (html === undefined) return
  const path = targetPath(htmlTarget(project), html.sha256)
  database.run('DELETE FROM superseded WHERE path = ?', path)
  if (before === html.sha256) return
  const bin = findBin(bitLength, htmlTarget(project))
  const sql = 'UPDATE project SET html_sha256 = ?, html_length = ?, html_bin = ? WHERE name = ?'
  database.run(sql, html.sha256, html.length, bin, project)
  markBin(database, bin)
  if (typeof before === 'string')
    putSuperseded(database, targetPath(htmlTarget(project), before), now)
}

/** Path and digest of a project's page in HTML, where that is a target. */
export function findHtmlTarget(
  database: Database,
  project: string,
): (FileDigest & { readonly path: string }) | undefined {
  const sql = `SELECT html_sha256, html_length FROM project
    WHERE name = ? AND html_sha256 IS NOT NULL`
  const row = database.get(sql, project)
  if (row === undefined) return undefined
  const [sha256, length] = [readText(row, 'html_sha256'), readInteger(row, 'html_length')]
  return { path: targetPath(htmlTarget(project), sha256), sha256, length }
}

/** What stands in a bin besides records; of projects that sign for themselves nothing. */
export function* listExtraTargets(
  database: Database,
  bin: number,
): Generator<readonly [string, FileDigest]> {
  const isUnclaimed = `NOT EXISTS (
    SELECT 1 FROM claim WHERE claim.project = project.name AND claim.state <> 'pending')`
  const files = `SELECT project.name AS project, file.name AS name, file.length, file.sha256
    FROM file JOIN project ON project.id = file.project WHERE file.bin = ? AND ${isUnclaimed}`
  for (const row of database.all(files, bin)) {
    const path = fileTarget(readText(row, 'project'), readText(row, 'name'))
    const sha256 = encodeHex(readBlob(row, 'sha256'))
    yield [path, { length: readInteger(row, 'length'), sha256 }]
  }
  const pages = `SELECT name, html_sha256, html_length FROM project
    WHERE html_bin = ? AND ${isUnclaimed}`
  for (const row of database.all(pages, bin)) {
    const digest = { length: readInteger(row, 'html_length'), sha256: readText(row, 'html_sha256') }
    yield [htmlTarget(readText(row, 'name')), digest]
  }
}

const rowsAtOnce = 10_000

/** For another number of bins: every target to the bin of its path. Within a transaction. */
export function moveExtraTargets(database: Database, bitLength: number): void {
  for (let last = -1; ;) {
    const sql = 'SELECT id, name, html_bin FROM project WHERE id > ? ORDER BY id LIMIT ?'
    const rows = database.all(sql, last, rowsAtOnce)
    for (const row of rows) {
      last = readInteger(row, 'id')
      moveOne(database, { id: last, project: readText(row, 'name') }, bitLength)
    }
    if (rows.length < rowsAtOnce) return
  }
}

function moveOne(
  database: Database,
  { id, project }: { readonly id: number; readonly project: string },
  bitLength: number,
): void {
  const page = 'UPDATE project SET html_bin = ? WHERE id = ? AND html_bin IS NOT NULL'
  database.run(page, findBin(bitLength, htmlTarget(project)), id)
  const sql = 'SELECT name FROM file WHERE project = ? AND bin IS NOT NULL'
  for (const row of database.all(sql, id)) {
    const name = readText(row, 'name')
    const bin = findBin(bitLength, fileTarget(project, name))
    database.run('UPDATE file SET bin = ? WHERE project = ? AND name = ?', bin, id, name)
  }
}

/** Nothing of the kind is signed any more. Within a transaction. */
export function dropExtraTargets(database: Database, kind: 'files' | 'html', now: number): void {
  if (kind === 'files') {
    const bins = 'SELECT DISTINCT bin FROM file WHERE bin IS NOT NULL'
    for (const row of database.all(bins)) markBin(database, readInteger(row, 'bin'))
    database.run('UPDATE file SET bin = NULL WHERE bin IS NOT NULL')
    return
  }
  const sql = 'SELECT name, html_bin, html_sha256 FROM project WHERE html_bin IS NOT NULL'
  for (const row of database.all(sql)) {
    markBin(database, readInteger(row, 'html_bin'))
    const path = targetPath(htmlTarget(readText(row, 'name')), readText(row, 'html_sha256'))
    putSuperseded(database, path, now)
  }
  database.run('UPDATE project SET html_bin = NULL, html_sha256 = NULL, html_length = NULL')
}

function markBin(database: Database, bin: number): void {
  database.run('UPDATE role SET dirty = 1 WHERE bin = ? AND dirty = 0', bin)
}

function putSuperseded(database: Database, path: string, now: number): void {
  database.run('INSERT OR REPLACE INTO superseded (path, since) VALUES (?, ?)', path, now)
}

function findNumber(row: Row, column: string): number | undefined {
  const value = row[column]
  return typeof value === 'number' ? value : undefined
}
