/**
 * The record of a project as it was signed, on our disk: whether clients find it, and what it says.
 * What is lost is made again by a look at the index (`judge-look.ts`), where the mirror signs it.
 */

import { sha256Hex } from '../base/digest.ts'
import { parseRecord, type RecordContent } from '../simple/record.ts'
import { findHtmlTarget } from './extra-targets.ts'
import type { KnownProject } from './ledger.ts'
import type { FileDigest } from './metadata-documents.ts'
import type { Mirror } from './open-mirror.ts'
import { htmlTarget, plainPath, recordTarget, targetPath } from './tree-layout.ts'

type Place = Pick<Mirror, 'tree' | 'ledger'>

/** `undefined` where it is missing, or is not what was signed. */
export async function readRecord(
  { tree }: Pick<Mirror, 'tree'>,
  { name, sha256 }: Pick<KnownProject, 'name' | 'sha256'>,
): Promise<RecordContent | undefined> {
  const bytes = await tree.read(targetPath(recordTarget(name), sha256))
  if (bytes === undefined || sha256Hex(bytes) !== sha256) return undefined
  return parseRecord(bytes, name)
}

/**
 * A look at each project costs no more than a question to the file system. `isFull`: what is in the
 * files counts too, and all that stands beside them for other clients.
 */
export async function isRecordThere(
  place: Place,
  known: KnownProject,
  isFull: boolean,
): Promise<boolean> {
  const { tree, ledger } = place
  const { name, sha256, length } = known
  const path = targetPath(recordTarget(name), sha256)
  if ((await tree.findLength(path)) !== length) return false
  if (!isFull) return true
  const html = findHtmlTarget(ledger.database, name)
  for (const target of html === undefined ? [{ ...known, path }] : [{ ...known, path }, html]) {
    if (!(await isTargetThere(place, target))) return false
  }
  for (const plain of [recordTarget(name), htmlTarget(name)].map(plainPath)) {
    if ((await tree.findLength(plain)) === undefined) return false
  }
  return true
}

async function isTargetThere(
  { tree }: Place,
  { path, sha256 }: FileDigest & { readonly path: string },
): Promise<boolean> {
  const bytes = await tree.read(path)
  if (bytes === undefined || sha256Hex(bytes) !== sha256) return false
  return tree.isTwinOf(path, bytes)
}
