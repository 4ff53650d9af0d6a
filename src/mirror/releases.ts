/** The releases of a record as it was signed: when each began, and which came last. */

import { parseFilename } from '../simple/filename.ts'
import { parseUploadTime } from '../simple/read-text.ts'
import type { RecordContent, RecordFile } from '../simple/record.ts'
import { comparableVersion } from '../simple/version-key.ts'

export class Releases {
  readonly #project: string
  readonly #oldest = new Map<string, number>()
  /** Of the file that came last, by time and then by version; not of what was removed before. */
  readonly newest: string | undefined

  constructor({ name, files }: RecordContent) {
    this.#project = name
    let newest: { time: number; version: string; key: string } | undefined
    for (const file of files) {
      const key = this.keyOf(file.filename)
      const time = findTime(file)
      this.#oldest.set(key, Math.min(this.#oldest.get(key) ?? Infinity, time ?? Infinity))
      if (file.removed !== undefined) continue
      const found = { time: time ?? 0, version: this.versionOf(file.filename) ?? '', key }
      if (newest === undefined || isNewer(found, newest)) newest = found
    }
    this.newest = newest?.key
  }

  versionOf(filename: string): string | undefined {
    return parseFilename(filename, this.#project).version
  }

  /** A file whose name tells no version is a release of its own. */
  keyOf(filename: string): string {
    const version = this.versionOf(filename)
    return version === undefined ? `file ${filename}` : comparableVersion(version)
  }

  /** ms: when the release of a file began, as far as it is known. */
  findOldest(filename: string): number | undefined {
    const time = this.#oldest.get(this.keyOf(filename))
    return time === undefined || time === Infinity ? undefined : time
  }
}

interface Dated {
  readonly time: number
  readonly version: string
}

/** An index without times of upload shows all at once: then the higher number came later. */
const byNumber = new Intl.Collator('en', { numeric: true })

function isNewer(left: Dated, right: Dated): boolean {
  if (left.time !== right.time) return left.time > right.time
  return byNumber.compare(left.version, right.version) > 0
}

function findTime({ uploadTime, firstSeen }: RecordFile): number | undefined {
  return (uploadTime === undefined ? undefined : parseUploadTime(uploadTime)) ?? firstSeen
}
