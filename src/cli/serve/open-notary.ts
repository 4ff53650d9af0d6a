/** The embedded notary of an index without a mirror: its folder, its way to the index, its background. */

import type { IndexPort } from '../../mirror/index-port.ts'
import { createSourcePort } from '../../mirror/source-port.ts'
import { findNotaryPlace, type NotaryPlace } from '../../notary/notary-folder.ts'
import { Notary } from '../../notary/notary.ts'
import { createIndexClient } from '../../upstream/index-client.ts'
import type { IndexHosts } from '../../upstream/index-hosts.ts'
import type { IndexContext } from './open-index.ts'
import { NotaryNews } from './notary-news.ts'
import type { IndexSettings } from '../settings.ts'

export interface OpenedNotary {
  readonly place: NotaryPlace
  readonly notary: Notary
  readonly news: NotaryNews
}

export async function openNotary(
  index: IndexSettings,
  hosts: IndexHosts,
  context: IndexContext,
): Promise<OpenedNotary> {
  const { stateHome, clock, warn, log = (_level, message) => warn(message) } = context
  const place = findNotaryPlace(stateHome, index.url)
  const news = new NotaryNews({ index: index.name, folder: place.path }, log, clock)
  const notary = await Notary.open({
    place,
    index: createPort(index, hosts, context),
    clock,
    report: (event) => news.tell(event),
  })
  return { place, notary, news }
}

/** The rules as they are at each request: a name that does not resolve at the start may do so later. */
function createPort({ url }: IndexSettings, hosts: IndexHosts, { http }: IndexContext): IndexPort {
  const rules = {
    get names() {
      return hosts.rules.names
    },
    get allowPrivate() {
      return hosts.rules.allowPrivate
    },
    credentials: hosts.rules.credentials,
  }
  const port = createSourcePort(createIndexClient(http, { url, hosts: rules }), {
    fileHosts: hosts.rules.names,
    hasExactSizes: false,
    // The client belongs to the whole proxy.
    close: () => Promise.resolve(),
  })
  return {
    ...port,
    fetchPage: async (project, etag, isFresh) => {
      await hosts.settle()
      return port.fetchPage(project, etag, isFresh)
    },
  }
}
