/** Everything that the doctor looks at, put together: facts in, findings out, in the order of the looks. */

import type { Environment } from '../../base/environment.ts'
import { isTufgateError } from '../../base/errors.ts'
import type { Finding } from '../../doctor/finding.ts'
import { judgeDefaults, type InstallerUse } from '../../doctor/judge-defaults.ts'
import { judgeForward } from '../../doctor/judge-forward.ts'
import { judgeLockFile } from '../../doctor/judge-locked.ts'
import { judgeProxies, judgeProxyVariables } from '../../doctor/judge-proxy.ts'
import { isCarried, judgeReference, type JudgeContext } from '../../doctor/judge-reference.ts'
import {
  describeUnchecked,
  judgeAudit,
  judgeAuthority,
  judgeCache,
  judgeDisk,
  judgeFile,
  judgePythons,
} from '../../doctor/judge-state.ts'
import { judgeClock, judgeTrust, type ClockFacts } from '../../doctor/judge-trust.ts'
import type { OwnAddresses } from '../../doctor/own-address.ts'
import {
  environmentPlace,
  indexPlace,
  machinePlace,
  statePlace,
  uncheckedPlace,
} from '../../doctor/places.ts'
import type { Installer, ReferenceKind } from '../../installers/reference.ts'
import { quoteShell } from '../../base/quote-shell.ts'
import type { HttpClient } from '../../upstream/http-client.ts'
import { listIndexHosts } from '../../upstream/index-hosts.ts'
import { findCaches, findInstallers, findPythons, type FoundPython } from './doctor-machine.ts'
import { createClient, reach } from './doctor-network.ts'
import { createOwnAddresses, judgeOthers, probeAll } from './doctor-proxies.ts'
import { findReferences, type FoundReferences } from './doctor-references.ts'
import { findAuthorities, findState } from './doctor-state.ts'
import { findTrust } from './doctor-trust.ts'
import { isHttpUrl } from '../location.ts'
import { readCredentials } from '../read-credentials.ts'
import type { Settings } from '../settings.ts'
import { version } from '../version.ts'

export interface Examination {
  readonly folder: string
  readonly settings: Settings
  readonly stateHome: string
  readonly environment: Environment
  /** Whether mirrors and indexes are asked. */
  readonly isOnline: boolean
  /** ms */
  readonly now: number
  /** The settings file, where one was given. */
  readonly config?: string
}

export interface Examined {
  readonly findings: readonly Finding[]
  /** What installers should ask. */
  readonly index: string
}

export async function examine(examination: Examination): Promise<Examined> {
  const { folder, environment, settings, stateHome } = examination
  const pythons = await findPythons(folder, environment)
  const prefixes = pythons.flatMap(({ prefix }) => prefix ?? [])
  const found = findReferences({ folder, environment, stateHome, prefixes })
  const probed = await probeAll(found, examination)
  const own = createOwnAddresses(settings, probed)
  const context = createContext(found, own, examination)
  const others = await Promise.all([
    examineState(examination),
    examineIndexes(examination),
    examineCredentials(examination),
  ])
  const findings = [
    ...judgeSources(found, context, pythons),
    ...judgeProxies({
      probed: probed.map(({ proxy }) => proxy),
      version,
      configFlag: context.configFlag,
    }),
    ...judgeOthers(probed),
    ...judgeForward(
      { allow: settings.forward.allow, isIntercepting: settings.intercept.enabled },
      context,
    ),
    ...others.flat(),
    ...examineMachine(pythons, found, context),
    ...found.findings,
  ]
  return { findings, index: own.index }
}

function createContext(
  { references }: FoundReferences,
  own: OwnAddresses,
  { environment, settings, config }: Examination,
): JudgeContext {
  const ofPip = references.filter(({ reference }) => reference.installer === 'pip')
  const overriding = new Map<ReferenceKind, string>(
    ofPip
      .filter(({ place }) => place === environmentPlace)
      .map(({ reference: { kind, name } }) => [kind, name]),
  )
  const isPipCarried = ofPip.some(({ reference: { kind, value } }) => {
    const url = kind === 'proxy' ? URL.parse(value) : null
    return url !== null && own.isProxy(url)
  })
  const hosts = settings.index.flatMap((index) => listIndexHosts(index.url, index['file-hosts']))
  const configFlag = config === undefined ? '' : ` --config ${quoteShell(config)}`
  return {
    own,
    environment,
    isPipCarried,
    overriding,
    indexHosts: new Set(hosts),
    configFlag,
  }
}

function judgeSources(
  found: FoundReferences,
  context: JudgeContext,
  pythons: readonly FoundPython[],
): Finding[] {
  const { references, locks, uses } = found
  const judged = references
    .filter(({ reference: { kind } }) => kind !== 'pypi')
    .flatMap(({ place, reference }) => judgeReference(reference, place, context) ?? [])
  const locked = Array.from(locks, ([path, addresses]) => judgeLockFile(addresses, path, context))
  const used = references
    .map(({ reference }) => reference)
    .filter(({ kind, value }) => kind === 'index' && context.own.findPart(value) === 'index')
    .map(({ value }) => value)
  const installed = findInstallers(pythons, context.environment).filter(
    (installer) => !uses.some((use) => use.installer === installer),
  )
  const all: InstallerUse[] = [...uses, ...installed.map((installer) => ({ installer }))]
  return [
    ...judgeProxyVariables(context, used),
    ...judged,
    ...judgeDefaults(all, references, context),
    ...locked.flat(),
  ]
}

async function examineState({ settings, stateHome, now }: Examination): Promise<Finding[]> {
  const { files, disk, audits, findings } = await findState(settings, stateHome)
  return [
    ...files.flatMap(judgeFile),
    ...(disk === undefined ? [] : judgeDisk(disk)),
    ...audits.flatMap(judgeAudit),
    ...findings,
    ...(await examineAuthorities(stateHome, now)),
  ]
}

async function examineAuthorities(stateHome: string, now: number): Promise<Finding[]> {
  try {
    const { authorities, files } = await findAuthorities(stateHome)
    return [...authorities.flatMap((one) => judgeAuthority(one, now)), ...files.flatMap(judgeFile)]
  } catch (error) {
    return [describeTrouble(error, 'authority-unreadable', statePlace)]
  }
}

async function examineIndexes(examination: Examination): Promise<Finding[]> {
  const { settings, environment, isOnline, stateHome, now } = examination
  const http = isOnline ? createClient(environment) : undefined
  try {
    const options = { settings, stateHome, now, ...(http && { http }) }
    const trusts = await Promise.all(
      settings.index.map(async (index) => {
        const [facts, reached] = await Promise.all([
          findTrust(index, options),
          http === undefined ? undefined : reach(http, index.url),
        ])
        const failure = reached?.failure
        return {
          facts: { ...facts, ...(failure && { indexFailure: failure }) },
          clock: reached?.clock,
        }
      }),
    )
    const clocks = [
      ...trusts.flatMap(({ clock }) => clock ?? []),
      ...(http === undefined ? [] : await askMirrorClocks(http, settings)),
    ]
    return [
      ...trusts.flatMap(({ facts }) => judgeTrust(facts, now)),
      ...judgeClock(clocks),
      ...describeUnasked(isOnline, clocks),
    ]
  } finally {
    await http?.close()
  }
}

async function askMirrorClocks(http: HttpClient, settings: Settings): Promise<ClockFacts[]> {
  const mirrors = settings.index.flatMap(({ mirror = [] }) => mirror).filter(isHttpUrl)
  const reached = await Promise.all(mirrors.map((url) => reach(http, url)))
  return reached.flatMap(({ clock }) => clock ?? [])
}

/** What nobody could be asked about is said, so that its absence is not taken for health. */
function describeUnasked(isOnline: boolean, clocks: readonly ClockFacts[]): Finding[] {
  const place = isOnline ? indexPlace : uncheckedPlace
  const what = isOnline
    ? 'nobody told the time, so the clock of this machine was not checked'
    : 'mirrors, indexes and the clock were not checked (--no-network)'
  if (isOnline && clocks.length > 0) return []
  return [
    {
      severity: 'note',
      code: 'not-asked',
      place,
      what,
      why: isOnline
        ? 'No index or mirror that answered by HTTP gave a date.'
        : 'Whether they answer, and how long their signed lists last, is not known.',
    },
  ]
}

async function examineCredentials({ settings, environment }: Examination): Promise<Finding[]> {
  const found: Finding[] = []
  for (const { name, url, credentials } of settings.index) {
    try {
      await readCredentials({ label: `index ${name}`, url, credentials }, environment)
    } catch (error) {
      found.push(describeTrouble(error, 'credentials-unreadable', indexPlace))
    }
  }
  return found
}

/** Throws what is a bug. */
function describeTrouble(error: unknown, code: string, place: string): Finding {
  if (!isTufgateError(error)) throw error
  const { next } = error.facts
  return {
    severity: 'problem',
    code,
    place,
    what: error.message,
    why: 'The proxy does not start with it.',
    ...(next !== undefined && { mend: next }),
  }
}

const pypi = 'https://pypi.org/simple/'

function examineMachine(
  pythons: readonly FoundPython[],
  found: FoundReferences,
  context: JudgeContext,
): Finding[] {
  const known = pythons.flatMap(({ path, prefix }) =>
    prefix === undefined ? [] : [{ path, prefix }],
  )
  const unknown = pythons.filter(({ prefix }) => prefix === undefined)
  return [
    ...findCaches({
      environment: context.environment,
      lookingBack: findLookingBack(found, context),
    }).map(judgeCache),
    ...judgePythons({ pythons: known }),
    ...unknown.map(({ path }) =>
      describeUnchecked(machinePlace, `${path} does not say where its pip.conf is`, {
        mend: `look at what its pip is told: ${quoteShell(path)} -m pip config debug`,
      }),
    ),
  ]
}

/** Installers that ask for the old addresses by way of this proxy, or with a cache for plain http. */
function findLookingBack(found: FoundReferences, context: JudgeContext): Set<Installer> {
  const all: readonly Installer[] = ['pip', 'uv', 'poetry', 'pdm', 'pipenv']
  const carried = all.filter((installer) => isCarried(pypi, installer, context))
  const isTrusting = found.references.some(({ reference: { kind } }) => kind === 'trusted-host')
  const locked = Array.from(found.locks.values(), ([first]) => first?.installer)
  return new Set([
    ...carried,
    ...(isTrusting ? (['pip'] as const) : []),
    ...locked.filter((installer) => installer !== undefined),
  ])
}
