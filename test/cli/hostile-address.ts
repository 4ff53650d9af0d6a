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
