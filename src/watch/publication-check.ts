/**
 * The last word before a publication: a client that remembers versions alone reads the tree with the
 * timestamp that is about to appear, and what has changed. Where it would refuse, nothing becomes
 * visible. Its cost is bounded: of many changes a sample is read. `mirror check` reads all of them.
 */

import type { Bytes } from '../base/bytes.ts'
import { isTufgateError, StorageError, TufgateError, VerifyError } from '../base/errors.ts'
import type { RepositorySource } from '../client/repository-source.ts'
import type { CheckPublication, Mirror, StagedPublication } from '../mirror/open-mirror.ts'
import { metadataPath } from '../mirror/tree-layout.ts'
import { openFolderSource } from '../store/folder-source.ts'
import { requireUnexpired } from '../tuf/freshness.ts'
import { findChangedRoles, findChangedTargets, takeSample } from './changed-entries.ts'
import { openCheckClient } from './check-client.ts'
import { compareTwins, overlayStaged, readOnce } from './checked-source.ts'
import { openReturningState, type ReturningState } from './client-state.ts'
import { walkRoles, type RoleEdge } from './delegated-roles.ts'
import { createTargetCheck } from './target-check.ts'

/** About 0.3 ms each, and 1 ms for a small record. */
const maxRoles = 128
const maxTargets = 256

export const checkPublication: CheckPublication = async (mirror, staged) => {
  const warn = (message: string): void => mirror.report({ kind: 'warning', message })
  const state = await openReturningState(mirror.directory, warn)
  try {
    await readAsClient(mirror, staged, state)
  } catch (error) {
    state.close()
    throw explainRefusal(error, mirror)
  }
  return (isOut) => {
    try {
      if (isOut) state.keep()
    } finally {
      state.close()
    }
    return Promise.resolve()
  }
}

async function readAsClient(
  mirror: Mirror,
  staged: StagedPublication,
  state: ReturningState,
): Promise<void> {
  const now = mirror.clock()
  const pinnedRoot = await readFirstRoot(mirror)
  const tree = readOnce(compareTwins(openFolderSource(mirror.tree.folder)))
  const source = overlayStaged(tree, staged)
  // With floors and nothing else it asks all that a new client asks, and all that a returning one asks.
  const client = await openCheckClient({ pinnedRoot, source, now, storage: state.storage })
  const trusted = await client.requireFresh()
  requireUnexpired(trusted, now)
  const walk = await walkRoles(trusted, source, (_, error) => throwAgain(error))
  const changed = findChangedRoles(trusted.snapshot, state.floors)
  const lower = takeSample(
    [...walk.listLower()].filter(({ role }) => changed.has(role)),
    maxRoles,
  )
  const upper = walk.upper.filter(({ role }) => changed.has(role))
  const paths = await listChangedTargets([...upper, ...lower], state, source)
  const checkTarget = createTargetCheck({
    client,
    trusted,
    source,
    loadRole: walk.loadRole,
    now,
  })
  for (const path of takeSample(paths, maxTargets)) {
    await checkTarget(path).catch((error: unknown) => {
      // One maintainer who has let his signature expire must not stop everybody else.
      if (!isExpiredOwner(error)) throw error
    })
  }
}

/** What it costs to know is what the changed roles hold. */
async function listChangedTargets(
  edges: readonly RoleEdge[],
  { floors }: ReturningState,
  source: RepositorySource,
): Promise<string[]> {
  const paths = new Set<string>()
  for (const { role, load } of edges) {
    const seen = floors.versions.get(role) ?? 0
    for (const path of await findChangedTargets(role, await load(), seen, source)) paths.add(path)
  }
  return [...paths]
}

export async function readFirstRoot({ tree }: Pick<Mirror, 'tree'>): Promise<Bytes> {
  const path = metadataPath('root', 1)
  const bytes = await tree.read(path)
  if (bytes !== undefined) return bytes
  throw new StorageError('STORAGE_FAILED', `${path} is missing in ${tree.folder}`, {
    role: 'root',
    next: 'Put it back from a client, which has it pinned: new clients start from it.',
  })
}

function isExpiredOwner(error: unknown): boolean {
  return (
    error instanceof VerifyError &&
    error.code === 'EXPIRED' &&
    error.facts.role?.startsWith('owner-') === true
  )
}

function throwAgain(error: unknown): never {
  throw error
}

/** The same failure as what it is here: of the tree, before anybody has seen it. */
function explainRefusal(error: unknown, { directory }: Mirror): unknown {
  if (!isTufgateError(error)) return error
  const { facts } = error
  return new TufgateError(
    error.code,
    `Nothing was published, because clients would refuse it: ${error.message}`,
    {
      ...facts,
      next: `What was published before stays in force. Look at what is wrong with: tufgate mirror check ${directory} --full`,
      cause: error,
    },
  )
}
