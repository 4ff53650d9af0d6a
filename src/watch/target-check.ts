/**
 * One target as a client gets it: searched through the delegations, fetched, compared with what is
 * signed, and parsed. Distributions (`files/`) lie on the index, and are not read here.
 */

import { VerifyError } from '../base/errors.ts'
import { RecordLoader } from '../client/record-loader.ts'
import type { Repository } from '../client/repository.ts'
import type { RepositorySource } from '../client/repository-source.ts'
import { projectListTarget, recordTarget } from '../mirror/tree-layout.ts'
import { findTarget, type LoadRole } from '../tuf/search.ts'
import type { TrustedSet } from '../tuf/trusted-set.ts'
import { clientLimits } from './check-client.ts'

export interface TargetContext {
  readonly client: Repository
  readonly trusted: TrustedSet
  readonly source: RepositorySource
  readonly loadRole: LoadRole
  readonly now: number
}

export type CheckTarget = (path: string) => Promise<void>

/** The check throws what the client throws. */
export function createTargetCheck(context: TargetContext): CheckTarget {
  const { client, source } = context
  const content = { read: () => Promise.resolve(undefined), put: () => undefined }
  const loader = new RecordLoader([source], content, clientLimits.maxRecordBytes, () => undefined)
  return async (path) => {
    if (path.startsWith('files/')) return
    const project = findProject(path)
    if (path === projectListTarget) requireFound(path, await client.findProjectList())
    else if (project !== undefined && path === recordTarget(project))
      requireFound(path, await client.findRecord(project))
    else await checkBytes(path, loader, context)
  }
}

/** Whose record, or page in HTML, this is; `undefined` for every other target. */
export function findProject(path: string): string | undefined {
  return /^simple\/([^/]+)\/index\.(?:json|html)$/.exec(path)?.[1]
}

async function checkBytes(
  path: string,
  loader: RecordLoader,
  { trusted, loadRole, now }: TargetContext,
): Promise<void> {
  const { maxDelegations: maxRoles } = clientLimits
  const { target } = await findTarget(trusted, path, loadRole, { now, maxRoles })
  // Its owner may list another set of targets than the bin, which nobody reads then.
  if (target === undefined) return
  await loader.loadBytes({ path, target, consistentSnapshot: trusted.root.consistentSnapshot })
}

function requireFound(path: string, found: unknown): void {
  if (found !== undefined) return
  throw new VerifyError('MALFORMED', `${path} is signed, and clients do not find it`, {
    expected: path,
    found: 'nothing',
    next: 'A role that is searched before its own takes the path without listing it.',
  })
}
