/** `tufgate env`: the variables by which installers use the proxy that `tufgate start` has started. */

import { encodeHex, encodeUtf8 } from '../../base/bytes.ts'
import { createRandomBytes } from '../../base/digest.ts'
import type { Environment } from '../../base/environment.ts'
import { ConfigError, StorageError, type TufgateError } from '../../base/errors.ts'
import { quoteShell } from '../../base/quote-shell.ts'
import {
  addForwardVariables,
  buildChildEnvironment,
  buildIndexVariables,
  proxyVariables,
  type ChildEnvironment,
} from '../../installers/child-environment.ts'
import { isPastVariable } from '../../installers/past-proxy.ts'
import { findProcess } from '../../store/process-owner.ts'
import { writeOwnSettings } from './own-installer-settings.ts'
import {
  renderClosed,
  renderVariables,
  type VariableFormat,
  type Variables,
} from './render-variables.ts'
import {
  findSidecar,
  findSidecarPlace,
  type Sidecar,
  type SidecarFlags,
  type SidecarPlace,
} from './sidecar-file.ts'
import { noteLeftOut } from './run-notes.ts'
import { exitCodeOf, note, sayFailure, warn } from '../terminal.ts'
import { appendBytes } from '../write-output.ts'

export interface EnvFlags extends SidecarFlags {
  readonly format?: VariableFormat
  readonly write?: boolean
}

export async function runEnv(flags: EnvFlags): Promise<number> {
  const format = flags.format ?? 'sh'
  let sidecar: Sidecar | undefined
  try {
    const place = findSidecarPlace(flags)
    sidecar = findSidecar(place)
    const living = requireLiving(sidecar, place)
    const text = renderVariables(format, await buildVariables(living, place), createDelimiter)
    write(text, { format, token: living.token, isAppended: flags.write === true })
    return 0
  } catch (error) {
    sayFailure(error)
    const closed = buildClosed(sidecar?.certificate !== undefined)
    process.stdout.write(renderClosed(format, closed, 'tufgate: no proxy is running'))
    return exitCodeOf(error)
  }
}

function requireLiving(sidecar: Sidecar | undefined, place: SidecarPlace): Sidecar {
  if (sidecar === undefined) throw refuseWithout(place)
  const { pid, state } = findProcess(sidecar.owner)
  if (state === 'alive') return sidecar
  if (state === 'elsewhere') {
    throw new ConfigError(
      'CONFIG_INVALID',
      `The proxy "${place.name}" was started in another container: it cannot be used from here.`,
      { next: `Run this there. If it is gone: rm ${quoteShell(place.file)}` },
    )
  }
  throw new StorageError(
    'STORAGE_FAILED',
    `The proxy "${place.name}" does not run any more: process ${pid} was killed, or has failed.`,
    {
      next: `Its output: cat ${quoteShell(place.log)}; what it did: tufgate stop${place.flags}; then start it again.`,
    },
  )
}

function refuseWithout({ name, file, flags }: SidecarPlace): TufgateError {
  return new ConfigError('CONFIG_INVALID', `No proxy "${name}" was started: there is no ${file}.`, {
    next: `Start one: tufgate start${flags}. If it was started with --state-dir, --config or --name, give the same here.`,
  })
}

async function buildVariables(sidecar: Sidecar, place: SidecarPlace): Promise<Variables> {
  const { origin, token, secrets } = sidecar
  // What an earlier call has set is ours.
  const parent = withoutOwn(process.env, [token, place.folder])
  const indexUrl = `${origin}/${token}/simple/`
  const context = { environment: parent, folder: process.cwd(), indexUrl, into: place.folder }
  const own = writeOwnSettings(context)
  const child = buildChildEnvironment(parent, own.access)
  const { environment, leftOut } = await addInterception(child, sidecar, { parent, place })
  noteLeftOut([...leftOut, ...own.leftOut], own.problems)
  const always = [...Object.keys(buildIndexVariables(own.access)), 'no_proxy', 'NO_PROXY']
  const changed = Object.keys(environment).filter((name) => environment[name] !== parent[name])
  const names = new Set([...always, ...changed])
  return {
    set: Object.fromEntries([...names].map((name) => [name, environment[name] ?? ''])),
    unset: [
      ...Object.keys(parent).filter((name) => environment[name] === undefined),
      ...secrets.filter((name) => parent[name] !== undefined),
    ],
  }
}

/** Where the proxy ends TLS: then what asks the index itself comes to it as well. */
async function addInterception(
  child: ChildEnvironment,
  { origin, token, indexHosts, certificate }: Sidecar,
  { parent, place }: { readonly parent: Environment; readonly place: SidecarPlace },
): Promise<ChildEnvironment> {
  if (certificate === undefined) return child
  const { writeBundle } = await import('./run-interception.ts')
  const forward = { origin, token, indexHosts, folder: place.folder, environment: parent }
  const access = writeBundle({ certificatePem: certificate }, forward, (problem) => warn(problem))
  return addForwardVariables(child, access)
}

function withoutOwn(environment: Environment, marks: readonly string[]): Environment {
  const isOwn = (value = ''): boolean => marks.some((mark) => value.includes(mark))
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => !isOwn(value)))
}

const nobody = 'http://127.0.0.1:1'

/** Nobody listens there, and no file of settings names another index. */
function buildClosed(isIntercepting: boolean): Variables {
  const access = {
    indexUrl: `${nobody}/tufgate-is-not-running/simple/`,
    pipConf: '/dev/null',
    uvToml: '/dev/null',
    pdmToml: '/dev/null',
  }
  const set = buildIndexVariables(access)
  if (isIntercepting) for (const name of proxyVariables) set[name] = nobody
  return {
    set,
    unset: Object.entries(process.env)
      .filter(([name, value]) => isPastVariable(name, value ?? ''))
      .map(([name]) => name),
  }
}

interface Target {
  readonly format: VariableFormat
  readonly token: string
  readonly isAppended: boolean
}

/** A pipeline shows variables in its log: the token is not for everybody who reads that. */
function write(text: string, { format, token, isAppended }: Target): void {
  // On standard error, which GitHub reads too: standard output may go to the file of variables.
  if (format === 'github') note(`::add-mask::${token}`)
  if (!isAppended) {
    process.stdout.write(text)
    return
  }
  const { GITHUB_ENV: path = '' } = process.env
  if (format !== 'github' || path === '') {
    throw new ConfigError('CONFIG_INVALID', '--write is for a step of GitHub Actions.', {
      expected: '--format github, and GITHUB_ENV set to the file of variables',
      next: 'Leave --write out, and put the output where you want it.',
    })
  }
  appendBytes(path, encodeUtf8(text))
}

function createDelimiter(): string {
  return `tufgate-${encodeHex(createRandomBytes(16))}`
}
