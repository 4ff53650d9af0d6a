/**
 * The parts of undici that are used here, not through its front door: behind that stand fetch,
 * WebSocket, caches and mocks, 7 MB and 70 ms. Of the methods of a dispatcher only `dispatch`,
 * `connect`, `close` and `destroy` are there. The version of undici is pinned exactly.
 */

import connect from 'undici/lib/api/api-connect.js'
import Dispatcher from 'undici/lib/dispatcher/dispatcher.js'

export { default as buildConnector } from 'undici/lib/core/connect.js'
export { default as EnvHttpProxyAgent } from 'undici/lib/dispatcher/env-http-proxy-agent.js'

// The front door gives this method to all dispatchers: a tunnel through a corporate proxy needs it.
Object.assign(Dispatcher.prototype, { connect })
