/**
 * The proxy in the background, as its own process sees it: it starts, tells the command that started it
 * when it is ready, or why it is not, and serves until it is stopped. Without that command's last word it
 * ends: nobody would know of it.
 */

import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { renderHead } from '../../audit/head.ts'
import { verifyAudit } from '../../audit/verifier.ts'
import { encodeHex } from '../../base/bytes.ts'
import type { Authority } from '../../ca/authority.ts'
import { formatSpan } from '../../base/clock.ts'
import { createRandomBytes } from '../../base/digest.ts'
import { UpstreamError } from '../../base/errors.ts'
import { currentOwner } from '../../store/process-owner.ts'
import { createLog } from '../logger.ts'
import type { OpenIndex } from '../serve/open-index.ts'
import { findCredentialVariables } from '../read-credentials.ts'
import { readSettings } from '../read-settings.ts'
import { formatTrust } from '../serve/repository-events.ts'
import { listIndexHosts, startProxy, type RunningProxy } from '../serve/serve.ts'
import { announce, type ServeFlags } from '../serve/serve-command.ts'
import type { Settings } from '../settings.ts'
import type { Sidecar } from './sidecar-file.ts'
import { exitCodeOf, formatFailure, say } from '../terminal.ts'
import { waitForSignal } from '../wait-for-signal.ts'

export type SidecarAnswer =
  | { readonly kind: 'ready'; readonly sidecar: Sidecar; readonly indexes: readonly string[] }
  | { readonly kind: 'failed'; readonly text: string; readonly exitCode: number }

export interface SidecarServeFlags extends ServeFlags {
  /** By an authority that lives in the memory of this process alone. */
  readonly intercept?: boolean
}

const retryMs = 250

/** Only in a process that was started for it: there the answer has somebody to read it. */
export async function runSidecar(flags: SidecarServeFlags, timeoutMs: number): Promise<number> {
  const orphaned = once(process, 'disconnect').then(() => 'orphaned')
  const kept = once(process, 'message').then(() => 'kept')
  try {
    const token = encodeHex(createRandomBytes(16))
    const settings = readSidecarSettings(flags)
    const proxy = await start(settings, flags, token)
    const signalled = waitForSignal()
    const patience = { deadline: Date.now() + timeoutMs }
    try {
      await Promise.race([waitUntilReady(proxy.indexes, patience), orphaned, signalled])
      await answer(await describeReady(proxy, settings, token))
      if ((await Promise.race([kept, orphaned, signalled])) === 'kept') await signalled
    } finally {
      patience.deadline = 0
      await stop(proxy)
    }
    return 0
  } catch (error) {
    await answer({ kind: 'failed', text: formatFailure(error), exitCode: exitCodeOf(error) })
    throw error
  }
}

function readSidecarSettings({
  config,
  intercept: _intercept,
  ...flags
}: SidecarServeFlags): Settings {
  return readSettings(config, { ...flags, listen: flags.listen ?? ['127.0.0.1:0'] })
}

async function start(
  settings: Settings,
  { intercept }: SidecarServeFlags,
  accessToken: string,
): Promise<RunningProxy> {
  const log = createLog(settings['log-level'], Date.now)
  const options = { settings, log, clock: Date.now, environment: process.env, accessToken }
  const authority = intercept === true ? await createAuthority(settings) : undefined
  const proxy = await startProxy({ ...options, ...(authority !== undefined && { authority }) })
  announce(proxy)
  return proxy
}

/** Loaded only where it is wanted. */
async function createAuthority(settings: Settings): Promise<Authority> {
  const { startInterception } = await import('./run-interception.ts')
  const { authority } = await startInterception(settings)
  return authority
}

interface Patience {
  /** Milliseconds. */
  deadline: number
}

/** Where there is no mirror the list is made of what is asked for: it is ready at once. */
async function waitUntilReady(indexes: readonly OpenIndex[], patience: Patience): Promise<void> {
  for (const index of indexes) {
    while (!(await isReady(index, patience))) await sleep(retryMs)
  }
}

/** Who does not answer yet may do so before the deadline; what does not verify stays so. */
async function isReady(index: OpenIndex, { deadline }: Patience): Promise<boolean> {
  try {
    await index.requireReady()
    return true
  } catch (error) {
    if (error instanceof UpstreamError && Date.now() < deadline) return false
    throw error
  }
}

async function describeReady(
  proxy: RunningProxy,
  settings: Settings,
  token: string,
): Promise<SidecarAnswer> {
  const { origins, audit, indexes } = proxy
  const certificate = await proxy.authority?.certificate()
  const { chains } = await verifyAudit(audit.folder, { ...audit, isAlive: () => true })
  const [only] = chains
  const [origin = ''] = origins
  return {
    kind: 'ready',
    sidecar: {
      owner: currentOwner().id,
      origin,
      token,
      audit: { folder: audit.folder, chain: audit.chain },
      head: only === undefined ? '' : renderHead(only.head),
      startedAt: Date.now(),
      ...(certificate !== undefined && { certificate }),
      secrets: findCredentialVariables(settings.index),
      indexHosts: listIndexHosts(indexes),
    },
    indexes: indexes.map(describeIndex),
  }
}

function describeIndex({ name, url, trustKind, trust }: OpenIndex): string {
  const list =
    trustKind === 'first-use'
      ? 'trust on first use: nobody vouches for what is seen for the first time'
      : `signed list: ${formatTrust(trust)}`
  return `${name}: ${url} (${list})`
}

async function stop(proxy: RunningProxy): Promise<void> {
  const began = Date.now()
  const head = await proxy.stop()
  say(`stopped after ${formatSpan(Date.now() - began)}`)
  say(`audit log head ${head}`)
}

/** Whoever asked may be gone. */
function answer(message: SidecarAnswer): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve()
    else process.send(message, undefined, undefined, () => resolve())
  })
}
