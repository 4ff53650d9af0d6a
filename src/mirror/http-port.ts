/** An index at an HTTP(S) address. */

import { HttpClient } from '../upstream/http-client.ts'
import { createIndexClient } from '../upstream/index-client.ts'
import { findIndexHosts } from '../upstream/index-hosts.ts'
import type { IndexAddress } from './index-choice.ts'
import type { IndexPort } from './index-port.ts'
import { createSourcePort } from './source-port.ts'

export async function openHttpPort(address: IndexAddress, userAgent: string): Promise<IndexPort> {
  const hosts = await findIndexHosts(address.index, address.fileHosts)
  const http = new HttpClient({ userAgent })
  return createSourcePort(createIndexClient(http, { url: address.index, hosts }), {
    fileHosts: hosts.names,
    hasCheapSizes: false,
    close: () => http.close(),
  })
}
