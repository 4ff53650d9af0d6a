/**
 * The signed list of all projects, a target like any record, where the mirror was made to have one.
 *
 * A project that was signed stays signed, so the list is out of date exactly when there are more. A long
 * one may be out of date for an hour: a look-up never asks it.
 */

import { member, readInteger, readObject, readString } from '../base/decode.ts'
import { sha256Hex } from '../base/digest.ts'
import { renderProjectList } from '../simple/project-list.ts'
import { findBin } from '../tuf/delegation.ts'
import type { FileDigest } from './metadata-documents.ts'
import type { Mirror } from './open-mirror.ts'
import { settings } from './settings.ts'
import { plainHtmlPath, plainPath, projectListTarget, targetPath } from './tree-layout.ts'

const firstNames = 100
const namesAtOnce = 10_000
/** From here on the list is written at most once in this time. */
const longListNames = 10_000
const longListIntervalMs = 3_600_000

interface ListState extends FileDigest {
  readonly projects: number
  /** ms */
  readonly writtenAt: number
}

export function readProjectList(mirror: Mirror): ListState | undefined {
  const raw = mirror.settings.find(settings.projectList)
  if (raw === undefined) return undefined
  const state = readObject(JSON.parse(raw))
  return {
    length: readInteger(member(state, 'length'), 0),
    sha256: readString(member(state, 'sha256')),
    projects: readInteger(member(state, 'projects'), 0),
    writtenAt: readInteger(member(state, 'writtenAt') ?? 0, 0),
  }
}

/** Writes the list anew where it is due, or in any case; its bin is dirty then. */
export async function updateProjectList(
  mirror: Mirror,
  now: number,
  { isForced = false } = {},
): Promise<void> {
  if (mirror.settings.find(settings.hasProjectList) !== true) return
  const before = readProjectList(mirror)
  if (!isForced && before !== undefined && isRecent(before, now)) return
  const projects = mirror.ledger.countProjects()
  if (!isForced && before?.projects === projects) return
  const names = [...walkNames(mirror)]
  const bytes = renderProjectList(names, 'json-v1')
  const state: ListState = {
    length: bytes.length,
    sha256: sha256Hex(bytes),
    projects,
    writtenAt: now,
  }
  const path = targetPath(projectListTarget, state.sha256)
  const alsoAs = plainPath(projectListTarget)
  await mirror.tree.stage(path, bytes, { hasTwin: true, alsoAs })
  const html = renderProjectList(names, 'text-html')
  await mirror.tree.stage(plainHtmlPath(projectListTarget), html, { hasTwin: true })
  // Until its row is written: a crash must not leave a file that nothing knows of.
  if (before?.sha256 !== state.sha256) mirror.ledger.putSuperseded(path, now)
  await mirror.tree.publish()
  mirror.ledger.database.transaction(() => {
    if (before !== undefined && before.sha256 !== state.sha256) {
      mirror.ledger.putSuperseded(targetPath(projectListTarget, before.sha256), now)
    }
    mirror.ledger.keep(path)
    mirror.settings.put(settings.projectList, JSON.stringify(state))
    mirror.ledger.markBin(findBin(mirror.settings.require(settings.bitLength), projectListTarget))
  })
}

/**
 * All of it is written for each name that is new: at 736,000 names 60 MB and seconds of processor time,
 * for a list that nobody needs to install something. So a long one waits.
 */
function isRecent({ projects, writtenAt }: ListState, now: number): boolean {
  return projects >= longListNames && now - writtenAt < longListIntervalMs && now >= writtenAt
}

/** Every signed project, in order, a page of the table at a time; whoever stops soon reads little. */
export function* walkNames(mirror: Pick<Mirror, 'ledger'>): Generator<string> {
  let names = mirror.ledger.listNames('', firstNames)
  while (names.length > 0) {
    yield* names
    names = mirror.ledger.listNames(names.at(-1) ?? '', namesAtOnce)
  }
}
