/** What becomes of requests for which this proxy is the HTTP proxy: HTTPS needs more than a variable. */

import { trustVariables } from '../installers/trust-variables.ts'
import type { Finding } from './finding.ts'
import { isCarried, type JudgeContext } from './judge-reference.ts'
import { environmentPlace, proxyPlace } from './places.ts'

export interface ForwardFacts {
  /** Hosts that the settings let pass, unverified. */
  readonly allow: readonly string[]
  readonly isIntercepting: boolean
}

export function judgeForward(
  { allow, isIntercepting }: ForwardFacts,
  context: JudgeContext,
): Finding[] {
  const passing = allow.length === 0 ? [] : [describePassing(allow)]
  if (!isCarried('https://pypi.org/simple/', 'pip', context)) return passing
  if (!isIntercepting) return [...passing, describeRefused(context)]
  const isTold = trustVariables.some(({ name }) => (context.environment[name] ?? '') !== '')
  return isTold ? passing : [...passing, describeUntold(context)]
}

function describePassing(allow: readonly string[]): Finding {
  return {
    severity: 'note',
    code: 'forward-allow',
    place: proxyPlace,
    what: `[forward] allow lets requests to these hosts pass: ${allow.join(', ')}`,
    why: 'Whatever is asked of them through the proxy is handed on as it comes: nothing of it is checked.',
  }
}

function describeRefused({ own }: JudgeContext): Finding {
  return {
    severity: 'warning',
    code: 'https-refused',
    place: environmentPlace,
    what: 'https requests go through tufgate as an HTTP proxy, and [intercept] is off',
    why: 'tufgate cannot look into https, so it refuses each of these requests: installers find nothing.',
    mend: `tell the installers to ask ${own.index}; or set [intercept] enabled = true in tufgate.toml, then tufgate ca export --help`,
  }
}

function describeUntold({ configFlag }: JudgeContext): Finding {
  return {
    severity: 'warning',
    code: 'authority-not-trusted',
    place: environmentPlace,
    what: `none of ${trustVariables.map(({ name }) => name).join(', ')} is set`,
    why: 'Installers do not believe the certificates that tufgate shows them, and break off every https request.',
    mend: `eval "$(tufgate ca export${configFlag} -o tufgate-bundle.pem --format env)"`,
  }
}
