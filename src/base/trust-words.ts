/**
 * How answers are spoken of, by the kind of trust that they rest on. A list that a mirror has signed is
 * verified; what the embedded notary saw first is remembered, which proves nothing about that first time:
 * of it nobody says "signed" or "verified". No other file chooses between these words.
 */

export type TrustKind = 'signed' | 'first-use'

export interface TrustWords {
  /** What an answer rests on. */
  readonly list: string
  /** For "sha256 of foo.whl is not ...". */
  readonly expectedFile: string
  /** Why no project of this name is served. */
  absent(project: string): string
  /** The same, of an index to which the settings give the name. */
  absentClaimed(project: string): string
  record(project: string): string
  /** Of headers that are sent before the file is there. */
  readonly earlyHead: string
  readonly noProjectList: string
  /** Of a file on disk that is the one in the record. */
  readonly matches: string
  /** Of such files together, with what that says and what it does not. */
  readonly matchesMean: string
  /** Where a wheel says something else than its record says of it. */
  readonly adviceOnMetadata: string
  /** On each page of a project, for whoever reads it. */
  readonly pageRemark?: string
}

const signed: TrustWords = {
  list: 'signed list',
  expectedFile: 'the signed one',
  absent: (project) => `project ${project} is not in the signed list`,
  absentClaimed: (project) =>
    `project ${project} is not in the signed list of the index that claims its name`,
  record: (project) => `the signed record of ${project}`,
  earlyHead: 'headers from the signed record; the file is not verified yet',
  noProjectList: 'the mirror publishes no list of all projects',
  matches: 'verified',
  matchesMean: 'traced to the signed record and its pinned root',
  adviceOnMetadata:
    'Do not install it. Ask whoever runs the mirror: tufgate mirror verify-files finds it there, and once the index is mended, a sync mends the record.',
}

const firstUse: TrustWords = {
  list: 'first-use record',
  expectedFile: 'the one of first use',
  absent: (project) =>
    `project ${project}: the index says that there is none (404); not proven, the index said so`,
  absentClaimed: (project) =>
    `project ${project}: the index that claims its name says that there is none (404); not proven`,
  record: (project) => `the first-use record of ${project}`,
  earlyHead: 'headers from the first-use record; the file is not checked yet',
  noProjectList: 'no list of all projects is kept with trust on first use',
  matches: 'as first seen',
  matchesMean: 'the same as when the index was first asked; nobody vouches for that first time',
  adviceOnMetadata:
    'Do not install it. Ask whoever runs the index: its page says of this wheel what the wheel itself does not.',
  pageRemark: 'first-use: nobody vouches for what was seen for the first time',
}

export function findTrustWords(kind: TrustKind): TrustWords {
  return kind === 'first-use' ? firstUse : signed
}

export function trustKindOf({ firstUse: isFirstUse }: { readonly firstUse?: boolean }): TrustKind {
  return isFirstUse === true ? 'first-use' : 'signed'
}
