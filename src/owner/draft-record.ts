/**
 * What an owner is about to sign: the files that lie before him, what was signed before, and what he
 * says of them. Whatever he has not checked himself is named. No I/O, no clock.
 */

import { toPrintable } from '../base/bytes.ts'
import { formatUtcSeconds } from '../base/clock.ts'
import { ConfigError } from '../base/errors.ts'
import { parseFilename } from '../simple/filename.ts'
import type { ProjectFile } from '../simple/model.ts'
import type { RecordContent, RecordFile } from '../simple/record.ts'
import { comparableVersion } from '../simple/version-key.ts'
import { completeVersions } from '../simple/versions.ts'
import { checkLocalFile, type LocalFile } from './local-file.ts'

export interface DraftInput {
  readonly project: string
  /** The record that is signed now, by the mirror or by its owners. */
  readonly previous?: RecordContent | undefined
  /** What the index shows; absent: what was signed before is all that there is. */
  readonly page?: { readonly files: readonly ProjectFile[] } | undefined
  readonly local: readonly LocalFile[]
  /** What was signed before and is not here is left out. */
  readonly onlyChecked: boolean
  /** Reason by version. */
  readonly yank: ReadonlyMap<string, string>
  readonly unyank: readonly string[]
  /** File names. */
  readonly remove: readonly string[]
  /** ms */
  readonly now: number
}

export interface RecordDraft {
  readonly record: RecordContent
  /** Names. */
  readonly checked: readonly string[]
  readonly takenOver: readonly string[]
  readonly leftOut: readonly string[]
  readonly removed: readonly string[]
  /** On the index, and not signed by anybody: not given here, and never signed before. */
  readonly unsigned: readonly string[]
  readonly remarks: readonly { readonly file: string; readonly remark: string }[]
}

/** Throws ConfigError for what is not there, and what `checkLocalFile` throws. */
export function draftRecord(input: DraftInput): RecordDraft {
  const { project, previous } = input
  const checked = checkAll(input)
  const before = previous?.files ?? []
  const rest = before.filter(({ filename }) => !checked.has(filename))
  const isKept = ({ removed }: RecordFile): boolean => !input.onlyChecked || removed !== undefined
  const entries = [...rest.filter(isKept), ...[...checked.values()].map(({ entry }) => entry)]
  const files = removeFiles(yankFiles(orderAs(before, entries), input), input)
  const known = new Set(entries.map(({ filename }) => filename))
  return {
    record: {
      name: project,
      files,
      versions: completeVersions(previous?.versions ?? [], files, project),
      extra: previous?.extra ?? new Map(),
      ...keepStatus(previous),
    },
    checked: [...checked.keys()],
    takenOver: namesOf(rest.filter((file) => isKept(file) && file.removed === undefined)),
    leftOut: namesOf(rest.filter((file) => !isKept(file))),
    removed: input.remove,
    unsigned: namesOf(input.page?.files ?? []).filter((name) => !known.has(name)),
    remarks: [...checked].flatMap(([file, { remarks }]) =>
      remarks.map((remark) => ({ file, remark })),
    ),
  }
}

/** Quarantine (PEP 792) is the index's word; the mirror has a role of its own for it. */
function keepStatus(previous: RecordContent | undefined): Pick<RecordContent, 'status'> {
  const status = previous?.status
  return status === undefined || status.status === 'quarantined' ? {} : { status }
}

function namesOf(files: readonly { readonly filename: string }[]): string[] {
  return files.map(({ filename }) => filename)
}

function checkAll(input: DraftInput): ReadonlyMap<string, ReturnType<typeof checkLocalFile>> {
  const { project, previous, page, local, now } = input
  const before = new Map((previous?.files ?? []).map((file) => [file.filename, file]))
  const listed = new Map((page?.files ?? []).map((file) => [file.filename, file]))
  const checked = new Map<string, ReturnType<typeof checkLocalFile>>()
  for (const file of local) {
    const { filename } = file
    if (checked.has(filename)) throw refuse(`${toPrintable(filename)} is given twice`)
    const known = before.get(filename)
    const shown = listed.get(filename) ?? (page === undefined ? known : undefined)
    if (shown === undefined) throw missing(filename, page !== undefined)
    checked.set(filename, checkLocalFile(project, file, { listed: shown, before: known, now }))
  }
  return checked
}

function missing(filename: string, hasPage: boolean): ConfigError {
  const place = hasPage ? 'The index does not list' : 'The signed record does not list'
  return refuse(
    `${place} ${toPrintable(filename)}`,
    hasPage
      ? 'Upload it first; then sign it.'
      : 'Give --index URL: the address of a new file comes from the page of the index.',
  )
}

function refuse(message: string, next = 'Correct the command; nothing was signed.'): ConfigError {
  return new ConfigError('CONFIG_INVALID', message, { next })
}

/** What was there stays in its place, so that a record changes where something changed. */
function orderAs(before: readonly RecordFile[], entries: readonly RecordFile[]): RecordFile[] {
  const places = new Map(before.map(({ filename }, at) => [filename, at]))
  const placeOf = ({ filename }: RecordFile): number => places.get(filename) ?? before.length
  return entries.toSorted((left, right) => placeOf(left) - placeOf(right))
}

function yankFiles(
  files: readonly RecordFile[],
  { project, yank, unyank }: DraftInput,
): RecordFile[] {
  const reasons = new Map(
    [...yank].map(([version, reason]) => [comparableVersion(version), reason]),
  )
  const lifted = new Set(unyank.map(comparableVersion))
  const missed = new Map(
    [...yank.keys(), ...unyank].map((version) => [comparableVersion(version), version]),
  )
  const result = files.map((file) => {
    const { version } = parseFilename(file.filename, project)
    const key = version === undefined ? undefined : comparableVersion(version)
    if (key === undefined || !(reasons.has(key) || lifted.has(key))) return file
    missed.delete(key)
    const { yanked: _, ...rest } = file
    const reason = reasons.get(key)
    return reason === undefined ? rest : { ...rest, yanked: reason }
  })
  for (const version of missed.values()) {
    throw refuse(`There is no file of version ${toPrintable(version)}`)
  }
  return result
}

/** As a tombstone: its name stays bound to its digest, and whoever asks is told why. */
function removeFiles(
  files: readonly RecordFile[],
  { remove, now }: DraftInput,
): readonly RecordFile[] {
  const missed = new Set(remove)
  const result = files.map((file) => {
    if (!missed.delete(file.filename) || file.removed !== undefined) return file
    return { ...file, yanked: 'removed by its maintainers', removed: formatUtcSeconds(now) }
  })
  for (const name of missed) throw refuse(`There is no file ${toPrintable(name)} in the record`)
  return result
}
