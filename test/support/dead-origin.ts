/** Where nobody listens, for as long as this process lives. */

import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'

/** The near end of an open connection: nobody else is given its port meanwhile. */
export async function findDeadOrigin(): Promise<string> {
  const server = createServer((socket) => void socket.on('error', () => undefined).unref())
  server.listen(0, '127.0.0.1').unref()
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const holder = connect(port, '127.0.0.1').on('error', () => undefined)
  await once(holder, 'connect')
  const { localPort } = holder.unref()
  return `http://127.0.0.1:${localPort}/`
}
