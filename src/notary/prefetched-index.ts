/**
 * The index as a look needs it, with the answers that are there already: pages are asked for before the
 * lock of the mirror is taken, so that a slow index holds up nobody else.
 */

import type { FetchedPage, IndexPort } from '../mirror/index-port.ts'

export interface Answer {
  readonly page: FetchedPage | 'absent' | 'unchanged'
  /** What the index was told that we have. */
  readonly askedWith: string | undefined
}

/** What is not among the answers, or was asked for with something else in hand, is asked for now. */
export function createPrefetchedIndex(
  index: IndexPort,
  answers: ReadonlyMap<string, Answer>,
): IndexPort {
  return {
    ...index,
    fetchPage: async (project, etag, isFresh) => {
      const answer = answers.get(project)
      // Another process may have looked since: "unchanged" holds only for what was known when asking.
      if (answer === undefined || isFresh === true) return index.fetchPage(project, etag, isFresh)
      if (answer.page === 'unchanged' && answer.askedWith !== etag) {
        return index.fetchPage(project, etag)
      }
      return answer.page
    },
    // A request waits for this look: sizes that the page does not tell are not worth one more each.
    findSize: () => Promise.resolve(undefined),
  }
}
