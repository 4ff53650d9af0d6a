/**
 * Which addresses are this proxy: those that it listens on, by each name of this machine, the names
 * that the settings give it, and those where a proxy of tufgate was seen to answer.
 */

import { bracketHost, portOf } from '../base/url-host.ts'

export interface ListenedAddress {
  readonly host: string
  readonly port: number
}

export interface OwnAddressOptions {
  readonly listen: readonly ListenedAddress[]
  /** The setting `hosts`: `name` or `name:port`. */
  readonly hosts: readonly string[]
  /** Addresses of an index where tufgate answered, as they were found: of `run` and `start`. */
  readonly answering?: readonly string[]
}

/** `index`: /simple/ of it. `elsewhere`: the proxy, at a path where it has no index. */
export type OwnPart = 'index' | 'file' | 'elsewhere'

export class OwnAddresses {
  readonly #authorities: ReadonlySet<string>
  readonly #names: ReadonlySet<string>
  readonly #answering: readonly string[]
  /** What to write into settings. */
  readonly index: string

  constructor({ listen, hosts, answering = [] }: OwnAddressOptions) {
    const local = ['localhost', '127.0.0.1', '[::1]']
    this.#authorities = new Set(
      listen.flatMap(({ host, port }) => {
        const own = bracketHost(host)
        const names = isEverywhere(host) || local.includes(own) ? [...local, own] : [own]
        return names.map((name) => `${name}:${port}`)
      }),
    )
    this.#names = new Set(hosts.map((name) => name.toLowerCase()))
    this.#answering = answering.map((address) => originAndToken(address))
    this.index = answering[0] ?? `${originOf(listen[0])}/simple/`
  }

  /** `undefined`: it is somebody else's. */
  findPart(rawUrl: string): OwnPart | undefined {
    const url = URL.parse(rawUrl.trim())
    if (url === null || !/^https?:$/.test(url.protocol) || !this.isProxy(url)) return undefined
    if (/^\/(?:[^/]+\/)?simple\/?$/.test(url.pathname)) return 'index'
    // A lock file may name the page of one project, too.
    return /^\/(?:[^/]+\/)?(?:files|simple)\/.+/.test(url.pathname) ? 'file' : 'elsewhere'
  }

  /** Whatever the path. */
  isProxy(url: URL): boolean {
    const authority = `${url.hostname}:${portOf(url)}`
    if (this.#authorities.has(authority)) return true
    if (this.#names.has(url.hostname) || this.#names.has(authority)) return true
    return this.#answering.some((start) => `${url.origin}${url.pathname}`.startsWith(start))
  }
}

/** Of this machine, whoever listens there. */
export function isLocalAddress(rawUrl: string): boolean {
  const { hostname = '' } = URL.parse(rawUrl.trim()) ?? {}
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname)
}

function originOf(address: ListenedAddress | undefined): string {
  const { host, port } = address ?? { host: '127.0.0.1', port: 8642 }
  if (isEverywhere(host)) return `http://127.0.0.1:${port}`
  return `http://${bracketHost(host)}:${port}`
}

function isEverywhere(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}

/** `http://127.0.0.1:9/TOKEN/simple/` -> `http://127.0.0.1:9/TOKEN/` */
function originAndToken(rawIndex: string): string {
  const url = URL.parse(rawIndex)
  if (url === null) return rawIndex
  return `${url.origin}${url.pathname.replace(/simple\/?$/, '')}`
}
