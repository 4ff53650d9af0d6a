/** Who may know, and reach, what is for this machine alone. */

import type { Socket } from 'node:net'

/** Whether the client runs on this machine: it has a loopback address, or the one that it called. */
export function isLocalClient({ remoteAddress = '', localAddress }: Socket): boolean {
  return /^(?:::ffff:)?127\.|^::1$/.test(remoteAddress) || remoteAddress === localAddress
}
