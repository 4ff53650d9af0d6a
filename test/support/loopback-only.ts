/**
 * No test may dial anything but this machine: a connection to elsewhere fails the test that made it.
 * Names under `.test` resolve nowhere (RFC 6761) but through a resolver that the test brings itself.
 */

import { Socket, type SocketConnectOpts } from 'node:net'

/** Files that share a process share its sockets: these are guarded once. */
const mark = Symbol.for('tufgate: loopback only')
const loopback = /^(?:localhost|127(?:\.\d+){3}|::1|\[::1\]|::ffff:127(?:\.\d+){3}|[\w.-]+\.test)$/i

// eslint-disable-next-line typescript/unbound-method -- called with its own `this` below
const connect = Socket.prototype.connect

if (!(mark in connect)) Socket.prototype.connect = Object.assign(guarded, { [mark]: true })

function guarded(this: Socket, ...args: unknown[]): Socket {
  const [first] = args
  const options = (Array.isArray(first) ? (first as unknown[])[0] : first) as SocketConnectOpts
  if (typeof options === 'object' && 'host' in options) {
    const host = options.host ?? 'localhost'
    if (!loopback.test(host)) throw new Error(`a test tried to connect to ${host}`)
  }
  return Reflect.apply(connect, this, args) as Socket
}
