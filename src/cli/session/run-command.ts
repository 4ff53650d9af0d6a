/**
 * `tufgate run -- COMMAND`: a proxy for one command, and what came of it. The command runs only while the
 * proxy does, and a failure of ours is never told as its success.
 */

import { parseHead } from '../../audit/head.ts'
import { encodeHex } from '../../base/bytes.ts'
import { createRandomBytes } from '../../base/digest.ts'
import { quoteShell } from '../../base/quote-shell.ts'
import {
  addForwardVariables,
  buildChildEnvironment,
  type ChildEnvironment,
} from '../../installers/child-environment.ts'
import type { Finding } from '../../doctor/finding.ts'
import type { SessionSummary } from '../../report/session-summary.ts'
import { findStateHome } from '../../store/state-directory.ts'
import { findPastProxy, type PastProxy } from './find-past-proxy.ts'
import { findLeftAddresses } from './left-addresses.ts'
import { requireLoopback } from '../listen-address.ts'
import { createLog } from '../logger.ts'
import { writeOwnSettings, type OwnSettings } from './own-installer-settings.ts'
import { findCredentialVariables } from '../read-credentials.ts'
import { isRefused, readSession, type ReadSession } from './read-session.ts'
import { readSettings } from '../read-settings.ts'
import { RunFaults } from './run-faults.ts'
import {
  isProgram,
  noteLeftAddresses,
  noteLeftOut,
  noteLine,
  notePastProxy,
  noteSummary,
  noteWasPast,
} from './run-notes.ts'
import type { Interception } from './run-interception.ts'
import type { ServeFlags } from '../serve/serve-command.ts'
import { listIndexHosts, startProxy, type RunningProxy } from '../serve/serve.ts'
import type { Settings } from '../settings.ts'
import { sayFailure } from '../terminal.ts'
import type { ReportFlags } from './write-reports.ts'
import { exitCodeOfSignal, WrappedCommand, type CommandOutcome } from './wrapped-command.ts'

/** 160 bits. */
const tokenBytes = 20

export interface RunFlags extends ServeFlags, ReportFlags {
  readonly intercept?: boolean
  /** What would lead it past the proxy keeps the command from being started. */
  readonly strict?: boolean
}

export async function runCommand(commandLine: readonly string[], flags: RunFlags): Promise<number> {
  const wrapped = new WrappedCommand()
  const settings = readRunSettings(flags)
  const isIntercepting = flags.intercept ?? settings.intercept.enabled
  const interception = isIntercepting ? await openInterception(settings) : undefined
  const faults = new RunFaults(createLog(settings['log-level'], Date.now))
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
  let outcome: RunOutcome
  try {
    const [origin = ''] = proxy.origins
    const secrets = findCredentialVariables(settings.index)
    const indexHosts = listIndexHosts(proxy.indexes)
    const isStrict = flags.strict === true
    const stateHome = settings['state-dir'] ?? findStateHome(process.env)
    const place = { origin, token: accessToken, secrets, indexHosts, stateHome }
    outcome = await runBehind({ ...place, interception, isStrict }, wrapped, commandLine)
  } catch (error) {
    sayFailure(error)
    outcome = { exitCode: 1 }
  }
  if (outcome.problem !== undefined) noteLine(outcome.problem)
  tellOfAddresses(accessToken, flags)
  const stateDir = settings['state-dir']
  const { past } = outcome
  const summary = await conclude(proxy, faults, { flags, stateDir, past })
  const { hasFailed } = faults
  return decideExitCode(outcome.exitCode, { hasFailed, isRefused: isRefused(summary) })
}

/** A port of its own on this machine, and less to read between the lines of the command. */
function readRunSettings({ config, ...overrides }: ServeFlags): Settings {
  const listen = overrides.listen ?? ['127.0.0.1:0']
  requireLoopback(listen)
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
  readonly indexHosts: readonly string[]
  readonly stateHome: string
  readonly isStrict: boolean
  readonly interception: Interception | undefined
}

interface RunOutcome extends CommandOutcome {
  /** Absent where it did not come to that. */
  readonly past?: PastProxy
}

/** Where the operator has to change something. */
const refusedExitCode = 2

async function runBehind(
  surroundings: Surroundings,
  wrapped: WrappedCommand,
  commandLine: readonly string[],
): Promise<RunOutcome> {
  const { origin, token, secrets, interception, isStrict } = surroundings
  const indexUrl = `${origin}/${token}/simple/`
  const [command = '', ...args] = commandLine
  const own = writeOwnSettings({
    environment: process.env,
    folder: process.cwd(),
    command,
    indexUrl,
  })
  const remove = removeAtExit(own)
  try {
    const { environment, leftOut } = await buildEnvironment(surroundings, own)
    // The proxy asks with them: code that an installer runs has no need to know them.
    for (const name of secrets) delete environment[name]
    // pipenv would write it into the Pipfile; its pip finds it in its settings file.
    if (isProgram(commandLine, 'pipenv')) delete environment['PIP_INDEX_URL']
    noteLeftOut([...leftOut, ...own.leftOut], own.problems)
    const past = await findPastProxy({
      ...surroundings,
      commandLine,
      folder: process.cwd(),
      indexUrl,
      environment,
      isIntercepting: interception !== undefined,
    })
    notePastProxy(past)
    if (isStrict && past.findings.length > 0) return refuse(past)
    const { early } = wrapped
    if (early !== undefined) return { exitCode: exitCodeOfSignal(early), past }
    return { ...(await wrapped.run({ command, args, environment })), past }
  } finally {
    remove()
  }
}

function refuse(past: PastProxy): RunOutcome {
  const problem = 'nothing was started: --strict refuses a command that goes past the proxy.'
  return { exitCode: refusedExitCode, problem, past }
}

async function buildEnvironment(
  { interception, ...place }: Surroundings,
  { access, folder }: OwnSettings,
): Promise<ChildEnvironment> {
  const child = buildChildEnvironment(process.env, access)
  if (interception === undefined) return child
  const { writeBundle } = await import('./run-interception.ts')
  return addForwardVariables(child, writeBundle(interception, { ...place, folder }, noteLine))
}

function removeAtExit(own: OwnSettings): () => void {
  const remove = (): void => own.remove()
  process.once('exit', remove)
  return () => {
    process.off('exit', remove)
    remove()
  }
}

/** A lock file that names this proxy is of no use to anybody, this user included. */
function tellOfAddresses(token: string, { config, index }: RunFlags): void {
  const flags = [
    ...(config === undefined ? [] : [` --config ${quoteShell(config)}`]),
    ...(index === undefined ? [] : [` --index ${quoteShell(index)}`]),
  ]
  noteLeftAddresses(findLeftAddresses(process.cwd(), token), flags.join(''))
}

interface Ending {
  readonly flags: RunFlags
  readonly stateDir: string | undefined
  readonly past: PastProxy | undefined
}

async function conclude(
  proxy: RunningProxy,
  faults: RunFaults,
  { flags, stateDir, past }: Ending,
): Promise<SessionSummary> {
  const head = await faults.attempt(() => proxy.stop())
  // The proxy knows its last line: what was cut off behind its back is missed.
  const session = await readSession(proxy.audit, parseHead(head ?? ''))
  const { summary, problems } = session
  noteSummary(summary, { head, stateDir })
  if (past !== undefined && flags.strict !== true) noteWasPast(past)
  for (const problem of problems) faults.tell(problem)
  await faults.attempt(() => writeReportsOf({ ...session, pastProxy: past?.findings ?? [] }, flags))
  return summary
}

/** Loaded only where one is wanted. */
async function writeReportsOf(
  { summary, ...verdict }: ReadSession & { readonly pastProxy: readonly Finding[] },
  flags: ReportFlags,
): Promise<void> {
  const wanted = [flags.summary, flags.junit, flags.sarif, flags.codeQuality, flags.json]
  if (wanted.every((path) => path === undefined)) return
  const { writeReports } = await import('./write-reports.ts')
  await writeReports(summary, verdict, flags)
}

interface Conclusion {
  /** We did, whatever the command says. */
  readonly hasFailed: boolean
  readonly isRefused: boolean
}

/** The command's own, unless it says 0 and something speaks against it. */
function decideExitCode(
  exitCode: number,
  { hasFailed, isRefused: wasRefused }: Conclusion,
): number {
  if (exitCode !== 0) return exitCode
  if (hasFailed) return 1
  return wasRefused ? 3 : 0
}
