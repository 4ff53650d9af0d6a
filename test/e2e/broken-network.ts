/**
 * Loaded into a process before the program (`node --import`): while the file TUFGATE_TEST_NETWORK says
 * `resolver`, no host name resolves; while it says `down`, no address can be reached either. Those who
 * connect to the process itself are not touched.
 */

import dns, { type LookupAddress } from 'node:dns'
import promises from 'node:dns/promises'
import { readFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { isIP, Socket } from 'node:net'

const path = process.env['TUFGATE_TEST_NETWORK'] ?? ''
const realLookup = dns.lookup.bind(dns) as (...args: unknown[]) => void
const realPromise = promises.lookup.bind(promises) as (...args: unknown[]) => Promise<LookupAddress>
// oxlint-disable-next-line typescript/unbound-method -- called with the socket below
const realConnect = Socket.prototype.connect as (...args: unknown[]) => Socket

function isBroken(...kinds: readonly string[]): boolean {
  return kinds.includes(readFileSync(path, 'utf8'))
}

function isUnresolvable(name: unknown): name is string {
  return typeof name === 'string' && isIP(name) === 0 && isBroken('resolver', 'down')
}

function lookup(...args: unknown[]): void {
  const [name, done] = [args[0], args.at(-1)]
  if (!isUnresolvable(name) || typeof done !== 'function') return realLookup(...args)
  process.nextTick(() => Reflect.apply(done, undefined, [buildLookupError(name)]) as unknown)
}

function lookupLater(...args: unknown[]): Promise<LookupAddress> {
  const [name] = args
  return isUnresolvable(name) ? Promise.reject(buildLookupError(name)) : realPromise(...args)
}

function connect(this: Socket, ...args: unknown[]): Socket {
  if (!isBroken('down')) return Reflect.apply(realConnect, this, args)
  const error = new Error('connect ENETUNREACH')
  const failure = Object.assign(error, { code: 'ENETUNREACH', errno: -101, syscall: 'connect' })
  process.nextTick(() => this.destroy(failure))
  return this
}

function buildLookupError(hostname: string): Error {
  const error = new Error(`getaddrinfo EAI_AGAIN ${hostname}`)
  return Object.assign(error, { code: 'EAI_AGAIN', errno: -3001, syscall: 'getaddrinfo', hostname })
}

Object.assign(dns, { lookup })
Object.assign(promises, { lookup: lookupLater })
Object.assign(Socket.prototype, { connect })
syncBuiltinESMExports()
