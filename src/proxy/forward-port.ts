/**
 * What the forward mode needs of the rest of the program, as a port: which hosts belong to indexes,
 * what else the operator lets pass, and connections to it. Nothing that comes over these connections
 * is verified, and nothing of it is ever mixed with what is.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { SecureContext } from 'node:tls'

/** One whose hosts are never let pass: what is asked of them is verified, or refused. */
export interface ForwardIndex {
  readonly name: string
  /** Of its project list, with a slash at the end. */
  readonly url: string
  /** `host`, or `host:port` where the port is not 80 or 443: that of `url`, and those of its files. */
  readonly hosts: readonly string[]
  /** Claims names by pattern: what it does not list must not come from elsewhere. */
  readonly isExplicit: boolean
  /** Whether the project belongs to it and to no other index. `project` is normalized. */
  owns(project: string): boolean
}

/** What a request cost that was let pass. */
export interface PassedThrough {
  readonly status: number
  /** Of the answer's body. */
  readonly bytes: number
}

export interface ForwardPort {
  readonly indexes: readonly ForwardIndex[]
  /** Whether clients on other machines may use what `isAllowed` lets pass. */
  readonly servesRemoteClients: boolean
  /** Whether the operator lets requests to it pass, unverified. `host` in lower case, IPv6 in brackets. */
  isAllowed(host: string, port: number): boolean
  /** Half-open: each direction ends by itself. Throws UpstreamError. */
  openTunnel(host: string, port: number): Promise<Duplex>
  /** Resolves once the answer has been sent. Throws UpstreamError; what was sent before stands. */
  passThrough(request: IncomingMessage, response: ServerResponse, url: URL): Promise<PassedThrough>
  /** For the TLS that is ended here; absent: it is not. `host` without a port. */
  readonly contextFor?: (host: string) => Promise<SecureContext>
}
