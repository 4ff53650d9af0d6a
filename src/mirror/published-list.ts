/**
 * The signed list of all projects, a target like any record, where the mirror was made to have one.
 *
 * A project that was signed stays signed, so the list is out of date exactly when there are more.
 */

import { member, readInteger, readObject, readString } from '../base/decode.ts'
import { sha256Hex } from '../base/digest.ts'
import { renderProjectList } from '../simple/project-list.ts'
import { findBin } from '../tuf/delegation.ts'
import type { FileDigest } from './metadata-documents.ts'
import type { Mirror } from './open-mirror.ts'
import { settings } from './settings.ts'
import { plainHtmlPath, plainPath, projectListTarget, targetPath } from './tree-layout.ts'

const namesAtOnce = 10_000

interface ListState extends FileDigest {
  readonly projects: number
}

export function readProjectList(mirror: Mirror): ListState | undefined {
  const raw = mirror.settings.find(settings.projectList)
  if (raw === undefined) return undefined
  const state = readObject(JSON.parse(raw))
  return {
    length: readInteger(member(state, 'length'), 0),
    sha256: readString(member(state, 'sha256')),
    projects: readInteger(member(state, 'projects'), 0),
  }
}

/** Writes the list anew where it is due; its bin is dirty then. */
export async function updateProjectList(mirror: Mirror, now: number): Promise<void> {
  if (mirror.settings.find(settings.hasProjectList) !== true) return
  const projects = mirror.ledger.countProjects()
  const before = readProjectList(mirror)
  if (before?.projects === projects) return
  const names = [...walkNames(mirror)]
  const bytes = renderProjectList(names, 'json-v1')
  const state: ListState = { length: bytes.length, sha256: sha256Hex(bytes), projects }
  const path = targetPath(projectListTarget, state.sha256)
  const alsoAs = plainPath(projectListTarget)
  await mirror.tree.stage(path, bytes, { hasTwin: true, alsoAs })
  const html = renderProjectList(names, 'text-html')
  await mirror.tree.stage(plainHtmlPath(projectListTarget), html, { hasTwin: true })
  // Until its row is written: a crash must not leave a file that nothing knows of.
  mirror.ledger.putSuperseded(path, now)
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

/** Every signed project, in order, a page of the table at a time. */
export function* walkNames(mirror: Pick<Mirror, 'ledger'>): Generator<string> {
  let names = mirror.ledger.listNames('', namesAtOnce)
  while (names.length > 0) {
    yield* names
    names = mirror.ledger.listNames(names.at(-1) ?? '', namesAtOnce)
  }
}
