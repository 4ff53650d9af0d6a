/** `tufgate start`: a proxy in the background, for the steps of a pipeline. One of each name. */

import { toPrintable } from '../../base/bytes.ts'
import { formatUtcSeconds } from '../../base/clock.ts'
import { ConfigError, describeError } from '../../base/errors.ts'
import { quoteShell } from '../../base/quote-shell.ts'
import { toInertLine } from '../../report/inert-line.ts'
import { acquireLock, type Lock } from '../../store/lock.ts'
import { findProcess } from '../../store/process-owner.ts'
import { openPrivateFolder } from '../../store/state-directory.ts'
import { requireLoopback } from '../listen-address.ts'
import { readSettings } from '../read-settings.ts'
import { runSidecar, type SidecarServeFlags } from './sidecar-child.ts'
import {
  findSidecar,
  findSidecarPlace,
  writeSidecar,
  type Sidecar,
  type SidecarFlags,
  type SidecarPlace,
} from './sidecar-file.ts'
import { launchSidecar, type LaunchedSidecar } from './sidecar-launch.ts'
import { note, paint, say, sayJson } from '../terminal.ts'
import { durationWords, parseDuration } from '../units.ts'
import { version } from '../version.ts'
import { join } from 'node:path'

export interface StartFlags extends SidecarServeFlags, Pick<SidecarFlags, 'name'> {
  readonly timeout?: string
  readonly json?: boolean
  /** This is the process in the background itself. */
  readonly background?: boolean
}

const defaultTimeout = '60s'

export async function runStart(flags: StartFlags): Promise<number> {
  const { name: _name, timeout, json, background, ...serveFlags } = flags
  const timeoutMs = requireTimeout(timeout ?? defaultTimeout)
  if (background === true) return runSidecar(serveFlags, timeoutMs)
  const { config, intercept: _intercept, ...overrides } = serveFlags
  // What is wrong with them is said before anything is made.
  requireLoopback(overrides.listen ?? [])
  readSettings(config, overrides)
  const place = findSidecarPlace(flags)
  const lock = lockPlace(place)
  try {
    refuseIfThere(place)
    const launched = await launchSidecar(place, argumentsOfChild(), timeoutMs)
    const { answer } = launched
    if (answer.kind === 'failed') return await giveUp(launched, answer, place)
    await keep(launched, answer.sidecar, place)
    if (json === true) sayJson(describe(answer.sidecar, place))
    else announce(answer, place)
    return 0
  } finally {
    lock.release()
  }
}

/** As they were given: whoever adds an option to the proxy need not think of this. */
function argumentsOfChild(): string[] {
  const [, , command = 'start', ...rest] = process.argv
  return [command, '--background', ...rest]
}

function requireTimeout(text: string): number {
  const timeoutMs = parseDuration(text)
  if (timeoutMs !== undefined) return timeoutMs
  throw new ConfigError('CONFIG_INVALID', `--timeout: "${toPrintable(text)}" is not a duration.`, {
    expected: durationWords,
  })
}

function lockPlace({ folder, folders }: SidecarPlace): Lock {
  for (const path of folders) openPrivateFolder(path)
  return acquireLock(join(folder, 'start.lock'))
}

/** What a dead process has left is replaced. */
function refuseIfThere(place: SidecarPlace): void {
  const sidecar = findSidecar(place)
  if (sidecar === undefined) return
  const { pid, state } = findProcess(sidecar.owner)
  const since = `since ${formatUtcSeconds(sidecar.startedAt)}`
  if (state === 'alive') {
    throw new ConfigError(
      'CONFIG_INVALID',
      `The proxy "${place.name}" runs already: process ${pid}, ${sidecar.origin}, ${since}.`,
      {
        next: `Use it: tufgate env${place.flags}; end it: tufgate stop${place.flags}; or start another one with --name.`,
      },
    )
  }
  if (state === 'elsewhere') {
    throw new ConfigError(
      'CONFIG_INVALID',
      `The proxy "${place.name}" was started in another container, ${since}: whether it runs cannot be seen from here.`,
      { next: `If it is gone: rm ${quoteShell(place.file)}; or start another one with --name.` },
    )
  }
  note(
    `The proxy "${place.name}" of ${formatUtcSeconds(sidecar.startedAt)} has ended without tufgate stop; it is replaced. Its audit log: ${sidecar.audit.folder}`,
  )
}

async function giveUp(
  launched: LaunchedSidecar,
  { text, exitCode }: { readonly text: string; readonly exitCode: number },
  { log }: SidecarPlace,
): Promise<number> {
  await launched.drop()
  const lines = text.split('\n').map((line) => toInertLine(line, 1000))
  note(`${paint('red', 'tufgate:')} it did not start: ${lines.join('\n')}`)
  note(`  Nothing runs in the background. Its output: cat ${quoteShell(log)}`)
  return exitCode
}

/** The file first: of a process that lives on somebody must know. */
async function keep(
  launched: LaunchedSidecar,
  sidecar: Sidecar,
  place: SidecarPlace,
): Promise<void> {
  try {
    await writeSidecar(place, sidecar)
    await launched.keep()
  } catch (error) {
    await launched.drop()
    throw new ConfigError(
      'CONFIG_INVALID',
      `The proxy could not be kept: ${describeError(error)}`,
      {
        next: `Look at ${place.folder}`,
        cause: error,
      },
    )
  }
}

function describe({ owner, origin, audit, head }: Sidecar, { name, log }: SidecarPlace): object {
  const { pid } = findProcess(owner)
  // Without the token: this may stand in the log of a pipeline.
  return { name, pid, port: Number(new URL(origin).port), origin, audit, head, log }
}

function announce(
  { sidecar, indexes }: { readonly sidecar: Sidecar; readonly indexes: readonly string[] },
  { name, log, flags }: SidecarPlace,
): void {
  const { pid } = findProcess(sidecar.owner)
  const called = name === 'default' ? '' : ` "${name}"`
  say(`tufgate ${version}: the proxy${called} is ready: process ${pid}, ${sidecar.origin}`)
  for (const index of indexes) say(`  index ${toPrintable(index, 400)}`)
  say(`  output ${log}`)
  say(`  audit log head ${sidecar.head}`)
  say(`  next: eval "$(tufgate env${flags})"`)
  say(`  then: tufgate stop${flags} --fail-on-refusal`)
}
