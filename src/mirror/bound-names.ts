/**
 * Names that were signed, and the digests that they are bound to for ever. Another spelling of such a
 * name (`Foo-1.0`, `foo-1.0.0`) is the same file to installers, and bound to what the first one is.
 *
 * Two spellings that were both new at one look are two files: nothing was signed that either changes.
 */

import { fileIdentity } from '../simple/file-identity.ts'
import type { RecordFile } from '../simple/record.ts'

/** What was signed first, under the name or another spelling of it. */
export interface BoundName {
  readonly file: string
  readonly sha256: string
}

export interface NameConflict {
  /** As it is spelled now. */
  readonly file: string
  readonly bound: BoundName
  /** sha256 */
  readonly found: string
}

/** PEP 658. */
const metadataSuffix = '.metadata'

export function metadataName(filename: string): string {
  return `${filename}${metadataSuffix}`
}

export class BoundNames {
  readonly #project: string
  readonly #pins: ReadonlyMap<string, string>
  /** Most looks show no new name, and need none of this. */
  #spellings: ReadonlyMap<string, readonly BoundName[]> | undefined

  /** `project`: normalized. `pins`: sha256 by file name, `.metadata` files too. */
  constructor(project: string, pins: ReadonlyMap<string, string>) {
    this.#project = project
    this.#pins = pins
  }

  /** What is bound, where the content is another one. */
  findConflict(filename: string, sha256: string): BoundName | undefined {
    const pinned = this.#pins.get(filename)
    if (pinned !== undefined)
      return pinned === sha256 ? undefined : { file: filename, sha256: pinned }
    const bound = this.findSpellings(filename)
    return bound.some((each) => each.sha256 === sha256) ? undefined : bound[0]
  }

  /** The same for a `.metadata` file. One may come later than the file that was signed without it. */
  findMetadataConflict(filename: string, sha256: string): BoundName | undefined {
    const name = metadataName(filename)
    const isKnown = this.#pins.has(name) || this.#pins.has(filename)
    const files = isKnown ? [filename] : this.findSpellings(filename).map(({ file }) => file)
    const bound = files.map(metadataName).flatMap((file) => {
      const signed = this.#pins.get(file)
      return signed === undefined ? [] : [{ file, sha256: signed }]
    })
    return bound.some((each) => each.sha256 === sha256) ? undefined : bound[0]
  }

  findFirstConflict(files: readonly RecordFile[]): NameConflict | undefined {
    for (const { filename, sha256, coreMetadata } of files) {
      const bound = this.findConflict(filename, sha256)
      if (bound !== undefined) return { file: filename, bound, found: sha256 }
      const metadata = coreMetadata?.get('sha256')
      const other = metadata && this.findMetadataConflict(filename, metadata)
      if (metadata !== undefined && other)
        return { file: metadataName(filename), bound: other, found: metadata }
    }
    return undefined
  }

  /** Those that were signed, in the order of the pins. */
  findSpellings(filename: string): readonly BoundName[] {
    if (this.#pins.size === 0) return []
    this.#spellings ??= this.#groupSpellings()
    return this.#spellings.get(fileIdentity(filename, this.#project)) ?? []
  }

  #groupSpellings(): ReadonlyMap<string, readonly BoundName[]> {
    const bound = [...this.#pins].map(([file, sha256]) => ({ file, sha256 }))
    const files = bound.filter(({ file }) => !file.endsWith(metadataSuffix))
    return Map.groupBy(files, ({ file }) => fileIdentity(file, this.#project))
  }
}
