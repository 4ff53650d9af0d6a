/**
 * What stands in the bytes of a file is bound with its sha256: its length, and its requires-python.
 * An index that says something else of the same bytes lied at one of the two times.
 */

import type { ProjectFile } from '../simple/model.ts'
import type { RecordFile } from '../simple/record.ts'

type Bound<K extends keyof RecordFile> = Partial<Pick<RecordFile, K>>

/**
 * A size is signed only where the index said it at the first look at the file and nothing else ever
 * since. What it contradicted, or said later, is a hint (`_size`), which refuses nothing: with the first
 * lie, whichever it was, the sha256 alone decides, for ever, and no order of lies denies the file. The
 * hint is the most that was told, since it says how much a client is ready to read.
 */
export function bindSize(
  file: ProjectFile,
  before: RecordFile | undefined,
): Bound<'size' | 'toldSize'> {
  if (before === undefined) return bindFirstSize(file)
  if (before.size !== undefined && !isContradicted(file, before)) return { size: before.size }
  // Beside a size it is one that was measured (`complete-sizes.ts`).
  if (file.toldSize !== undefined) return { toldSize: file.toldSize }
  const told = [before.size, before.toldSize, file.size].filter((size) => size !== undefined)
  return told.length === 0 ? {} : { toldSize: Math.max(...told) }
}

function bindFirstSize({ size, toldSize }: ProjectFile): Bound<'size' | 'toldSize'> {
  if (size !== undefined) return { size }
  return toldSize === undefined ? {} : { toldSize }
}

/** The index says another size than the signed one. */
export function isContradicted<T extends ProjectFile>(
  file: T,
  before: RecordFile | undefined,
): file is T & { readonly size: number } {
  const isSaid = file.size !== undefined && before?.size !== undefined
  return isSaid && file.size !== before.size
}

/**
 * It stays as it was at first, and stays away where there was none: installers find it in the file.
 * What the index shows in its place is written down beside it (`_requires-python`).
 */
export function bindRequiresPython(
  { requiresPython: shown }: ProjectFile,
  before: RecordFile | undefined,
  isFollowed: boolean,
): Bound<'requiresPython' | 'shownRequiresPython'> {
  const signed = before === undefined || isFollowed ? shown : before.requiresPython
  return {
    ...(signed !== undefined && { requiresPython: signed }),
    ...(signed !== shown && { shownRequiresPython: shown ?? '' }),
  }
}
