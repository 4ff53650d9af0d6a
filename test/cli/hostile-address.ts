/** Something that listens and says one thing to everybody, whatever it is asked. */

import { createServer, type AddressInfo, type Server } from 'node:net'

export function hostileAddress(answer: string): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.once('data', () => socket.end(answer))
  })
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      resolve({ server, port: (server.address() as AddressInfo).port })
    })
  })
}

/** Where somebody listened a moment ago, and nobody does. */
export async function findClosedPort(): Promise<number> {
  const { server, port } = await hostileAddress('')
  await new Promise((resolve) => server.close(resolve))
  return port
}
