/**
 * `mirror held`: what waits for a person, as values. The difference between the record that is signed
 * and the one that would be is taken from their JSON, member by member: nothing of it is left out.
 */

import { join } from 'node:path'
import { decodeUtf8 } from '../base/bytes.ts'
import type { Json } from '../base/canonical-json.ts'
import {
  member,
  readArray,
  readMember,
  readObject,
  readString,
  type JsonObject,
} from '../base/decode.ts'
import { readRegular } from '../store/regular-file.ts'
import { findErrno } from '../store/storage-error.ts'
import { Candidates, type HeldChange } from './hold.ts'
import { publicFolder, readMirror } from './open-mirror.ts'
import { recordTarget, targetPath } from './tree-layout.ts'

export interface DifferentMember {
  readonly name: string
  /** JSON; absent where there was none. */
  readonly before?: string
  readonly after?: string
}

export interface Difference {
  /** A file name; absent for what is of the project itself. */
  readonly file?: string
  readonly kind: 'added' | 'gone' | 'changed'
  readonly members: readonly DifferentMember[]
}

export interface HeldProject extends HeldChange {
  /** `undefined` where a record cannot be read: then it cannot be approved either. */
  readonly differences?: readonly Difference[]
}

export function listHeld(directory: string, take: (held: HeldChange) => boolean): Promise<void> {
  return readMirror(directory, ({ holds }) => {
    for (const held of holds.walk()) if (!take(held)) return
  })
}

/** `project` is normalized. `undefined`: nothing of it waits. */
export function readHeldProject(
  directory: string,
  project: string,
): Promise<HeldProject | undefined> {
  return readMirror(directory, ({ holds }) => {
    const held = holds.find(project)
    if (held === undefined) return undefined
    const after = new Candidates(directory).read(held)
    const before = held.base === undefined ? undefined : readSigned(directory, project, held.base)
    const isLost = held.base !== undefined && before === undefined
    if (after === undefined || isLost) return held
    return { ...held, differences: listDifferences(before, decodeUtf8(after)) }
  })
}

function readSigned(directory: string, project: string, sha256: string): string | undefined {
  const path = join(directory, publicFolder, targetPath(recordTarget(project), sha256))
  try {
    return readRegular(path).toString('utf8')
  } catch (error) {
    if (findErrno(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Of two records, as JSON. */
export function listDifferences(before: string | undefined, after: string): Difference[] {
  const [was, is] = [before === undefined ? undefined : readRecord(before), readRecord(after)]
  const differences: Difference[] = []
  const ofProject = compareMembers(was?.page ?? {}, is.page)
  if (ofProject.length > 0) differences.push({ kind: 'changed', members: ofProject })
  for (const [file, entry] of is.files) {
    const known = was?.files.get(file)
    const members = compareMembers(known ?? {}, entry)
    if (known === undefined) differences.push({ file, kind: 'added', members })
    else if (members.length > 0) differences.push({ file, kind: 'changed', members })
  }
  for (const [file, entry] of was?.files ?? []) {
    if (is.files.has(file)) continue
    differences.push({ file, kind: 'gone', members: compareMembers(entry, {}) })
  }
  return differences
}

interface ReadRecord {
  /** Without its files. */
  readonly page: JsonObject
  readonly files: ReadonlyMap<string, JsonObject>
}

function readRecord(text: string): ReadRecord {
  const { files, ...page } = readObject(JSON.parse(text))
  const entries = readArray(files, readObject)
  return {
    page,
    files: new Map(entries.map((entry) => [readMember(entry, 'filename', readString), entry])),
  }
}

function compareMembers(before: JsonObject, after: JsonObject): DifferentMember[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...names].flatMap((name) => {
    const [was, is] = [renderMember(before, name), renderMember(after, name)]
    if (was === is) return []
    return [
      { name, ...(was !== undefined && { before: was }), ...(is !== undefined && { after: is }) },
    ]
  })
}

/** Both are canonical: the same value is the same text. */
function renderMember(object: JsonObject, name: string): string | undefined {
  const value = member(object, name) as Json | undefined
  return value === undefined ? undefined : JSON.stringify(value)
}
