/** The composition root of `tufgate serve`: settings in, a running proxy out. */

import type { AuditEvent } from '../../audit/event.ts'
import { renderHead } from '../../audit/head.ts'
import { AuditLog } from '../../audit/log.ts'
import type { Clock } from '../../base/clock.ts'
import type { Environment } from '../../base/environment.ts'
import type { Authority } from '../../ca/authority.ts'
import { describeError, isTufgateError, UpstreamError, VerifyError } from '../../base/errors.ts'
import type { RepositoryEvent, TrustVersions } from '../../client/repository.ts'
import { startRecheck, type Recheck } from '../../notary/recheck.ts'
import type { GatewayOps } from '../../proxy/gateway.ts'
import type { HandlerOptions } from '../../proxy/handler.ts'
import { defaultLimits, startServer, type ListenAddress } from '../../proxy/server.ts'
import { currentOwner } from '../../store/process-owner.ts'
import { createFaultReport } from './fault-report.ts'
import { createForwardPort, requireOtherProxy } from './forward-ops.ts'
import { createGatewayOps, type OpenIndexes } from './gateway-ops.ts'
import {
  formatOrigin,
  isLoopback,
  parseListenAddress,
  requireOtherUpstream,
} from '../listen-address.ts'
import type { Log } from '../logger.ts'
import { MirrorNews } from './mirror-news.ts'
import type { IndexContext, IndexState, OpenIndex } from './open-index.ts'
import {
  createIndexContext,
  openDownloads,
  openIndexes,
  openStates,
  openVault,
  type CreateReport,
  type IndexStates,
} from './open-indexes.ts'
import { RefusalNotes } from './refusal-notes.ts'
import { describeFirstContact, toAuditEvent, toFirstUseEvent } from './repository-events.ts'
import type { Settings } from '../settings.ts'
import { formatFailure } from '../terminal.ts'
import { version } from '../version.ts'

/** A client that takes nothing for this long is gone; pip itself may pause for a while. */
const clientStallMs = 5 * 60_000
const dripEveryMs = 8000
const maxPageCacheBytes = 32 * 1024 ** 2

export interface ServeOptions {
  readonly settings: Settings
  readonly log: Log
  readonly clock: Clock
  readonly environment: Environment
  /** Before every path, where only one command is to use the proxy. */
  readonly accessToken?: string
  /** Who vouches for the hosts of indexes where TLS to them is ended here. Default: as the settings say. */
  readonly authority?: Authority
  /** The first verified list answers all of its requests (see `SnapshotHold`). */
  readonly hold?: boolean
}

export interface RunningProxy {
  /** `http://127.0.0.1:8642`, one for each address that is listened on. */
  readonly origins: readonly string[]
  readonly indexes: OpenIndexes
  /** Who vouches for the hosts of indexes where TLS to them is ended here. */
  readonly authority?: Authority
  readonly stateFolder: string
  /** Where its audit log is, and the chain that this process writes. */
  readonly audit: { readonly folder: string; readonly chain: string }
  /** Requests under way have 10 s to end. Gives the head of the audit log, `CHAIN:SEQ:DIGEST`. */
  stop(): Promise<string>
}

export async function startProxy(options: ServeOptions): Promise<RunningProxy> {
  const { settings, log, clock } = options
  const listen = parseListen(settings, log)
  requireOtherProxy(listen, options.environment)
  const context = createIndexContext(options)
  const authority = options.authority ?? (await findAuthority(context))
  const states = await openStates(context)
  const [{ directory }] = states
  const audit = await openAudit(directory.audit, settings, clock)
  try {
    return await openProxy({ options, listen, context, authority, states, audit })
  } catch (error) {
    await closeAfterFailure(audit, error)
    throw error
  }
}

interface ProxyParts {
  readonly options: ServeOptions
  readonly listen: readonly ListenAddress[]
  readonly context: IndexContext
  readonly authority: Authority | undefined
  readonly states: IndexStates
  readonly audit: AuditLog
}

async function openProxy(parts: ProxyParts): Promise<RunningProxy> {
  const { options, listen, context, authority, states, audit } = parts
  const { settings, log, clock } = options
  const [{ directory }] = states
  const vault = await openVault(states, context)
  const logs = { log, audit }
  const createReport: CreateReport = (state) => createEventReport(state, clock, logs)
  const indexes = await openIndexes(states, vault, context, createReport)
  for (const index of indexes) {
    if (index.trustKind === 'signed') await noteFirstContact(index, logs)
  }
  const downloads = openDownloads(vault, context)
  const append: AuditLog['append'] = (event) => audit.append(event)
  const notes = new RefusalNotes(log, clock)
  const shown = {
    audit: { folder: directory.audit, head: () => audit.head() },
    maxVaultBytes: settings.vault['max-size'],
  }
  const ops = createGatewayOps({ indexes, vault, downloads, append, notes, clock, ...shown })
  const ownPorts: number[] = []
  const forward = createForwardPort({
    indexes,
    settings,
    environment: options.environment,
    ownPorts: () => ownPorts,
    ...(authority !== undefined && { contextFor: (host) => authority.contextFor(host) }),
  })
  const server = await startServer({ ...handlerOptionsOf(options, ops), forward }, listen, {
    ...defaultLimits,
    maxConnections: settings.limits.connections,
    headerTimeMs: settings.limits['header-time'],
  })
  ownPorts.push(...server.addresses.map(({ port }) => port))
  // After whoever waits for this: a command that is wrapped starts meanwhile.
  setImmediate(() => prewarm(indexes, authority, log))
  const rechecks = startRechecks(indexes, log)
  return {
    origins: server.addresses.map(formatOrigin),
    indexes,
    ...(authority !== undefined && { authority }),
    stateFolder: directory.path,
    audit: { folder: directory.audit, chain: audit.head().chain },
    stop: async () => {
      await server.stop()
      await downloads.close()
      await closeIndexes(indexes, rechecks, context)
      await vault.close()
      await audit.close()
      return renderHead(audit.head())
    },
  }
}

/** A chain without a last line is taken for that of a process that was killed. */
async function closeAfterFailure(audit: AuditLog, error: unknown): Promise<void> {
  const code = isTufgateError(error) ? error.code : undefined
  const reason = { message: `did not start: ${describeError(error)}` }
  // Why it did not start is what has to be told, also where the log cannot be written.
  await audit.close({ ...reason, ...(code !== undefined && { code }) }).catch(() => undefined)
}

/** From which pages and files of the indexes come: `host` or `host:port`. */
export function listIndexHosts(indexes: OpenIndexes): readonly string[] {
  return [...new Set(indexes.flatMap(({ hosts }) => hosts.rules.names))]
}

async function closeIndexes(
  indexes: OpenIndexes,
  rechecks: readonly Recheck[],
  { http }: IndexContext,
): Promise<void> {
  const settled = indexes.map(({ repository }) => repository.settle())
  await http.close()
  await Promise.all(settled)
  for (const recheck of rechecks) await recheck.stop()
  for (const index of indexes) await index.close()
  for (const { opened } of indexes) opened?.news.tellCounts(opened.firstUse.counts)
}

/** Loaded only where it is wanted, and then before the start: one that is damaged is no matter for clients. */
async function findAuthority({
  settings,
  clock,
  stateHome,
}: IndexContext): Promise<Authority | undefined> {
  if (!settings.intercept.enabled) return undefined
  const { openAuthority } = await import('../ca/open-authority.ts')
  const authority = openAuthority({ settings, clock, stateHome })
  await authority.certificate()
  return authority
}

function handlerOptionsOf(
  { settings, log, clock, accessToken }: ServeOptions,
  ops: GatewayOps,
): HandlerOptions {
  return {
    ops,
    hosts: settings.hosts,
    ...(accessToken !== undefined && { accessToken }),
    timings: { holdForMs: settings['hold-for'], dripEveryMs },
    maxPageCacheBytes,
    maxTargetBytes: settings.limits['request-line'],
    clientStallMs,
    reportFault: createFaultReport(log, clock),
  }
}

function parseListen(settings: Settings, log: Log): ListenAddress[] {
  const listen = settings.listen.map(parseListenAddress)
  for (const index of settings.index) requireOtherUpstream(listen, index)
  for (const address of listen.filter((one) => !isLoopback(one))) {
    log(
      'warning',
      `Listening on ${formatOrigin(address)}: whoever reaches this address can use the proxy; there is no access control.${describeRelay(settings)}`,
    )
  }
  return listen
}

function describeRelay({ forward: { allow, 'remote-clients': isForAll } }: Settings): string {
  if (!isForAll || allow.length === 0) return ''
  return ` Through it they reach, unverified: ${allow.join(', ')} (remote-clients in [forward]).`
}

interface Logs {
  readonly log: Log
  readonly audit: AuditLog
}

function createEventReport(
  { settings: { name }, opened }: IndexState,
  clock: Clock,
  { log, audit }: Logs,
): (event: RepositoryEvent) => void {
  const append = (event: AuditEvent): void => {
    // Where the log cannot be written requests are refused; this line is told only here.
    audit.append(event).catch((error: unknown) => log('error', describeError(error)))
  }
  if (opened === undefined) {
    const news = new MirrorNews(name, log, clock)
    return (event) => {
      news.tell(event)
      append(toAuditEvent(name, event))
    }
  }
  opened.news.begin(async (event) => void (await audit.append(event)))
  let trust: TrustVersions = { root: 0 }
  return (event) => {
    const news = toFirstUseEvent(name, event, trust)
    trust = event.trust
    if (news === undefined) return
    if (news.kind === 'warning') log('warning', news.message ?? '')
    append(news)
  }
}

async function noteFirstContact({ name, contact }: OpenIndex, { log, audit }: Logs): Promise<void> {
  const message = describeFirstContact(contact)
  if (message === undefined) return
  await audit.append({ kind: 'warning', message: `${name}: ${message}` })
  // That there was nothing before is no news on standard error; that it is gone is.
  if (contact === 'lost') log('warning', `${name}: ${message}`)
}

function openAudit(directory: string, { audit }: Settings, clock: Clock): Promise<AuditLog> {
  return AuditLog.open(directory, {
    maxFileBytes: audit['max-file'],
    maxTotalBytes: audit['max-total'],
    clock,
    owner: currentOwner(),
    start: { message: `tufgate ${version}` },
  })
}

/** So that the first request does not wait: pip gives its own update check 5 s. */
function prewarm(indexes: OpenIndexes, authority: Authority | undefined, log: Log): void {
  if (authority !== undefined) prepareLeaves(authority, log)
  for (const { name, repository, trustKind } of indexes) {
    // What the notary has is made when it is asked for.
    if (trustKind === 'first-use' || repository.isSettling) continue
    repository.refresh().catch((error: unknown) => {
      // What each mirror failed with has been said already; a fault of our own has not.
      const isSaid = error instanceof VerifyError || error instanceof UpstreamError
      if (!isSaid) log('error', `${name}: ${formatFailure(error)}`)
      if (repository.isSettling || repository.isUsable()) return
      const until =
        error instanceof UpstreamError ? 'until a mirror answers' : 'until the reason above is gone'
      log('warning', `${name}: NO SIGNED LIST: every page is refused ${until}`)
    })
  }
}

/** So that the first client does not wait for the library that makes certificates to be loaded. */
function prepareLeaves(authority: Authority, log: Log): void {
  for (const { name } of authority.hosts) {
    authority.contextFor(name).catch((error: unknown) => log('error', formatFailure(error)))
  }
}

/** Where no mirror looks at the index in the background, the proxy does. */
function startRechecks(indexes: OpenIndexes, log: Log): Recheck[] {
  return indexes.flatMap(({ name, opened }) => {
    if (opened === undefined) return []
    const reportFault = (message: string): void => log('warning', `${name}: ${message}`)
    return [startRecheck(opened.notary, { reportFault })]
  })
}
