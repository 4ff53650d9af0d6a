/**
 * Host and port of another server, as a client names it: read in one way, or not at all. What two
 * programs could take for different hosts (user information, a dot at the end, an address in an odd
 * spelling, a zone) is not understood here. Whether the host may be reached is decided elsewhere.
 */

export interface Authority {
  /** In lower case; an IPv6 address in brackets. */
  readonly host: string
  readonly port: number
}

export type Scheme = 'http' | 'https'

export const defaultPorts = { http: 80, https: 443 } as const

const maxNameLength = 253

/** `defaultPort`: where none is given; without it one must be. */
export function parseAuthority(raw: string, defaultPort?: number): Authority | undefined {
  const [, rawHost = '', digits] =
    /^(\[[0-9a-f:.]+\]|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)(?::([1-9]\d{0,4}))?$/i.exec(raw) ?? []
  const host = rawHost.toLowerCase()
  const port = digits === undefined ? defaultPort : Number(digits)
  if (host === '' || host.length > maxNameLength || port === undefined || port > 65_535) {
    return undefined
  }
  // `127.1`, `0x7f000001` and `[::0:1]` are other spellings of addresses.
  return URL.parse(`http://${host}/`)?.hostname === host ? { host, port } : undefined
}

/** As in a URL of this scheme: its own port is left out. */
export function formatAuthority({ host, port }: Authority, scheme?: Scheme): string {
  return scheme !== undefined && port === defaultPorts[scheme] ? host : `${host}:${port}`
}

export function isSameAuthority(left: Authority, right: Authority): boolean {
  return left.host === right.host && left.port === right.port
}

/** One key for http and https: whoever names a host without a port means both. */
export function hostKey({ host, port }: Authority): string {
  return port === defaultPorts.http || port === defaultPorts.https ? host : `${host}:${port}`
}

/**
 * The key of a host that the operator wrote, in whatever spelling: none of them may be let pass as
 * somebody else's.
 */
export function findHostKey(name: string): string | undefined {
  const host = URL.parse(`https://${name}/`)?.host.replace(/\.(?=:|$)/, '')
  const authority = host === undefined ? undefined : parseAuthority(host, defaultPorts.https)
  return authority === undefined ? undefined : hostKey(authority)
}
