/** Which servers besides the indexes may be reached, and by whom. Never by default. */

import type { IncomingMessage } from 'node:http'
import { RequestError } from '../base/errors.ts'
import type { Authority } from './authority.ts'
import type { ForwardPort } from './forward-port.ts'
import { isLocalClient } from './local-client.ts'

/** Throws RequestError FORWARD_REFUSED. */
export function requireLetPass(
  port: ForwardPort,
  { socket }: IncomingMessage,
  { host, port: number }: Authority,
): void {
  const found = `${host}:${number}`
  if (!port.isAllowed(host, number)) {
    const isUsual = number === 80 || number === 443
    throw new RequestError(
      'FORWARD_REFUSED',
      `${found} is neither a host of an index nor on the list allow in [forward]`,
      {
        found,
        next: `if packages come from it: give it an [[index]] in the settings. Else, where clients need it and nobody is to check it: allow = ["${isUsual ? host : found}"] in [forward]`,
      },
    )
  }
  if (port.servesRemoteClients || isLocalClient(socket)) return
  throw new RequestError(
    'FORWARD_REFUSED',
    `clients on other machines do not reach ${found} through this proxy`,
    { found, next: 'where they should: remote-clients = true in [forward] of the settings' },
  )
}
