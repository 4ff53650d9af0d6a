/**
 * An index whose list has serials: a page that is older than the list says is a copy of a cache that
 * nobody has told yet. It is not taken; at the end of the round it is asked for once more, past the
 * caches, and only then reported. Caches are not purged: that is for their owner.
 */

import { UpstreamError } from '../base/errors.ts'
import type { FetchedPage, IndexPort } from './index-port.ts'

export interface SerialPortOptions {
  readonly port: IndexPort
  /** By project, what the list says; projects without a serial are not checked. */
  readonly expected: ReadonlyMap<string, number | undefined>
  /** To be looked at once more at the end of the round. */
  readonly postpone: (project: string) => void
}

type Answer = FetchedPage | 'absent' | 'unchanged'

export function createSerialPort({ port, expected, postpone }: SerialPortOptions): IndexPort {
  const postponed = new Set<string>()
  return {
    ...port,
    async fetchPage(project, etag) {
      const wanted = expected.get(project)
      if (wanted === undefined) return port.fetchPage(project, etag)
      const isLastTry = postponed.has(project)
      // The list says that it has changed: "unchanged" would be about the old copy of a cache.
      const answer = await port.fetchPage(project, undefined, isLastTry)
      const serial = serialOf(answer, wanted)
      if (typeof answer !== 'string' && serial >= wanted) return { ...answer, serial }
      if (isLastTry) {
        if (typeof answer === 'string') return answer
        throw refuseStale(project, wanted, serial)
      }
      postponed.add(project)
      postpone(project)
      return 'unchanged'
    },
  }
}

/** Where serials stand in the list alone, the page is taken to be as the list says. */
function serialOf(answer: Answer, wanted: number): number {
  return typeof answer === 'string' ? -1 : (answer.serial ?? wanted)
}

function refuseStale(project: string, wanted: number, found: number): UpstreamError {
  return new UpstreamError(
    'METADATA_UNAVAILABLE',
    `the page of ${project} is older than the list of the index says`,
    {
      expected: `serial ${wanted} or later`,
      found: `serial ${found}`,
      next: 'A cache on the way has an old copy; it is asked for again at the next sync.',
    },
  )
}
