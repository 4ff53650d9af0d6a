/** Hosts and ports as they stand in a URL, and as a socket takes them: an IPv6 address has brackets in one alone. */

/** `::1` -> `[::1]` */
export function bracketHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

/** `[::1]` -> `::1` */
export function unbracketHost(host: string): string {
  return host.replaceAll(/[[\]]/g, '')
}

/** The one that is meant where none is written. */
export function portOf({ port, protocol }: URL): number {
  if (port !== '') return Number(port)
  return protocol === 'https:' ? 443 : 80
}
