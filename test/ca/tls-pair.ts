/** TLS that is ended with one context, a client that speaks to it, and what the client was shown. */

import type { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { connect as connectPlain, createServer, type AddressInfo } from 'node:net'
import { connect, TLSSocket, type ConnectionOptions, type SecureContext } from 'node:tls'

export interface Shown {
  readonly leaf: X509Certificate
  readonly protocol: string | null
}

/** Rejects with what the client says where it does not accept the certificate. */
export async function connectTls(
  secureContext: SecureContext,
  options: ConnectionOptions,
): Promise<Shown> {
  const server = createServer((socket) => {
    // What goes wrong is seen at the client.
    new TLSSocket(socket, { isServer: true, secureContext }).on('error', () => undefined)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = connectPlain((server.address() as AddressInfo).port, '127.0.0.1')
  const client = connect({ ...options, socket })
  try {
    await once(client, 'secureConnect')
    const leaf = client.getPeerX509Certificate()
    if (leaf === undefined) throw new Error('no certificate')
    return { leaf, protocol: client.getProtocol() }
  } finally {
    client.destroy()
    server.close()
  }
}

/** Whatever it is worth. */
export async function presentedBy(context: SecureContext): Promise<X509Certificate> {
  const { leaf } = await connectTls(context, { servername: 'any.test', rejectUnauthorized: false })
  return leaf
}
