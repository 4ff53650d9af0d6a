/**
 * Contexts for the TLS that is ended here, one for each host, made when it is first asked for and in time
 * again. There are never more than there are intercepted hosts, and none for any other.
 */

import { createSecureContext, type SecureContext } from 'node:tls'
import { toPrintable } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { RequestError } from '../base/errors.ts'
import type { Leaf, Validity } from './certificates.ts'
import { parseInterceptedHost, type InterceptedHost } from './intercepted-host.ts'

const leafLifetimeMs = 3 * 86_400_000
const leafBackdatingMs = 3_600_000
/** Connections that begin just before have a day. */
const renewAfterMs = 2 * 86_400_000

export interface LeafTerms extends Validity {
  readonly host: InterceptedHost
}

export interface LeafContextsOptions {
  readonly hosts: readonly InterceptedHost[]
  readonly clock: Clock
  /** May shorten its life, to that of the authority. */
  readonly issue: (terms: LeafTerms) => Promise<Leaf>
}

interface Issued {
  readonly at: number
  readonly context: Promise<SecureContext>
}

export class LeafContexts {
  readonly #hosts: ReadonlyMap<string, InterceptedHost>
  readonly #clock: Clock
  readonly #issue: (terms: LeafTerms) => Promise<Leaf>
  readonly #issued = new Map<string, Issued>()

  constructor({ hosts, clock, issue }: LeafContextsOptions) {
    this.#hosts = new Map(hosts.map((host) => [host.name, host]))
    this.#clock = clock
    this.#issue = issue
  }

  /** Throws HOST_NOT_ALLOWED for any host but the intercepted ones. */
  async contextFor(rawHost: string): Promise<SecureContext> {
    const host = this.#requireHost(rawHost)
    const now = this.#clock()
    const issued = this.#issued.get(host.name)
    if (
      issued !== undefined &&
      now >= issued.at - leafBackdatingMs &&
      now < issued.at + renewAfterMs
    )
      return issued.context
    const context = this.#make(host, now)
    this.#issued.set(host.name, { at: now, context })
    try {
      return await context
    } catch (error) {
      // The next request tries again.
      if (this.#issued.get(host.name)?.context === context) this.#issued.delete(host.name)
      throw error
    }
  }

  #requireHost(rawHost: string): InterceptedHost {
    const name = parseInterceptedHost(rawHost)?.name
    const host = name === undefined ? undefined : this.#hosts.get(name)
    if (host !== undefined) return host
    throw new RequestError(
      'HOST_NOT_ALLOWED',
      `TLS to ${toPrintable(rawHost, 260)} is not intercepted`,
      {
        expected: [...this.#hosts.keys()].join(', '),
        found: toPrintable(rawHost, 260),
        next: 'Only the hosts of an index are: add it to file-hosts of its index, or to [forward] allow to let it pass unverified.',
      },
    )
  }

  async #make(host: InterceptedHost, now: number): Promise<SecureContext> {
    const terms = { host, from: now - leafBackdatingMs, until: now + leafLifetimeMs }
    const { certificatePem, keyPem } = await this.#issue(terms)
    return createSecureContext({ cert: certificatePem, key: keyPem, minVersion: 'TLSv1.2' })
  }
}
