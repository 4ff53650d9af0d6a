/**
 * The local authority: one key, and a certificate for it that names exactly the intercepted hosts. The
 * certificate is made anew with the same key at half of its life, so that an installer which was told of the
 * old one goes on. What leaves this file is the certificate and contexts for TLS, never the key.
 */

import { createPublicKey, type KeyObject } from 'node:crypto'
import type { SecureContext } from 'node:tls'
import type { Clock } from '../base/clock.ts'
import { sha256Hex } from '../base/digest.ts'
import { ConfigError } from '../base/errors.ts'
import { parseInterceptedHost, type InterceptedHost } from './intercepted-host.ts'
import { LeafContexts, type LeafTerms } from './leaf-contexts.ts'
import type { Leaf, Validity } from './certificates.ts'

/** Of an authority that is kept on disk. */
export const keptLifetimeMs = 365 * 86_400_000
/** Of one that lives in memory: it ends with its process anyway. */
const memoryLifetimeMs = 7 * 86_400_000
/** Clocks of containers and virtual machines lag behind. */
const backdatingMs = 3_600_000
/** By this an authority of ours is known, whoever made it and when. */
export const authorityNamePrefix = 'tufgate local authority '

export interface HeldAuthority extends Validity {
  readonly key: KeyObject
  readonly certificatePem: string
}

/** Where it is kept from one start to the next; without one it ends with the process. */
export interface AuthorityPlace {
  /** Throws KEY_INVALID for one that is damaged, or open to others. */
  find(): Promise<HeldAuthority | undefined>
  /** One process at a time; `make` is told what is there by then. */
  replace(
    make: (found: HeldAuthority | undefined) => Promise<HeldAuthority>,
  ): Promise<HeldAuthority>
}

export interface AuthorityOptions {
  readonly hosts: readonly InterceptedHost[]
  readonly clock: Clock
  readonly place?: AuthorityPlace
}

/** Each once, in a fixed order. Throws CONFIG_INVALID where one cannot stand in a certificate. */
export function requireInterceptedHosts(rawHosts: Iterable<string>): InterceptedHost[] {
  const hosts = new Map<string, InterceptedHost>()
  for (const rawHost of rawHosts) {
    const host = parseInterceptedHost(rawHost)
    if (host === undefined) {
      throw new ConfigError(
        'CONFIG_INVALID',
        `No certificate can be made for the host ${rawHost}`,
        {
          found: rawHost,
          next: 'Correct the url and file-hosts of the index, or leave [intercept] off.',
        },
      )
    }
    hosts.set(host.name, host)
  }
  if (hosts.size === 0) {
    throw new ConfigError('CONFIG_INVALID', 'There is no host to intercept', {
      next: 'Name an index, or leave [intercept] off.',
    })
  }
  return [...hosts.values()].toSorted((left, right) => (left.name < right.name ? -1 : 1))
}

/** The same for the same key. */
export function nameAuthority(key: KeyObject): string {
  const publicBytes = createPublicKey(key).export({ type: 'spki', format: 'der' })
  return `${authorityNamePrefix}${sha256Hex(publicBytes).slice(0, 12)}`
}

export class Authority {
  readonly hosts: readonly InterceptedHost[]
  readonly #clock: Clock
  readonly #place: AuthorityPlace | undefined
  readonly #contexts: LeafContexts
  #held: HeldAuthority | undefined
  #making: Promise<HeldAuthority> | undefined

  /** Nothing is read or made before it is asked for. */
  constructor({ hosts, clock, place }: AuthorityOptions) {
    this.hosts = hosts
    this.#clock = clock
    this.#place = place
    this.#contexts = new LeafContexts({ hosts, clock, issue: (terms) => this.#issue(terms) })
  }

  /** In PEM. Made at first use. */
  async certificate(): Promise<string> {
    return (await this.#hold()).certificatePem
  }

  /** Throws HOST_NOT_ALLOWED for any host but the intercepted ones. */
  contextFor(rawHost: string): Promise<SecureContext> {
    return this.#contexts.contextFor(rawHost)
  }

  async #issue({ host, from, until }: LeafTerms): Promise<Leaf> {
    const { key, until: end } = await this.#hold()
    const { buildLeaf } = await import('./certificates.ts')
    return buildLeaf({
      host,
      from,
      until: Math.min(until, end),
      authorityKey: key,
      authorityName: nameAuthority(key),
    })
  }

  async #hold(): Promise<HeldAuthority> {
    if (this.#held !== undefined && this.#isFresh(this.#held)) return this.#held
    this.#making ??= this.#findOrMake().finally(() => {
      this.#making = undefined
    })
    this.#held = await this.#making
    return this.#held
  }

  async #findOrMake(): Promise<HeldAuthority> {
    const make = (found: HeldAuthority | undefined): Promise<HeldAuthority> => this.#make(found)
    if (this.#place === undefined) return make(this.#held)
    const found = await this.#place.find()
    return found !== undefined && this.#isFresh(found) ? found : this.#place.replace(make)
  }

  async #make(found: HeldAuthority | undefined): Promise<HeldAuthority> {
    if (found !== undefined && this.#isFresh(found)) return found
    const { buildAuthorityCertificate, buildKey } = await import('./certificates.ts')
    const key = found?.key ?? (await buildKey())
    const lifetimeMs = this.#place === undefined ? memoryLifetimeMs : keptLifetimeMs
    const from = this.#clock() - backdatingMs
    const until = from + backdatingMs + lifetimeMs
    const request = { key, hosts: this.hosts, name: nameAuthority(key), from, until }
    return { key, from, until, certificatePem: await buildAuthorityCertificate(request) }
  }

  /** In the first half of its life; one from the future was made by a clock that was wrong. */
  #isFresh({ from, until }: Validity): boolean {
    const now = this.#clock()
    return now >= from && now < from + (until - from) / 2
  }
}
