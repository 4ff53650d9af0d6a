/**
 * `tufgate run -- COMMAND`: a proxy for one command, and what came of it. The command runs only while the
 * proxy does, and a failure of ours is never told as its success.
 */

import { readAudit } from '../audit/reader.ts'
import { encodeHex } from '../base/bytes.ts'
import { createRandomBytes } from '../base/digest.ts'
import { ConfigError } from '../base/errors.ts'
import {
  addForwardVariables,
  buildChildEnvironment,
  type ChildEnvironment,
} from '../installers/child-environment.ts'
import type { SessionSummary } from '../report/session-summary.ts'
import { isLoopback, parseListenAddress } from './listen-address.ts'
import { createLog, type Log } from './logger.ts'
import { writeOwnSettings, type OwnSettings } from './own-installer-settings.ts'
import { findCredentialVariables } from './read-credentials.ts'
import { readSettings } from './read-settings.ts'
import { noteLeftOut, noteLine, noteSummary, noteUncovered } from './run-notes.ts'
import type { Interception } from './run-interception.ts'
import type { ServeFlags } from './serve-command.ts'
import { startProxy, type RunningProxy } from './serve.ts'
import type { Settings } from './settings.ts'
import { sayFailure } from './terminal.ts'
import { exitCodeOfSignal, WrappedCommand, type CommandOutcome } from './wrapped-command.ts'

/** 160 bits. */
const tokenBytes = 20

export interface RunFlags extends ServeFlags {
  readonly intercept?: boolean
}

export async function runCommand(
  commandLine: readonly string[],
  { intercept, ...flags }: RunFlags,
): Promise<number> {
  const wrapped = new WrappedCommand()
  const settings = readRunSettings(flags)
  const isIntercepting = intercept ?? settings.intercept.enabled
  const interception = isIntercepting ? await openInterception(settings) : undefined
  const faults = new Faults(createLog(settings['log-level'], Date.now))
  const accessToken = encodeHex(createRandomBytes(tokenBytes))
  const proxy = await startProxy({
    settings,
    log: faults.log,
    clock: Date.now,
    environment: process.env,
    accessToken,
    hold: true,
    ...(interception !== undefined && { authority: interception.authority }),
  })
  faults.endWith(wrapped)
  let outcome: CommandOutcome
  try {
    const [origin = ''] = proxy.origins
    const secrets = findCredentialVariables(settings.index)
    const surroundings = { origin, token: accessToken, secrets, interception }
    outcome = await runBehind(surroundings, wrapped, commandLine)
  } catch (error) {
    sayFailure(error)
    outcome = { exitCode: 1 }
  }
  if (outcome.problem !== undefined) noteLine(outcome.problem)
  const summary = await conclude(proxy, settings, faults)
  return decideExitCode(outcome.exitCode, { hasFailed: faults.hasFailed, summary })
}

/** A port of its own on this machine, and less to read between the lines of the command. */
function readRunSettings({ config, ...overrides }: ServeFlags): Settings {
  const listen = overrides.listen ?? ['127.0.0.1:0']
  const other = listen.find((address) => !isLoopback(parseListenAddress(address)))
  if (other !== undefined) {
    throw new ConfigError('CONFIG_INVALID', `${other} can be reached from other machines.`, {
      next: 'The proxy of one command listens on this machine alone: leave --listen away.',
    })
  }
  const settings = readSettings(config, { ...overrides, listen })
  const isQuiet = overrides.logLevel === undefined && settings['log-level'] === 'info'
  return isQuiet ? { ...settings, 'log-level': 'warning' } : settings
}

/** Loaded only where it is wanted. */
async function openInterception(settings: Settings): Promise<Interception> {
  const { startInterception } = await import('./run-interception.ts')
  return startInterception(settings)
}

interface Surroundings {
  readonly origin: string
  readonly token: string
  /** Variables that hold passwords of indexes. */
  readonly secrets: readonly string[]
  readonly interception: Interception | undefined
}

async function runBehind(
  surroundings: Surroundings,
  wrapped: WrappedCommand,
  [command = '', ...args]: readonly string[],
): Promise<CommandOutcome> {
  const { origin, token, secrets, interception } = surroundings
  const indexUrl = `${origin}/${token}/simple/`
  const own = writeOwnSettings({ environment: process.env, folder: process.cwd(), indexUrl })
  const remove = removeAtExit(own)
  try {
    const { environment, leftOut } = await buildEnvironment(surroundings, own)
    // The proxy asks with them: code that an installer runs has no need to know them.
    for (const name of secrets) delete environment[name]
    noteLeftOut([...leftOut, ...own.leftOut], own.problems)
    if (interception === undefined) noteUncovered([command, ...args])
    const { early } = wrapped
    if (early !== undefined) return { exitCode: exitCodeOfSignal(early) }
    return await wrapped.run({ command, args, environment })
  } finally {
    remove()
  }
}

async function buildEnvironment(
  { origin, token, interception }: Surroundings,
  { access, folder }: OwnSettings,
): Promise<ChildEnvironment> {
  const child = buildChildEnvironment(process.env, access)
  if (interception === undefined) return child
  const { writeBundle } = await import('./run-interception.ts')
  return addForwardVariables(child, writeBundle(interception, { origin, token, folder }, noteLine))
}

function removeAtExit(own: OwnSettings): () => void {
  const remove = (): void => own.remove()
  process.once('exit', remove)
  return () => {
    process.off('exit', remove)
    remove()
  }
}

/** `undefined` where the log could not be read to its end. */
async function conclude(
  proxy: RunningProxy,
  settings: Settings,
  faults: Faults,
): Promise<SessionSummary | undefined> {
  const head = await faults.attempt(() => proxy.stop())
  const { folder, chain } = proxy.audit
  const stateDir = settings['state-dir']
  return faults.attempt(() => noteSummary(readAudit(folder, { chain }), { head, stateDir }))
}

export interface Conclusion {
  /** We did, whatever the command says. */
  readonly hasFailed: boolean
  readonly summary: SessionSummary | undefined
}

/** The command's own, unless it says 0 and something speaks against it. */
export function decideExitCode(exitCode: number, { hasFailed, summary }: Conclusion): number {
  if (exitCode !== 0) return exitCode
  if (hasFailed || summary === undefined) return 1
  const { items, more } = summary.refused
  return items.length > 0 || more > 0 ? 3 : 0
}

/** Whether anything of ours went wrong while the command ran: an error that was logged, or a bug. */
class Faults {
  readonly log: Log
  #hasFailed = false

  constructor(log: Log) {
    this.log = (level, message) => {
      if (level === 'error') this.note()
      log(level, message)
    }
  }

  get hasFailed(): boolean {
    return this.#hasFailed
  }

  note(): void {
    this.#hasFailed = true
  }

  /** What fails is said, and the rest goes on. */
  async attempt<T>(act: () => Promise<T>): Promise<T | undefined> {
    try {
      return await act()
    } catch (error) {
      this.note()
      sayFailure(error)
      return undefined
    }
  }

  /** Behind a proxy that has lost its way nothing goes on. */
  endWith(wrapped: WrappedCommand): void {
    process.on('uncaughtException', (error) => {
      this.note()
      sayFailure(error)
      wrapped.kill()
    })
  }
}
