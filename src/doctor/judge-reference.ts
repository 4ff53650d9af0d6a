/**
 * What one reference of an installer means for somebody whose packages are to come through the proxy:
 * nothing, or a finding in words that need no knowledge of the installer.
 */

import type { Environment } from '../base/environment.ts'
import { findProxyFor } from '../installers/proxy-variables.ts'
import {
  isRemote,
  showAddress,
  type Reference,
  type ReferenceKind,
} from '../installers/reference.ts'
import type { Finding, Severity } from './finding.ts'
import { mendReference, type Mend } from './mend-reference.ts'
import { isLocalAddress, type OwnAddresses } from './own-address.ts'
import { environmentPlace } from './places.ts'

export interface JudgeContext {
  readonly own: OwnAddresses
  readonly environment: Environment
  /** Whose files the proxy has: `files.pythonhosted.org`. */
  readonly indexHosts: ReadonlySet<string>
  /** How the settings are given to other commands: ` --config FILE`, or nothing. */
  readonly configFlag: string
  /** pip's own setting for an HTTP proxy, where that is this proxy. */
  readonly isPipCarried: boolean
  /** Variables that take the place of what stands in pip's files, by kind. */
  readonly overriding: ReadonlyMap<ReferenceKind, string>
  /** Default: in files and variables that stay as they are. */
  readonly mend?: Mend
}

interface Judgement {
  readonly severity: Severity
  readonly code: string
  readonly why: string
}

/** `undefined`: there is nothing wrong with it. */
export function judgeReference(
  reference: Reference,
  place: string,
  context: JudgeContext,
): Finding | undefined {
  const judgement = judgeKind(reference, place, context)
  if (judgement === undefined) return undefined
  const overriddenBy =
    reference.isDefault === true ? context.overriding.get(reference.kind) : undefined
  const mend = (context.mend ?? mendReference)(reference, place, context.own)
  const isWarning = overriddenBy !== undefined && judgement.severity === 'problem'
  const suffix = isWarning
    ? ` In this shell ${overriddenBy} takes its place; wherever that is not set it holds.`
    : ''
  return {
    severity: isWarning ? 'warning' : judgement.severity,
    code: judgement.code,
    place,
    ...(reference.line > 0 && { line: reference.line }),
    what: describe(reference),
    why: judgement.why + suffix,
    ...(mend !== undefined && { mend }),
  }
}

function describe({ kind, name, value }: Reference): string {
  if (kind === 'no-index') return `${name} is on`
  return name === '' ? showAddress(value) : `${showAddress(name)}: ${showAddress(value)}`
}

function judgeKind(
  reference: Reference,
  place: string,
  context: JudgeContext,
): Judgement | undefined {
  switch (reference.kind) {
    case 'index':
    case 'extra-index':
      return judgeIndex(reference, place, context)
    case 'find-links':
      return judgeFindLinks(reference, context)
    case 'proxy':
      return judgeProxy(reference, context)
    case 'trusted-host':
      return judgeTrustedHost(reference, context)
    case 'url':
      return judgeUrl(reference, context)
    case 'path':
      return judgePath(reference)
    default:
      return fixedJudgements.get(reference.kind)
  }
}

const fixedJudgements: ReadonlyMap<ReferenceKind, Judgement> = new Map<ReferenceKind, Judgement>([
  [
    'no-index',
    {
      severity: 'problem',
      code: 'no-index',
      why: 'No index is asked at all, so tufgate is not asked either: what is installed comes from find-links, unchecked.',
    },
  ],
  [
    'repository',
    {
      severity: 'problem',
      code: 'version-control',
      why: 'It is fetched from version control and built here: no index is asked, and nothing is checked.',
    },
  ],
  [
    'old-default',
    {
      severity: 'note',
      code: 'old-poetry',
      why: 'poetry 1.4 and older ask PyPI too, past tufgate, unless a source says that it is the default; newer ones do not.',
    },
  ],
  [
    'publish',
    {
      severity: 'note',
      code: 'publish-address',
      why: 'poetry sends packages there and never asks it for any: it is no way past tufgate.',
    },
  ],
])

function judgeIndex(
  { kind, installer, value }: Reference,
  place: string,
  context: JudgeContext,
): Judgement | undefined {
  const part = context.own.findPart(value)
  if (part === 'index' || isCarried(value, installer, context)) return undefined
  if (part !== undefined) {
    return {
      severity: 'problem',
      code: 'wrong-path',
      why: 'This is tufgate, but its index is at /simple/: here every request is answered "not found", and nothing can be installed.',
    }
  }
  // pipenv puts its mirror in the place of pypi.org, wherever that stands.
  const isMirrored =
    installer === 'pipenv' &&
    place !== environmentPlace &&
    /^https?:\/\/(?:www\.)?pypi\.(?:org|python\.org)\//i.test(`${value}/`) &&
    context.own.findPart(context.environment['PIPENV_PYPI_MIRROR'] ?? '') === 'index'
  if (isMirrored) return undefined
  if (kind === 'extra-index') {
    return {
      severity: 'problem',
      code: 'extra-index',
      why: `${installer} asks this index too, and takes from it what it likes better: nothing that comes from there is checked.`,
    }
  }
  return {
    severity: 'problem',
    code: isLocalAddress(value) ? 'other-local-address' : 'other-index',
    why: isLocalAddress(value)
      ? `Whatever answers at this address is not the tufgate of these settings: ${installer} takes what it gives, unchecked.`
      : `${installer} fetches packages from there directly: tufgate sees none of them and checks nothing.`,
  }
}

function judgeFindLinks(
  { installer, value }: Reference,
  context: JudgeContext,
): Judgement | undefined {
  const isElsewhere = isRemote(value)
  if (isElsewhere && isCarried(value, installer, context)) return undefined
  return {
    severity: isElsewhere ? 'problem' : 'warning',
    code: 'find-links',
    why: `${installer} installs what lies there, in preference to the same version of an index; nothing of it is checked.`,
  }
}

function judgeProxy({ value }: Reference, { own }: JudgeContext): Judgement | undefined {
  const url = URL.parse(/:\/\//.test(value) ? value : `http://${value}`)
  if (url !== null && own.isProxy(url)) return undefined
  return {
    severity: 'problem',
    code: 'outgoing-proxy',
    why: 'All requests go to this HTTP proxy, those for tufgate on this machine too, whatever NO_PROXY says: they never arrive here.',
  }
}

function judgeTrustedHost({ installer, value }: Reference, { own }: JudgeContext): Judgement {
  const url = URL.parse(`http://${value}`)
  const isLocal = isLocalAddress(`http://${value}`) || (url !== null && own.isProxy(url))
  const isOwn = isLocal && installer === 'pip'
  return {
    severity: 'warning',
    code: 'trusted-host',
    why: isOwn
      ? "pip needs it for no address of this machine, and it turns on a cache of pip's own: what lies in there is installed again without asking, even when tufgate refuses it by now."
      : `${installer} accepts any certificate from this host, and plain HTTP: whoever is on the way there can answer in its place.`,
  }
}

function judgeUrl({ installer, value }: Reference, context: JudgeContext): Judgement | undefined {
  if (context.own.findPart(value) !== undefined) return undefined
  if (isCarried(value, installer, context)) return undefined
  return {
    severity: 'problem',
    code: 'direct-url',
    why: 'It is fetched from this very address: no index is asked, so tufgate sees nothing of it.',
  }
}

function judgePath({ value }: Reference): Judgement | undefined {
  // The user's own code, in its own folder.
  if (/^\.\/?(?:\[.*\])?$/.test(value)) return undefined
  const isFile = /\.(?:whl|zip|tar\.gz|tgz|tar\.bz2|tar\.xz)$/i.test(value)
  return {
    severity: isFile ? 'warning' : 'note',
    code: isFile ? 'local-file' : 'local-folder',
    why: isFile
      ? 'It is installed as it lies there: nobody has compared it with what the index has.'
      : 'It is built from a folder of this machine: that is your own code, or should be.',
  }
}

/** Goes through this proxy as an HTTP proxy, which verifies or refuses it. */
export function isCarried(
  rawUrl: string,
  installer: Reference['installer'],
  { own, environment, isPipCarried }: JudgeContext,
): boolean {
  const url = URL.parse(rawUrl)
  if (url === null || !/^https?:$/.test(url.protocol)) return false
  if (installer === 'pip' && isPipCarried) return true
  const proxy = URL.parse(findProxyFor(url, environment)?.value ?? '')
  return proxy !== null && own.isProxy(proxy)
}
