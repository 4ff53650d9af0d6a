/** Test files that take long begin first: none of them is left over for one worker at the end. */

import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Those that wait or take more than about fifteen seconds, the longest first. */
const longest = [
  'e2e/slow',
  'e2e/crash',
  'e2e/intercept-clients',
  'watch/thirty-days',
  'e2e/pypi-json',
  'runbook/runbook',
  'mirror/accept-kill',
  'ceremony/kill',
  'e2e/first-use',
  'e2e/clients/poetry',
  'e2e/clients/pip',
  'e2e/private-index',
  'e2e/failures-state',
  'e2e/failures',
  'e2e/clients/pipenv',
  'e2e/doctor',
  'cli/run',
  'e2e/run',
  'e2e/verify-env',
  'e2e/tampering',
  'e2e/lock',
  'e2e/owners',
  'e2e/sidecar',
  'mirror/kill',
].map((name) => `/test/${name}.test.ts`)

function rankOf({ moduleId }: TestSpecification): number {
  const rank = longest.findIndex((name) => moduleId.endsWith(name))
  return rank < 0 ? longest.length : rank
}

export class LongestFirst extends BaseSequencer {
  /** The others keep the order that vitest gives them. */
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // eslint-disable-next-line unicorn/no-array-sort -- not that of an array
    const sorted = await super.sort(files)
    return sorted.toSorted((one, other) => rankOf(one) - rankOf(other))
  }
}
