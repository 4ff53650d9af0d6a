/** Whether the proxy answers where installers look for it, and whether their requests get there. */

import { unbracketHost } from '../base/url-host.ts'
import { findProxyFor } from '../installers/proxy-variables.ts'
import { showAddress } from '../installers/reference.ts'
import type { Finding } from './finding.ts'
import type { JudgeContext } from './judge-reference.ts'
import { environmentPlace, proxyPlace } from './places.ts'

/** What answered at an address of the settings. */
export type ProxyAnswer =
  | { readonly kind: 'ready'; readonly version: string }
  | { readonly kind: 'not-ready'; readonly problems: readonly string[]; readonly version: string }
  | { readonly kind: 'silent' }
  /** Another program; `detail` is what it said. */
  | { readonly kind: 'foreign'; readonly detail: string }

export interface ProbedProxy {
  /** `http://127.0.0.1:8642` */
  readonly origin: string
  readonly answer: ProxyAnswer
}

export interface ProxyFacts {
  readonly probed: readonly ProbedProxy[]
  /** Of the program that asks. */
  readonly version: string
  /** How the settings are given to `serve`: ` --config FILE`, or nothing. */
  readonly configFlag: string
}

export function judgeProxies({ probed, version, configFlag }: ProxyFacts): Finding[] {
  const foreign = probed.flatMap(({ origin, answer }) =>
    answer.kind === 'foreign' ? [describeForeign(origin, answer.detail)] : [],
  )
  const isAnswering = probed.some(({ answer }) => isTufgate(answer))
  const silent =
    isAnswering || foreign.length > 0 || probed.length === 0
      ? []
      : [describeSilent(probed.map(({ origin }) => origin).join(' and '), configFlag)]
  return [...foreign, ...silent, ...describeUnready(probed), ...describeVersions(probed, version)]
}

export function isTufgate({ kind }: ProxyAnswer): boolean {
  return kind === 'ready' || kind === 'not-ready'
}

function describeSilent(origins: string, configFlag: string): Finding {
  return {
    severity: 'problem',
    code: 'proxy-not-running',
    place: proxyPlace,
    what: `nothing listens on ${origins}`,
    why: 'Whoever is told to ask the proxy gets no packages at all until it runs.',
    mend: `tufgate serve${configFlag} (for one command alone: tufgate run -- COMMAND)`,
  }
}

function describeForeign(origin: string, detail: string): Finding {
  return {
    severity: 'problem',
    code: 'port-taken',
    place: proxyPlace,
    what: `another program answers on ${origin}: ${detail}`,
    why: 'tufgate cannot start there, and installers that are sent to this address take what the other program gives them.',
    mend: `stop the other program (ss -ltnp 'sport = :${URL.parse(origin)?.port ?? ''}' shows it), or give tufgate another port: listen = ["127.0.0.1:PORT"]`,
  }
}

/** It says that it is tufgate; whose it is, it cannot say. */
export function describeOtherProxy(origin: string): Finding {
  return {
    severity: 'note',
    code: 'other-proxy',
    place: proxyPlace,
    what: `installers are sent to a tufgate on ${origin}, where these settings do not listen`,
    why: 'That is how tufgate run and tufgate start work. If it is neither, find out who started it.',
  }
}

/** Of two addresses of one proxy the first will do. */
function describeUnready(probed: readonly ProbedProxy[]): Finding[] {
  const unready = probed.find(({ answer }) => answer.kind === 'not-ready')
  if (unready === undefined || unready.answer.kind !== 'not-ready') return []
  return unready.answer.problems.map((problem) => ({
    severity: 'problem' as const,
    code: 'proxy-not-ready',
    place: proxyPlace,
    what: `the proxy on ${unready.origin} runs, and has nothing that it may hand out: ${problem}`,
    why: 'Every page is refused until this is mended.',
    mend: 'look at what else is listed here; tufgate audit show --kind refused --since 1h says what was refused',
  }))
}

function describeVersions(probed: readonly ProbedProxy[], version: string): Finding[] {
  const others = probed.flatMap(({ origin, answer }) => {
    const running = 'version' in answer ? answer.version : version
    return running === version ? [] : [{ origin, running }]
  })
  return others.slice(0, 1).map(({ origin, running }) => ({
    severity: 'note' as const,
    code: 'other-version',
    place: proxyPlace,
    what: `the proxy on ${origin} is tufgate ${showAddress(running)}, this is ${version}`,
    why: 'It goes on as it was started, whatever was installed since.',
    mend: 'restart the proxy',
  }))
}

/** A proxy of the network stands between an installer and this machine itself. */
export function judgeProxyVariables(
  { own, environment }: JudgeContext,
  usedIndexes: readonly string[],
): Finding[] {
  const hosts = new Map<string, string>()
  for (const index of usedIndexes.length > 0 ? usedIndexes : [own.index]) {
    const url = URL.parse(index)
    const inForce = url === null ? undefined : findProxyFor(url, environment)
    const target = URL.parse(inForce?.value ?? '')
    if (url === null || inForce === undefined || (target !== null && own.isProxy(target))) continue
    hosts.set(unbracketHost(url.hostname), `${inForce.variable}: ${showAddress(inForce.value)}`)
  }
  const [[host, said] = []] = hosts
  if (host === undefined || said === undefined) return []
  const kept = [environment['no_proxy'] ?? environment['NO_PROXY'] ?? '', ...hosts.keys()]
  const list = [...new Set([...kept, 'localhost', '127.0.0.1', '::1'])].filter(Boolean).join(',')
  return [
    {
      severity: 'problem',
      code: 'no-proxy-missing',
      place: environmentPlace,
      what: `${said}, and NO_PROXY does not name ${host}`,
      why: `Installers send what is meant for tufgate to that proxy, which cannot reach this machine. pip then says no more than "No matching distribution found".`,
      mend: `export NO_PROXY='${list.replaceAll("'", '')}' no_proxy='${list.replaceAll("'", '')}'`,
    },
  ]
}
