/**
 * The indexes of the settings with what all of them share: outgoing HTTP, the vault, downloads. The proxy
 * adds its audit log and listens; a command that only reads has `openReading`.
 */

import type { Clock } from '../../base/clock.ts'
import type { Environment } from '../../base/environment.ts'
import { ConfigError } from '../../base/errors.ts'
import { Downloads, type DownloadLimits } from '../../client/download.ts'
import type { RepositoryEvent } from '../../client/repository.ts'
import { findStateHome } from '../../store/state-directory.ts'
import { Vault } from '../../store/vault.ts'
import { HttpClient, type HttpLimits } from '../../upstream/http-client.ts'
import { createContentStore } from './content-store.ts'
import type { OpenIndexes } from './gateway-ops.ts'
import type { Log } from '../logger.ts'
import {
  openIndex,
  openIndexState,
  type IndexContext,
  type IndexState,
  type OpenIndex,
} from './open-index.ts'
import type { Settings } from '../settings.ts'
import { userAgent } from '../version.ts'

interface OpenOptions {
  readonly settings: Settings
  readonly log: Log
  readonly clock: Clock
  readonly environment: Environment
  /** One signed list for all requests. */
  readonly hold?: boolean
}

export type IndexStates = readonly [IndexState, ...IndexState[]]

export function createIndexContext(options: OpenOptions): IndexContext {
  const { settings, log, clock, environment, hold = false } = options
  const http = new HttpClient({ userAgent, environment, limits: httpLimitsOf(settings), clock })
  const stateHome = settings['state-dir'] ?? findStateHome(environment)
  const warn = (message: string): void => log('warning', message)
  return { settings, stateHome, http, clock, environment, log, warn, hold }
}

export async function openStates(context: IndexContext): Promise<IndexStates> {
  const states: IndexState[] = []
  // In order: what is wrong with the first one is said first.
  for (const index of context.settings.index) states.push(await openIndexState(index, context))
  const [first, ...others] = states
  if (first === undefined) throw new ConfigError('CONFIG_INVALID', 'The settings name no index.')
  return [first, ...others]
}

/** It stands in the state folder of the first index. */
export function openVault([{ directory }]: IndexStates, context: IndexContext): Promise<Vault> {
  return Vault.open(directory.vault, {
    maxBytes: context.settings.vault['max-size'],
    onWarning: context.warn,
  })
}

export function openDownloads(vault: Vault, { http, settings, clock }: IndexContext): Downloads {
  const download: HttpClient['download'] = (url, sink, request) => http.download(url, sink, request)
  return new Downloads({ vault, clock, download }, downloadLimitsOf(settings))
}

/** What happens to the repository of an index is told to whoever opens it. */
export type CreateReport = (state: IndexState) => (event: RepositoryEvent) => void

export async function openIndexes(
  [first, ...others]: IndexStates,
  vault: Vault,
  context: IndexContext,
  createReport: CreateReport,
): Promise<OpenIndexes> {
  const content = createContentStore(vault, context.warn)
  const open = (state: IndexState): Promise<OpenIndex> =>
    openIndex(state, content, context, createReport(state))
  return [await open(first), ...(await Promise.all(others.map(open)))]
}

function httpLimitsOf({ limits }: Settings): Partial<HttpLimits> {
  return {
    connectTimeoutMs: limits.connect,
    idleTimeoutMs: limits.idle,
    headersTimeoutMs: limits.idle,
    maxRedirects: limits.redirects,
    minBytesPerSecond: limits['min-rate'],
    throughputWindowMs: limits['min-rate-over'],
  }
}

function downloadLimitsOf({ limits }: Settings): Partial<DownloadLimits> {
  return {
    maxFileBytes: limits.file,
    maxUnsizedFileBytes: limits['unsized-file'],
    maxMetadataBytes: limits['metadata-file'],
    maxConcurrent: limits.downloads,
  }
}
