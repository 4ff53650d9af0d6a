/**
 * One list for the whole of a command, so that all that it installs is of one moment. What takes away
 * ends that: a new root, a list that expires, a decision to deny, a file that a newer record of a project
 * that was answered does not offer any more. From then on the newest list is held.
 */

import type { ProjectRecord } from '../simple/record.ts'
import type { TrustedSet } from '../tuf/trusted-set.ts'
import { denyRole } from './denial-loader.ts'

/** More than a command asks for; beyond it every newer list is taken. */
const maxAnswered = 20_000

export interface HoldPort {
  /** Whether it may be served from now. */
  isUsable(trusted: TrustedSet): boolean
  /** In the newer list; `undefined` where it has none. Throws where that cannot be told. */
  findRecord(trusted: TrustedSet, project: string): Promise<ProjectRecord | undefined>
}

export class SnapshotHold {
  readonly #port: HoldPort
  #held: TrustedSet | undefined
  readonly #answered = new Map<string, ProjectRecord>()

  constructor(port: HoldPort) {
    this.#port = port
  }

  /** What answers are taken from, where `newest` is the newest that is trusted. */
  choose(newest: TrustedSet): TrustedSet {
    const held = this.#held
    const isGood =
      held !== undefined && held.root.version === newest.root.version && this.#port.isUsable(held)
    return isGood ? held : this.#take(newest)
  }

  noteAnswer(trusted: TrustedSet, project: string, record: ProjectRecord): void {
    if (trusted === this.#held) this.#answered.set(project, record)
  }

  /** False where `trusted` is not older than the newest: there is nothing else to try. */
  release(trusted: TrustedSet, newest: TrustedSet): boolean {
    if (trusted === newest) return false
    if (trusted === this.#held) this.#take(newest)
    return true
  }

  /** After each refresh: does the newer list take anything away? */
  async review(newest: TrustedSet): Promise<void> {
    const held = this.#held
    if (held === undefined || held.snapshot === newest.snapshot) return
    const isOver =
      this.#answered.size > maxAnswered ||
      denyVersion(held) !== denyVersion(newest) ||
      (await this.#isAnyReduced(newest))
    if (isOver && this.#held === held) this.#take(newest)
  }

  async #isAnyReduced(newest: TrustedSet): Promise<boolean> {
    for (const [project, answered] of this.#answered) {
      try {
        const record = await this.#port.findRecord(newest, project)
        if (record === undefined || isReduced(answered, record)) return true
      } catch {
        // It was reported where it failed; the next refresh asks again.
      }
    }
    return false
  }

  #take(newest: TrustedSet): TrustedSet {
    this.#held = newest
    this.#answered.clear()
    return newest
  }
}

function denyVersion({ snapshot }: TrustedSet): number | undefined {
  return snapshot?.meta.get(`${denyRole}.json`)?.version
}

/** Whether a file that was on offer is not any more, is another one, or has been yanked or withdrawn. */
function isReduced(before: ProjectRecord, after: ProjectRecord): boolean {
  if (before === after) return false
  if (isQuarantined(after) && !isQuarantined(before)) return true
  const files = new Map(after.files.map((file) => [file.filename, file]))
  return before.files.some((file) => {
    const now = files.get(file.filename)
    if (now === undefined || now.sha256 !== file.sha256) return true
    return marks.some((mark) => isMarked(now[mark]) && !isMarked(file[mark]))
  })
}

const marks = ['removed', 'conflict', 'denied', 'yanked'] as const

/** PEP 792: none of its files is to be installed. */
function isQuarantined({ status }: ProjectRecord): boolean {
  return status?.status === 'quarantined'
}

function isMarked(value: unknown): boolean {
  return value !== undefined && value !== false
}
