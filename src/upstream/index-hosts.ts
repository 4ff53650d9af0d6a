/** Which hosts the files of an index may come from, as its settings and its own address say. */

import { lookup } from 'node:dns/promises'
import { findAddressKind, findLiteralAddress, isLocalName } from './address-guard.ts'
import type { Credentials } from './credentials.ts'
import type { HostRules } from './host-rules.ts'

/** pypi.org keeps its files on another host of its own. */
const knownFileHosts: ReadonlyMap<string, readonly string[]> = new Map([
  ['pypi.org', ['files.pythonhosted.org']],
])

/** The index's own host, and `fileHosts` or, without them, what is known of this index. */
export function listIndexHosts(
  indexUrl: string,
  fileHosts: readonly string[] | undefined,
): readonly string[] {
  const { host } = new URL(indexUrl)
  return [...new Set([host, ...(fileHosts ?? knownFileHosts.get(host) ?? [])])]
}

/** All addresses of a name; rejects where it does not resolve. */
export type ResolveName = (hostname: string) => Promise<readonly string[]>

const resolveName: ResolveName = async (hostname) => {
  const found = await lookup(hostname, { all: true })
  return found.map(({ address }) => address)
}

export interface IndexHostsOptions {
  readonly resolve?: ResolveName
  readonly credentials?: Credentials | undefined
}

/**
 * The index's own host, and `fileHosts` or, without them, what is known of this index. Private
 * addresses are dialled only where the index itself is at one: while its name does not resolve, the
 * stricter rule holds.
 */
export class IndexHosts {
  readonly #hostname: string
  readonly #resolve: ResolveName
  readonly #names: readonly string[]
  readonly #credentials: Credentials | undefined
  #allowPrivate: boolean | undefined
  #asking: Promise<void> | undefined

  private constructor(
    indexUrl: string,
    fileHosts: readonly string[] | undefined,
    { resolve = resolveName, credentials }: IndexHostsOptions,
  ) {
    this.#hostname = new URL(indexUrl).hostname
    this.#resolve = resolve
    this.#names = listIndexHosts(indexUrl, fileHosts)
    this.#credentials = credentials
  }

  static async open(
    indexUrl: string,
    fileHosts: readonly string[] | undefined,
    options: IndexHostsOptions = {},
  ): Promise<IndexHosts> {
    const hosts = new IndexHosts(indexUrl, fileHosts, options)
    await hosts.settle()
    return hosts
  }

  get rules(): HostRules {
    return {
      names: this.#names,
      allowPrivate: this.#allowPrivate ?? false,
      credentials: this.#credentials,
    }
  }

  /** Asks again where the name did not resolve before, as without the VPN that knows it. Never rejects. */
  async settle(): Promise<void> {
    if (this.#allowPrivate !== undefined) return
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined
    })
    await this.#asking
  }

  async #ask(): Promise<void> {
    const literal = findLiteralAddress(this.#hostname)
    if (literal !== undefined || isLocalName(this.#hostname)) {
      this.#allowPrivate = literal === undefined || findAddressKind(literal) !== 'public'
      return
    }
    try {
      const addresses = await this.#resolve(this.#hostname)
      this.#allowPrivate = addresses.some((address) => findAddressKind(address) !== 'public')
    } catch {
      // Not to be resolved now: asked again at the next need.
    }
  }
}

/** The rules as they are now. */
export async function findIndexHosts(
  indexUrl: string,
  fileHosts: readonly string[] | undefined,
  options: IndexHostsOptions = {},
): Promise<HostRules> {
  return (await IndexHosts.open(indexUrl, fileHosts, options)).rules
}
