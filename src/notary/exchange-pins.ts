/** Pins in and out of what a notary, or a mirror, remembers. Which file they stand in is not known here. */

import type { MirrorMemory } from '../mirror/open-mirror.ts'
import type { Pin, PinSet } from '../policy/pin-set.ts'

/** A name that was seen here with another digest than elsewhere. */
export interface PinConflict extends Pin {
  readonly seenHere: string
}

export interface ImportResult {
  /** Names that were not bound before. */
  readonly added: number
  readonly known: number
  /** Where there is one, nothing was imported. */
  readonly conflicts: readonly PinConflict[]
}

const namesAtOnce = 1000
/** PEP 658: such a file is bound as well, and needs no line of its own. */
const metadataSuffix = '.metadata'

/** Every file that was ever seen, in no order: removed ones too, whose names stay bound. */
export function* listPins({ ledger }: MirrorMemory): Generator<Pin> {
  for (const project of listProjects(ledger)) {
    for (const [file, sha256] of ledger.readPins(project, ledger.findProject(project)?.id)) {
      if (!file.endsWith(metadataSuffix)) yield { project, file, sha256 }
    }
  }
}

function* listProjects(ledger: MirrorMemory['ledger']): Generator<string> {
  let names = ledger.listPinnedNames('', namesAtOnce)
  while (names.length > 0) {
    yield* names
    names = ledger.listPinnedNames(names.at(-1) ?? '', namesAtOnce)
  }
}

/** All of them or none: a conflict is for a person. */
export function importPins({ ledger }: MirrorMemory, pins: PinSet): ImportResult {
  const { missing, known, conflicts } = comparePins(ledger, pins)
  if (conflicts.length > 0) return { added: 0, known, conflicts }
  ledger.database.transaction(() => {
    for (const { project, file, sha256 } of missing) ledger.putImportedPin(project, file, sha256)
  })
  return { added: missing.length, known, conflicts }
}

interface Comparison {
  readonly missing: readonly Pin[]
  readonly known: number
  readonly conflicts: readonly PinConflict[]
}

function comparePins(ledger: MirrorMemory['ledger'], pins: PinSet): Comparison {
  const missing: Pin[] = []
  const conflicts: PinConflict[] = []
  let known = 0
  for (const [project, files] of pins.projects) {
    const seen = ledger.readPins(project, ledger.findProject(project)?.id)
    for (const [file, sha256] of files) {
      const seenHere = seen.get(file)
      if (seenHere === undefined) missing.push({ project, file, sha256 })
      else if (seenHere === sha256) known += 1
      else conflicts.push({ project, file, sha256, seenHere })
    }
  }
  return { missing, known, conflicts }
}
