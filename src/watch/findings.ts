/** What a check found, as values: what is wrong, in which file, and what to do. */

import { formatSpan, formatUtcSeconds } from '../base/clock.ts'
import { isTufgateError, type ErrorCode, type TufgateError } from '../base/errors.ts'

export interface Finding {
  /** Which client refuses, or what was looked at. */
  readonly where: string
  /** Relative to the mirror's public folder. */
  readonly file?: string
  readonly code: ErrorCode
  readonly message: string
  readonly next: string
}

/** More are counted, not listed. */
const maxListed = 200

export class Findings {
  /** Of the mirror, for what mends it. */
  readonly directory: string
  readonly #listed: Finding[] = []
  #count = 0

  constructor(directory: string) {
    this.directory = directory
  }

  get listed(): readonly Finding[] {
    return this.#listed
  }

  get count(): number {
    return this.#count
  }

  add(finding: Finding): void {
    this.#count += 1
    if (this.#listed.length < maxListed) this.#listed.push(finding)
  }

  /** Throws what is no failure of the tree. */
  addError(error: unknown, where: string, { file, mend = mendFile }: FindingContext = {}): void {
    if (!isTufgateError(error) || isOwnFailure(error.code)) throw error
    const { code, message, facts } = findReason(error)
    const named = file ?? facts.url
    this.add({
      where,
      code,
      message,
      ...(named !== undefined && { file: named }),
      next: mendings.get(code) ?? mend,
    })
  }
}

export interface FindingContext {
  readonly file?: string | undefined
  /** Where the file itself is at fault. */
  readonly mend?: string
}

const mendFile = 'Put the file back from a backup, or from another copy of the tree.'

/** `directory`: of the mirror, here and below. */
export function remakeRoles(directory: string): string {
  return `tufgate mirror renew ${directory} --all`
}

export function mendRole(directory: string): string {
  return `${mendFile} Online roles are made anew by: ${remakeRoles(directory)}`
}

/** A target that is missing or damaged. What owners have signed only they have again. */
export function mendTarget(
  directory: string,
  project: string | undefined,
  isOwned: boolean,
): string {
  // What is withdrawn, and the list of projects.
  if (project === undefined) return `It is made anew by: ${remakeRoles(directory)}`
  return isOwned
    ? `${mendFile} Or accept the last release of its maintainers again: tufgate mirror claims accept ${directory} RELEASE`
    : `It is made anew by: tufgate mirror sync ${directory} --project ${project} --full`
}

function isOwnFailure(code: ErrorCode): boolean {
  return code === 'DISK_FULL' || code === 'STATE_BUSY'
}

/** With one mirror, "no mirror could be read" has one reason. */
export function findReason(error: TufgateError): TufgateError {
  const { cause } = error
  return error.code === 'METADATA_UNAVAILABLE' && isTufgateError(cause) ? cause : error
}

/** A client is told to ask whoever runs the mirror. This is whoever runs it. */
const mendings: ReadonlyMap<ErrorCode, string> = new Map<ErrorCode, string>([
  [
    'VERSION_ROLLBACK',
    'Clients have seen newer versions than these. If a backup was put back, put back the newer tree, or let the mirror skip what was published since.',
  ],
  [
    'SIGNATURE_THRESHOLD',
    'The keys that signed this are not those that the role above it names: compare with tufgate mirror audit-keys.',
  ],
  [
    'ROLE_NOT_IN_SNAPSHOT',
    'A delegation was published without its role: publish the role, or take the delegation back.',
  ],
  ['EXPIRED', 'Online roles: tufgate mirror renew. Offline ones need their keys: a ceremony.'],
  ['INDEX_UNSEEN', 'Run tufgate mirror sync, and look into why it has not succeeded.'],
  ['CLOCK_WRONG', 'Set the clock of this machine right, then sign again with --accept-clock.'],
])

export function describeFinding({ where, file, message, next }: Finding): string {
  return [
    `${where}: ${message}`,
    ...(file === undefined ? [] : [`  file: ${file}`]),
    `  ${next}`,
  ].join('\n')
}

export function describeLeft(expires: number, now: number): string {
  return expires > now
    ? `expires in ${formatSpan(expires - now)} (${formatUtcSeconds(expires)})`
    : `expired ${formatSpan(now - expires)} ago (${formatUtcSeconds(expires)})`
}
