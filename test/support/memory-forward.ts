/** The port of the forward mode in memory: indexes, a list, and connections that a test makes. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { createSecureContext, type SecureContext } from 'node:tls'
import type { ForwardIndex, ForwardPort, PassedThrough } from '../../src/proxy/forward-port.ts'
import { tlsCertificate, tlsKey } from './tls-identity.ts'

export const publicIndex: ForwardIndex = {
  name: 'public',
  url: 'http://index.test/simple/',
  hosts: ['index.test', 'files.test'],
  isExplicit: false,
  owns: (project) => !project.startsWith('acme-'),
}

const acmeIndex: ForwardIndex = {
  name: 'acme',
  url: 'https://acme.test:8443/root/dev/+simple/',
  hosts: ['acme.test:8443'],
  isExplicit: true,
  owns: (project) => project.startsWith('acme-'),
}

export class MemoryForward implements ForwardPort {
  indexes: readonly ForwardIndex[] = [publicIndex, acmeIndex]
  servesRemoteClients = false
  readonly allowed = new Set<string>()
  /** Where tunnels lead to, by `host:port`. */
  readonly ports = new Map<string, number>()
  readonly tunnels: string[] = []
  readonly passed: string[] = []
  /** Thrown by `openTunnel` and `passThrough`. */
  fault: Error | undefined
  contextFor?: (host: string) => Promise<SecureContext>

  isAllowed(host: string, port: number): boolean {
    return this.allowed.has(`${host}:${port}`)
  }

  async openTunnel(host: string, port: number): Promise<Duplex> {
    this.tunnels.push(`${host}:${port}`)
    if (this.fault !== undefined) throw this.fault
    const socket = connect({
      port: this.ports.get(`${host}:${port}`) ?? 0,
      host: '127.0.0.1',
      allowHalfOpen: true,
    })
    await new Promise((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    // As a connection comes: whoever has it listens to it.
    socket.removeAllListeners('error')
    return socket
  }

  async passThrough(
    _request: IncomingMessage,
    response: ServerResponse,
    url: URL,
  ): Promise<PassedThrough> {
    this.passed.push(url.href)
    if (this.fault !== undefined) throw this.fault
    response.writeHead(200, { 'content-length': 6 })
    response.end('passed')
    return { status: 200, bytes: 6 }
  }

  /** TLS is ended with the certificate of the tests. */
  endTls(): void {
    this.contextFor = async () => createSecureContext({ key: tlsKey, cert: tlsCertificate })
  }
}
