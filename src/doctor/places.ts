/** The headings of findings that stand in no file. */

export const environmentPlace = 'environment variables'
/** What `tufgate run` is about to start. */
export const commandLinePlace = 'the command line'
/** Of installers that are told nothing, in no file. */
export const unsetPlace = 'installers without an index'
export const proxyPlace = 'the proxy'
export const indexPlace = 'indexes and mirrors'
export const statePlace = 'the state of tufgate'
export const cachePlace = 'caches of installers'
export const machinePlace = 'this machine'
export const uncheckedPlace = 'not checked'
