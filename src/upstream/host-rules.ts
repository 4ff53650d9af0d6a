/**
 * Where a request may go: http and https URLs without credentials, on hosts that the operator
 * allows, and from https never back to http. Checked for the first URL and at each redirect;
 * which addresses such a host may have is checked when the socket connects (`address-guard.ts`).
 */

import { UpstreamError } from '../base/errors.ts'
import { toPrintable } from '../base/bytes.ts'
import {
  AddressRefusedError,
  findLiteralAddress,
  isLocalName,
  requireDialable,
} from './address-guard.ts'
import type { Credentials } from './credentials.ts'

export interface HostRules {
  /** `host`, or `host:port` where the port is not the scheme's own. */
  readonly names: readonly string[]
  /** Loopback and private addresses too: set when the index itself is at one. */
  readonly allowPrivate: boolean
  /** Of this index, for its own origin. */
  readonly credentials?: Credentials | undefined
}

/** The rules for one server that the operator named himself, a mirror for example. */
export function hostOf(url: string): HostRules {
  return { names: [new URL(url).host], allowPrivate: true }
}

/** For messages, logs and facts: without credentials, query and fragment. */
export function showUrl(url: URL | string): string {
  const parsed = typeof url === 'string' ? URL.parse(url) : url
  if (parsed === null) return toPrintable(String(url).replace(/[?#].*$/s, ''))
  return toPrintable(`${parsed.protocol}//${parsed.host}${parsed.pathname}`, 500)
}

/** Throws UpstreamError HOST_REFUSED. */
export function requireAllowedUrl(rawUrl: string, rules: HostRules): URL {
  const url = URL.parse(rawUrl)
  if (url === null)
    throw refuse(`${toPrintable(rawUrl, 80)} is not an absolute URL`, showUrl(rawUrl))
  requireScheme(url)
  requireListed(url, rules)
  requirePlainHost(url, rules)
  return url
}

/** The target of a redirect; `rawLocation` may be relative. Throws UpstreamError HOST_REFUSED. */
export function requireAllowedRedirect(from: URL, rawLocation: string, rules: HostRules): URL {
  const target = URL.parse(rawLocation, from.href)
  if (target === null)
    throw refuse(`${showUrl(from)} redirects to something that is no URL`, showUrl(from))
  target.hash = ''
  if (from.protocol === 'https:' && target.protocol === 'http:') {
    throw refuse(
      `${showUrl(from)} redirects from https to http, to ${showUrl(target)}`,
      showUrl(target),
    )
  }
  return requireAllowedUrl(target.href, rules)
}

export function refuseAddress(url: URL, cause: AddressRefusedError): UpstreamError {
  return new UpstreamError(
    'HOST_REFUSED',
    `refused to connect to ${showUrl(url)}: ${cause.message}`,
    {
      found: cause.address,
      url: showUrl(url),
      next: `Private addresses are only dialled where the index itself is at one; if ${cause.host} should be reached, check the setting file-hosts and the name's DNS entries.`,
      cause,
    },
  )
}

function requireScheme(url: URL): void {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw refuse(`${showUrl(url)} is neither https nor http`, showUrl(url))
  }
  if (url.username !== '' || url.password !== '') {
    throw refuse(`the URL ${showUrl(url)} carries credentials`, showUrl(url))
  }
}

function requireListed(url: URL, rules: HostRules): void {
  // Both sides parsed under the URL's own scheme: one spelling, and the default port left out.
  const isListed = rules.names.some(
    (name) => URL.parse(`${url.protocol}//${name}`)?.host === url.host,
  )
  if (isListed) return
  throw new UpstreamError(
    'HOST_REFUSED',
    `${url.host} is not one of the allowed hosts, asked for ${showUrl(url)}`,
    {
      expected: rules.names.join(', '),
      found: url.host,
      url: showUrl(url),
      next: `If files of this index really are on ${url.host}, add to its settings: file-hosts = ${renderHosts(rules, url)}`,
    },
  )
}

/** What the setting would be: the first name is the index's own, which needs no naming. */
function renderHosts({ names: [, ...others] }: HostRules, { host }: URL): string {
  return `[${[...others, host].map((name) => `"${toPrintable(name, 100)}"`).join(', ')}]`
}

/** Written addresses are judged here too: behind a corporate proxy no socket of ours sees them. */
function requirePlainHost(url: URL, rules: HostRules): void {
  const literal = findLiteralAddress(url.hostname)
  const address = literal ?? (isLocalName(url.hostname) ? '127.0.0.1' : undefined)
  if (address === undefined) return
  try {
    requireDialable(url.hostname, address, rules.allowPrivate)
  } catch (error) {
    if (error instanceof AddressRefusedError) throw refuseAddress(url, error)
    throw error
  }
}

function refuse(message: string, url: string): UpstreamError {
  return new UpstreamError('HOST_REFUSED', message, {
    url,
    next: 'Look at what the index lists and where it redirects to; the hosts that may be asked are in the setting file-hosts.',
  })
}
