/** That the fuzzer sees a verifier that accepts too much: one check at a time is taken out of it. */

import { afterEach, describe, expect, test, vi } from 'vitest'
import { makeInput, tryInput } from '../../scripts/fuzz/run-target.ts'
import type { FuzzTarget } from '../../scripts/fuzz/target.ts'

const maxInputs = 100
const nothing = (): void => undefined

interface Fault {
  readonly module: string
  /** In place of its own. */
  readonly functions: object
  readonly expected: RegExp
  readonly from?: number
}

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
  test.each<readonly [string, Fault]>([
    [
      'that checks no signature',
      {
        module: '../../src/tuf/threshold.ts',
        functions: { requireThreshold: nothing },
        expected: /was accepted with too few signatures/,
      },
    ],
    [
      'that lets versions go back',
      {
        module: '../../src/tuf/floors.ts',
        functions: { requireAtLeast: nothing, requireListedRoles: nothing },
        expected: /an older \w+ (?:was accepted|than before)|or without it/,
      },
    ],
    [
      'that forgets what was listed',
      {
        module: '../../src/tuf/floors.ts',
        functions: { requireListedRoles: nothing },
        expected: /a snapshot with an older \w+, or without it|does not heal/,
        from: 235,
      },
    ],
    [
      'that uses what has expired',
      {
        module: '../../src/tuf/freshness.ts',
        functions: { requireCurrent: nothing, requireUnexpired: nothing },
        expected: /an answer although \w+ has expired/,
      },
    ],
    [
      'that does not compare hashes',
      {
        module: '../../src/tuf/content.ts',
        functions: { requireContent: nothing },
        expected: /nobody has published/,
      },
    ],
    [
      'that keeps what stolen keys drove high',
      {
        module: '../../src/tuf/rotation.ts',
        functions: { isTrustReduced: () => false },
        expected: /an honest mirror does not heal/,
        from: 55,
      },
    ],
  ])('%s', async (_name, { module, functions, expected, from = 0 }) => {
    expect(await findFault(await loadWorkflow(module, functions), from)).toMatch(expected)
  })
})
