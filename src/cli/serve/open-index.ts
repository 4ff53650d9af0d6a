/** One index of the settings, opened: its trusted state on disk, its mirrors, its rules. */

import { readFileSync, realpathSync } from 'node:fs'
import { join, resolve, sep } from 'node:path'
import { toPrintable, type Bytes } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import { sha256Hex } from '../../base/digest.ts'
import type { Environment } from '../../base/environment.ts'
import { ConfigError, VerifyError } from '../../base/errors.ts'
import type { TrustKind } from '../../base/trust-words.ts'
import type { ContentStore } from '../../client/record-loader.ts'
import {
  Repository,
  type FoundRecord,
  type RepositoryEvent,
  type RepositoryOptions,
} from '../../client/repository.ts'
import type { RepositorySource } from '../../client/repository-source.ts'
import { requireSuccessor } from '../../client/root-succession.ts'
import { createTrustStorage } from '../../client/trust-storage.ts'
import { recordTarget } from '../../mirror/tree-layout.ts'
import type { FirstUse } from '../../notary/first-use.ts'
import type { Policy } from '../../policy/decide.ts'
import type { TrustSummary } from '../../proxy/gateway.ts'
import type { ServedPath } from '../../simple/record.ts'
import { FloorStore, type Contact } from '../../store/floors.ts'
import { openFolderSource } from '../../store/folder-source.ts'
import { MetadataDirectory } from '../../store/metadata-directory.ts'
import { openStateDirectory, type StateDirectory } from '../../store/state-directory.ts'
import { describeErrno } from '../../store/storage-error.ts'
import { joinFloors, noFloors } from '../../tuf/floors.ts'
import { floorsOf } from '../../tuf/trust-statement.ts'
import { trustRoot } from '../../tuf/trusted-set.ts'
import type { RefreshLimits } from '../../tuf/update.ts'
import type { HttpClient } from '../../upstream/http-client.ts'
import { IndexHosts } from '../../upstream/index-hosts.ts'
import { createMirrorSource } from '../../upstream/mirror-source.ts'
import { isHttpUrl } from '../location.ts'
import { matchProjects } from '../match-projects.ts'
import { requireMirrorLocations } from '../mirror-location.ts'
import type { Log } from '../logger.ts'
import type { OpenedNotary } from './open-notary.ts'
import { readCredentials } from '../read-credentials.ts'
import { readPolicy, warnIfOtherPins } from './read-policy.ts'
import { readStatement } from './read-statement.ts'
import {
  isMirrored,
  type IndexSettings,
  type MirroredIndexSettings,
  type Settings,
} from '../settings.ts'

/** A request waits this long for a newer list while an unexpired one is there. */
const patienceMs = 3000
const recheckAfterMs = 5 * 60_000
const retryAfterMs = 5000

export interface IndexContext {
  readonly settings: Settings
  readonly stateHome: string
  readonly http: HttpClient
  readonly clock: Clock
  /** Where credentials are looked up; the process's own by default. */
  readonly environment?: Environment
  /** An index without a mirror has more to tell than warnings. */
  readonly log?: Log
  /** One signed list for all requests; what is seen first has none that could be held. */
  readonly hold?: boolean
  readonly warn: (message: string) => void
}

/** Before the vault is open: it stands in the state folder of the first index. */
export interface IndexState {
  readonly settings: IndexSettings
  readonly policy: Policy
  readonly pinnedRoot: Bytes
  /** The file that it came from. */
  readonly rootName: string
  readonly rootSha256: string
  readonly directory: StateDirectory
  /** With its credentials. */
  readonly hosts: IndexHosts
  /** Where no mirror signs. */
  readonly opened?: OpenedNotary
}

export interface OpenIndex {
  readonly name: string
  readonly url: string
  /** Claims names by `projects`: what it does not list must not come from elsewhere. */
  readonly isExplicit: boolean
  readonly hosts: IndexHosts
  readonly rootSha256: string
  readonly contact: Contact
  /** The file that no list may be older than. */
  readonly floor?: string
  readonly trustKind: TrustKind
  /** As it is now. */
  readonly trust: TrustSummary
  readonly policy: Policy
  readonly repository: Repository
  /** Where no mirror signs. */
  readonly opened?: OpenedNotary & { readonly firstUse: FirstUse }
  owns(project: string): boolean
  /** `undefined` where there is no such project. For a file nobody waits for a newer record. */
  findRecord(project: string, purpose: 'page' | 'file'): Promise<FoundRecord | undefined>
  /** The file as it may be delivered. Throws where it must be signed by itself, and is not so. */
  requireFile(project: string, served: ServedPath): Promise<ServedPath>
  /** Throws where nothing may be served now. */
  requireReady(): Promise<void>
  close(): Promise<void>
}

export async function openIndexState(
  index: IndexSettings,
  context: IndexContext,
): Promise<IndexState> {
  // First: with a pins file that cannot be read nothing is to be made or kept.
  const policy = readPolicy(context.settings, index)
  warnIfOtherPins(policy, index.url, context.warn)
  const hosts = await openHosts(index, context)
  const opened = isMirrored(index) ? undefined : await openOwnNotary(index, hosts, context)
  const rootName = opened?.place.rootPath ?? index.root ?? ''
  const pinnedRoot = readRoot(index.name, rootName, context.settings.limits.root)
  const rootSha256 = sha256Hex(pinnedRoot)
  requireRoot(rootName, pinnedRoot)
  if (isMirrored(index)) {
    requireMirrorLocations(index, context.warn)
    warnIfMirrorWritesRoot(index, context.warn)
  }
  const path = realpathSync(rootName)
  const directory = await openStateDirectory(context.stateHome, { path, sha256: rootSha256 })
  const state = { settings: index, policy, pinnedRoot, rootName, rootSha256, directory, hosts }
  return opened === undefined ? state : { ...state, opened }
}

/** Loaded where there is no mirror alone: it is a mirror itself, and the most of this program. */
async function openOwnNotary(
  index: IndexSettings,
  hosts: IndexHosts,
  context: IndexContext,
): Promise<OpenedNotary> {
  const { openNotary } = await import('./open-notary.ts')
  return openNotary(index, hosts, context)
}

async function openHosts(index: IndexSettings, { environment }: IndexContext): Promise<IndexHosts> {
  const label = `index ${index.name}`
  const credentials = await readCredentials({ ...index, label }, environment)
  return IndexHosts.open(index.url, index['file-hosts'], { credentials })
}

export async function openIndex(
  state: IndexState,
  content: ContentStore,
  context: IndexContext,
  report: (event: RepositoryEvent) => void,
): Promise<OpenIndex> {
  const { warn, clock } = context
  const { settings: index, opened } = state
  const metadata = await MetadataDirectory.open(state.directory.metadata, { onWarning: warn })
  const floors = FloorStore.open(state.directory.floors, { onDamaged: warn })
  await inheritFloors(state, floors, context)
  raiseToGivenFloor(state, floors)
  await opened?.notary.outrun(floors.read().versions)
  const storage = createTrustStorage(metadata, floors, refreshLimitsOf(context.settings))
  const repository = await openRepository(state, { storage, content, report }, context)
  const firstUse = opened && (await openFirstUse(opened, repository, clock))
  const kind = firstUse === undefined ? 'signed' : 'first-use'
  const mark = firstUse === undefined ? {} : { firstUse: true }
  return {
    name: index.name,
    url: index.url,
    isExplicit: index.projects !== undefined,
    hosts: state.hosts,
    rootSha256: state.rootSha256,
    contact: floors.contact,
    ...(index.floor !== undefined && { floor: index.floor }),
    trustKind: kind,
    get trust() {
      return { ...repository.trust, ...mark }
    },
    policy: state.policy,
    repository,
    ...(opened !== undefined && firstUse !== undefined && { opened: { ...opened, firstUse } }),
    owns: matchProjects(index.projects),
    findRecord: async (project, purpose) => {
      const found = await (firstUse?.findRecord(project, purpose) ?? repository.findRecord(project))
      return found && { ...found, trust: { ...found.trust, ...mark } }
    },
    requireFile: async (project, served) =>
      // A `.metadata` file is bound by the record alone (PEP 658).
      index['require-signed-files'] && served.kind === 'file'
        ? repository.requireSignedFile(project, served)
        : served,
    requireReady: async () => {
      // Without a mirror the list is made of what is asked for: there is nothing to wait for.
      if (firstUse === undefined) await repository.requireFresh()
    },
    close: async () => {
      await opened?.notary.close()
      floors.close()
    },
  }
}

async function openFirstUse(
  { notary, place }: OpenedNotary,
  repository: Repository,
  clock: Clock,
): Promise<FirstUse> {
  const { FirstUse } = await import('../../notary/first-use.ts')
  return new FirstUse({ index: place.index, folder: place.path, notary, repository, clock })
}

type RepositoryParts = Pick<RepositoryOptions, 'storage' | 'content' | 'report'>

function openRepository(
  { settings: index, pinnedRoot, rootName, opened }: IndexState,
  parts: RepositoryParts,
  { settings, http, clock, hold }: IndexContext,
): Promise<Repository> {
  const locations = opened === undefined ? (index.mirror ?? []) : [opened.place.publicFolder]
  return Repository.open({
    ...parts,
    pinnedRoot,
    pinnedRootName: rootName,
    sources: locations.map((location) => openSource(location, http)),
    recordPath: opened === undefined ? index['record-path'] : recordTarget('{project}'),
    timing: {
      refreshMs: settings.refresh,
      recheckMs: recheckAfterMs,
      patienceMs,
      retryMs: retryAfterMs,
    },
    maxUnseenMs: settings['max-unseen'],
    limits: refreshLimitsOf(settings),
    maxRecordBytes: settings.limits.record,
    maxDelegations: settings.limits.delegations,
    holdsSnapshot: hold === true && opened === undefined,
    clock,
  })
}

/** Another root under the same name: it must descend from the one before, and keeps its floors. */
async function inheritFloors(
  { directory, pinnedRoot, rootName: root }: IndexState,
  floors: FloorStore,
  { settings: { limits }, warn }: IndexContext,
): Promise<void> {
  const { previous } = directory
  if (previous === undefined) return
  const earlier = await MetadataDirectory.open(join(previous.path, 'metadata'), { onWarning: warn })
  const { rootSha256 } = previous
  const readEarlier = (version: number): Promise<Bytes | undefined> =>
    earlier.readRoot(version, limits.root)
  const before = FloorStore.open(join(previous.path, 'floors.db'), { onDamaged: warn })
  try {
    const pin = { rootSha256, readRoot: readEarlier, floors: before.read() }
    const inherited = await requireSuccessor(pin, pinnedRoot)
    // The new root may have been pinned before, for another index, and be further.
    floors.raise(joinFloors(floors.read(), inherited), () => undefined)
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error
    throw new VerifyError(error.code, `${root}: ${error.message}`, {
      ...error.facts,
      cause: error,
      next: `Find out who changed ${root}. If it was you, and the new one is right: ${directory.forgetCommand}`,
    })
  } finally {
    before.close()
  }
  await directory.rememberRoot()
}

/** A new client has nothing to compare with: it takes what the operator gives it, as it takes the root. */
function raiseToGivenFloor({ settings, rootSha256 }: IndexState, floors: FloorStore): void {
  if (settings.floor === undefined) return
  const statement = readStatement(settings.floor)
  if (statement.root !== rootSha256)
    throw new ConfigError(
      'CONFIG_INVALID',
      `${toPrintable(settings.floor, 500)}, the floor of index ${settings.name}, is of another root.`,
      {
        expected: rootSha256,
        found: statement.root,
        next: 'Give the root and the floor of one mirror: tufgate trust show --root 1.root.json -o FILE',
      },
    )
  floors.raise(joinFloors(floors.read(), floorsOf(statement)), () => undefined)
}

function readRoot(name: string, root: string, maxBytes: number): Bytes {
  try {
    const bytes = readFileSync(root)
    if (bytes.length <= maxBytes) return bytes
  } catch (error) {
    throw new ConfigError(
      'CONFIG_INVALID',
      `${root}, the pinned root of index ${name}, cannot be read: ${describeErrno(error)}`,
      {
        cause: error,
        next: 'Get 1.root.json from whoever runs the mirror, by a way that you trust, and give its path as root or --root.',
      },
    )
  }
  throw new ConfigError('CONFIG_INVALID', `${root} is too large for a root.`, {
    expected: `at most ${maxBytes} bytes`,
    next: 'Check that root or --root names the 1.root.json of the mirror.',
  })
}

/** Before anything is kept for it. */
function requireRoot(root: string, bytes: Bytes): void {
  try {
    trustRoot(bytes, noFloors)
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error
    throw new ConfigError('CONFIG_INVALID', `${root} cannot be pinned: ${error.message}`, {
      cause: error,
      next: 'Check that root or --root names the 1.root.json of the mirror, whole and unchanged.',
    })
  }
}

/** Whoever can write the mirror could then choose what is trusted. */
function warnIfMirrorWritesRoot(
  { root, mirror }: MirroredIndexSettings,
  warn: (message: string) => void,
): void {
  const inside = mirror
    .filter((location) => !isHttpUrl(location))
    .find((folder) => resolve(root).startsWith(resolve(folder) + sep))
  if (inside === undefined) return
  warn(
    `The pinned root ${root} lies in the mirror's own folder: whoever writes the mirror can replace it. Keep a copy elsewhere.`,
  )
}

export function openSource(location: string, http: HttpClient): RepositorySource {
  return isHttpUrl(location)
    ? createMirrorSource(http, location)
    : openFolderSource(resolve(location))
}

export function refreshLimitsOf({ limits }: Settings): RefreshLimits {
  return {
    maxRootBytes: limits.root,
    maxTimestampBytes: limits.timestamp,
    maxSnapshotBytes: limits.snapshot,
    maxTargetsBytes: limits.targets,
    maxRootUpdates: limits['root-updates'],
  }
}
