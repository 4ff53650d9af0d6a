/**
 * A file for a client: only if a signed record lists its URL and policy allows it, and verified first,
 * always (product section 4). From the vault, or fetched, checked and then from the vault.
 */

import { DecisionError, RequestError, StorageError } from '../base/errors.ts'
import { findTrustWords, trustKindOf } from '../base/trust-words.ts'
import { decideFile, isMetadataOffered } from '../policy/decide.ts'
import type { ServedPath } from '../simple/record.ts'
import type { CoreMetadataCheck } from './core-metadata.ts'
import { describeExchange, isGone, isHead, type Exchange } from './exchange.ts'
import type { FileFetch, GatewayOps, RecordLookup, VerifiedFile } from './gateway.ts'
import { beginFile, endEmpty } from './respond.ts'
import type { Route } from './route.ts'
import { requireSignedSize, sendBytes, sendVerified } from './send-verified.ts'
import type { SendDependencies } from './send-verified.ts'
import { waitFor } from './timer.ts'
import { requireContinues, runTrickle, type TrickleTimings } from './trickle.ts'

export interface ReleaseDependencies extends SendDependencies {
  readonly ops: GatewayOps
  readonly timings: TrickleTimings
  readonly coreMetadata: CoreMetadataCheck
}

type FileRoute = Extract<Route, { kind: 'file' }>
/** The project whose record is to list it, and where. */
type FilePlace = Pick<FileRoute, 'project' | 'path'>

export async function releaseFile(
  exchange: Exchange,
  route: FileRoute,
  dependencies: ReleaseDependencies,
): Promise<void> {
  const served = await requireServed(exchange, route, dependencies.ops)
  return releaseServed(exchange, route.project, served, dependencies)
}

/** For what `requireServed` gave. */
export async function releaseServed(
  exchange: Exchange,
  project: string,
  served: ServedPath,
  dependencies: ReleaseDependencies,
): Promise<void> {
  const stored = await dependencies.ops.openVerified(served.sha256)
  if (stored !== undefined) return sendStored(exchange, served, stored, dependencies)
  const fetching = dependencies.ops.download(project, served)
  // Each wait below sees a failure; between two of them it must not count as unhandled.
  fetching.done.catch(() => undefined)
  return sendFetched(exchange, served, fetching, dependencies)
}

/** Throws RequestError NOT_FOUND, DecisionError, and what `findRecord` throws. */
export async function requireServed(
  { subject }: Exchange,
  { project, path }: FilePlace,
  ops: GatewayOps,
): Promise<ServedPath> {
  const found = await findListing({ project, path }, ops)
  subject.trust = found.trust
  const words = findTrustWords(trustKindOf(found.trust))
  if (found.kind === 'absent') throw new RequestError('NOT_FOUND', words.absent(project))
  subject.recordDigest = found.digest
  const served = found.record.byPath.get(path)
  if (served === undefined) {
    throw new RequestError('NOT_FOUND', `${words.record(project)} lists no such file`, {
      next: 'follow the links of the project page; old lock files may name other URLs',
    })
  }
  subject.expected = `sha256:${served.sha256}`
  // PEP 792: of a quarantined project no files are offered, to lock files neither.
  if (found.record.status?.status === 'quarantined') {
    throw new DecisionError('REMOVED', `the index has put project ${project} into quarantine`)
  }
  requirePolicy(project, served, ops)
  return ops.requireFile(project, served)
}

/** A lock file may name what is newer than the last look: then it is worth the wait of a page. */
export async function findListing(
  { project, path }: FilePlace,
  ops: GatewayOps,
): Promise<RecordLookup> {
  const found = await ops.findRecord(project, 'file')
  const isListed = found.kind === 'absent' || found.record.byPath.has(path)
  return isListed ? found : ops.findRecord(project, 'page')
}

function requirePolicy(project: string, { file, kind }: ServedPath, ops: GatewayOps): void {
  const policy = ops.policyOf(project)
  const decision = decideFile(policy, project, file, ops.now())
  if (decision.kind !== 'keep') {
    const { code, reason, expected, found } = decision
    throw new DecisionError(code, reason, {
      ...(expected !== undefined && { expected }),
      ...(found !== undefined && { found }),
    })
  }
  // Pages do not offer it: what a file demands is read in the file itself.
  if (kind === 'file' || isMetadataOffered(policy)) return
  const name = `${file.filename}.metadata`
  if (policy.pins !== undefined) {
    throw new DecisionError('NOT_PINNED', `${name} is not in the pins file ${policy.pins.source}`)
  }
  throw new DecisionError(
    'DENIED',
    `${name} is not offered: core-metadata = false in the settings`,
    {
      next: 'ask for the wheel: its METADATA says the same',
    },
  )
}

async function sendStored(
  exchange: Exchange,
  served: ServedPath,
  file: VerifiedFile,
  dependencies: ReleaseDependencies,
): Promise<void> {
  try {
    requireSignedSize(file, served.size)
    await dependencies.coreMetadata.requireAgreement(exchange, served, file)
    await sendVerified(exchange, file, dependencies)
  } finally {
    await file.close()
  }
}

async function sendFetched(
  exchange: Exchange,
  served: ServedPath,
  fetching: FileFetch,
  dependencies: ReleaseDependencies,
): Promise<void> {
  const { ops, timings } = dependencies
  const { startTimer } = exchange.patience
  const closed = watchClose(exchange)
  const { holdForMs } = timings
  const waited = await waitFor({ done: fetching.done, closed, ms: holdForMs, startTimer })
  if (waited === 'closed') return noteLeft(exchange, dependencies)
  if (waited === 'done') {
    return sendStored(exchange, served, await requireStored(ops, served), dependencies)
  }
  if (isHead(exchange)) return answerHeadEarly(exchange, served, dependencies)
  const input = { fetching, signedSize: served.size, closed, timings }
  const begun = await runTrickle(exchange, input)
  // The fetch goes on without this client: it ends in the vault.
  if (begun === 'closed') return noteLeft(exchange, dependencies)
  const file = await requireStored(ops, served)
  if (begun === 'verified') return sendStored(exchange, served, file, dependencies)
  try {
    requireSignedSize(file, served.size)
    await dependencies.coreMetadata.requireAgreement(exchange, served, file)
    await requireContinues(begun, file)
    const stretch = { file, start: begun.sent.length, end: file.size - 1, begin: () => undefined }
    await sendBytes(exchange, stretch, dependencies)
  } finally {
    await file.close()
  }
}

async function requireStored(ops: GatewayOps, { sha256 }: ServedPath): Promise<VerifiedFile> {
  const file = await ops.openVerified(sha256)
  if (file !== undefined) return file
  throw new StorageError('STORAGE_FAILED', `the file ${sha256} was stored and is gone again`, {
    next: 'make the vault larger, and let nothing else delete from it',
  })
}

/**
 * HEAD waits as long as GET does. Then it is answered with what is signed and nothing that was fetched:
 * no ETag, no ranges, and no length where the record has none. Whether the file is the right one is
 * decided when it is asked for.
 */
async function answerHeadEarly(
  exchange: Exchange,
  served: ServedPath,
  { log, now }: SendDependencies,
): Promise<void> {
  const message = findTrustWords(trustKindOf(exchange.subject.trust ?? {})).earlyHead
  await log.requireWritten(describeExchange(exchange, 'page', now(), { message, bytes: 0 }))
  beginFile(exchange, 200, [], served.size)
  endEmpty(exchange)
}

async function noteLeft(exchange: Exchange, { log, now }: SendDependencies): Promise<void> {
  const message = 'the client left before the file was checked'
  await log.note(describeExchange(exchange, 'warning', now(), { message }))
}

async function watchClose(exchange: Exchange): Promise<void> {
  if (isGone(exchange)) return
  await new Promise<void>((resolve) => void exchange.response.once('close', () => resolve()))
}
