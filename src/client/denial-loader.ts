/**
 * What a mirror has withdrawn of a project, parsed once, and the records without it. Whether a target
 * says anything of a project is asked by whoever has the trusted set.
 */

import type { Bytes } from '../base/bytes.ts'
import { parseDenials, type Denial } from '../simple/denial.ts'
import type { ProjectRecord } from '../simple/record.ts'
import { subtractDenied } from '../simple/subtract-denied.ts'
import type { TargetLocation } from './record-loader.ts'

/** The delegated role whose targets take away. */
export const denyRole = 'deny'

/** Decisions of people, a few hundred bytes each. */
const maxKept = 1024

interface TargetBytes {
  loadBytes(location: TargetLocation): Promise<Bytes>
}

interface Subtracted {
  readonly denials: readonly Denial[]
  readonly record: ProjectRecord
}

export class DenialLoader {
  readonly #targets: TargetBytes
  readonly #kept = new Map<string, readonly Denial[]>()
  /** The same value for the same input: pages that were rendered for it are found again. */
  readonly #subtracted = new WeakMap<ProjectRecord, Subtracted>()

  constructor(targets: TargetBytes) {
    this.#targets = targets
  }

  async load(project: string, location: TargetLocation): Promise<readonly Denial[]> {
    const { target } = location
    const key = JSON.stringify([project, target.length, ...target.hashes])
    const kept = this.#kept.get(key)
    if (kept !== undefined) return kept
    const denials = parseDenials(await this.#targets.loadBytes(location), project)
    this.#kept.set(key, denials)
    const [oldest] = this.#kept.keys()
    if (this.#kept.size > maxKept && oldest !== undefined) this.#kept.delete(oldest)
    return denials
  }

  subtract(record: ProjectRecord, denials: readonly Denial[]): ProjectRecord {
    if (denials.length === 0) return record
    const before = this.#subtracted.get(record)
    if (before?.denials === denials) return before.record
    const subtracted = { denials, record: subtractDenied(record, denials) }
    this.#subtracted.set(record, subtracted)
    return subtracted.record
  }
}
