/** That the fuzzer sees a verifier that accepts too much: one check at a time is taken out of it. */

import { afterEach, describe, expect, test, vi } from 'vitest'
import { makeInput, tryInput } from '../../scripts/fuzz/run-target.ts'
import type { FuzzTarget } from '../../scripts/fuzz/target.ts'

const maxInputs = 100
const nothing = (): void => undefined

/** With these functions of a module in place of its own. */
async function loadWorkflow(module: string, faulty: object): Promise<FuzzTarget> {
  vi.resetModules()
  vi.doMock(module, async (load) => ({ ...(await load<object>()), ...faulty }))
  const { workflowTarget } = await import('../../scripts/fuzz/targets/workflow.ts')
  return workflowTarget
}

/** The first of all; `from` where it is known to be near, so that the test is short. */
async function findFault(target: FuzzTarget, from: number): Promise<string | undefined> {
  for (let number = from; number < from + maxInputs; number += 1) {
    const input = makeInput(target, [], { seed: 1, number })
    // oxlint-disable-next-line no-await-in-loop -- until one is found
    const { fault } = await tryInput(target, input)
    if (fault?.kind === 'rule' || fault?.kind === 'exception') return fault.message
  }
  return undefined
}

afterEach(() => {
  vi.doUnmock('../../src/tuf/threshold.ts')
  vi.doUnmock('../../src/tuf/floors.ts')
  vi.doUnmock('../../src/tuf/freshness.ts')
  vi.doUnmock('../../src/tuf/content.ts')
  vi.doUnmock('../../src/tuf/rotation.ts')
  vi.resetModules()
})

describe('a verifier is found out', () => {
  test.each<readonly [string, string, object, RegExp, number]>([
    [
      'that checks no signature',
      '../../src/tuf/threshold.ts',
      { requireThreshold: nothing },
      /was accepted with too few signatures/,
      0,
    ],
    [
      'that lets versions go back',
      '../../src/tuf/floors.ts',
      { requireAtLeast: nothing, requireListedRoles: nothing },
      /an older \w+ (?:was accepted|than before)|or without it/,
      0,
    ],
    [
      'that forgets what was listed',
      '../../src/tuf/floors.ts',
      { requireListedRoles: nothing },
      /a snapshot with an older \w+, or without it|does not heal/,
      235,
    ],
    [
      'that uses what has expired',
      '../../src/tuf/freshness.ts',
      { requireCurrent: nothing, requireUnexpired: nothing },
      /an answer although \w+ has expired/,
      0,
    ],
    [
      'that does not compare hashes',
      '../../src/tuf/content.ts',
      { requireContent: nothing },
      /nobody has published/,
      0,
    ],
    [
      'that keeps what stolen keys drove high',
      '../../src/tuf/rotation.ts',
      { isTrustReduced: () => false },
      /an honest mirror does not heal/,
      55,
    ],
  ])('%s', async (_name, module, faulty, expected, from) => {
    expect(await findFault(await loadWorkflow(module, faulty), from)).toMatch(expected)
  })
})
