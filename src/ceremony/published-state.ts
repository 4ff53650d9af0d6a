/** What the mirror has published of the documents that people sign, as drafts of a change. */

import { StorageError } from '../base/errors.ts'
import { readPublished } from '../mirror/online-signers.ts'
import type { Mirror } from '../mirror/open-mirror.ts'
import { offlineRoles, type OfflineRole } from '../mirror/role-names.ts'
import { metadataPath } from '../mirror/tree-layout.ts'
import { parseDraft, type Draft } from './draft.ts'

export async function readOfflineDocuments(mirror: Mirror): Promise<Map<OfflineRole, Draft>> {
  const documents = new Map<OfflineRole, Draft>()
  for (const role of offlineRoles) {
    documents.set(role, parseDraft(await readPublished(mirror, role)))
  }
  return documents
}

/** From the first root up to the one of now: whoever trusts any of them can follow. */
export async function readRoots(mirror: Mirror): Promise<Draft[]> {
  const roots: Draft[] = []
  const { version } = mirror.roles.require('root')
  for (let at = 1; at < version; at += 1) {
    const path = metadataPath('root', at)
    const bytes = await mirror.tree.read(path)
    if (bytes === undefined) {
      throw new StorageError('STORAGE_FAILED', `${path} is missing in ${mirror.tree.folder}`, {
        role: 'root',
        version: at,
        next: 'Put it back from a backup: clients that come from an older root need it.',
      })
    }
    roots.push(parseDraft(bytes))
  }
  return [...roots, parseDraft(await readPublished(mirror, 'root'))]
}
