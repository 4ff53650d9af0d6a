/**
 * An index that can be let go of in the middle of a sync: what is under way ends, and nothing more is
 * asked. The sync ends without a publication; what it had looked at is kept, and published next time.
 */

import type { OpenIndex } from '../mirror/index-choice.ts'
import type { IndexPort } from '../mirror/index-port.ts'

/** Not of the family of failures: nobody but the watch may take it for one. */
export class StoppedError extends Error {
  constructor() {
    super('stopped while it looked at the index')
    this.name = 'StoppedError'
  }
}

export function makeStoppable(openIndex: OpenIndex, signal: AbortSignal): OpenIndex {
  return async (address) => {
    const port = await openIndex(address)
    const close = onlyOnce(() => port.close())
    // A file that is being hashed may take hours.
    const letGo = (): void => void close().catch(() => undefined)
    signal.addEventListener('abort', letGo)
    return guardPort(port, signal, async () => {
      signal.removeEventListener('abort', letGo)
      await close()
    })
  }
}

function guardPort(port: IndexPort, signal: AbortSignal, close: () => Promise<void>): IndexPort {
  const guard = async <T>(work: () => Promise<T>): Promise<T> => {
    requireRunning(signal)
    try {
      return await work()
    } catch (error) {
      // What broke because it was let go of is nobody's failure.
      requireRunning(signal)
      throw error
    }
  }
  return {
    ...port,
    fetchPage: (...request) => guard(() => port.fetchPage(...request)),
    fetchProjectList: (etag) => guard(() => port.fetchProjectList(etag)),
    findSize: (url) => guard(() => port.findSize(url)),
    hashFile: (...request) => guard(() => port.hashFile(...request)),
    close,
  }
}

function requireRunning({ aborted }: AbortSignal): void {
  if (aborted) throw new StoppedError()
}

function onlyOnce(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => (done ??= work())
}
