import { describe, expect, test } from 'vitest'
import type { TrustedSet } from '../../src/tuf/trusted-set.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { TufSimulator } from '../support/tuf-simulator.ts'
import { createSigner } from '../support/tuf-signers.ts'

/** A client that has seen versions of a thief, and the repository after its recovery. */
async function afterTheft(
  steal: (simulator: TufSimulator) => void,
  recover: (simulator: TufSimulator) => void,
): Promise<{ simulator: TufSimulator; seen: TrustedSet }> {
  const simulator = new TufSimulator()
  simulator.renewRoot()
  const genuine = structuredClone({
    timestamp: simulator.timestamp,
    snapshot: simulator.snapshot,
    targets: simulator.targets,
  })
  steal(simulator)
  const { trusted } = await simulator.refresh()
  simulator.timestamp = genuine.timestamp
  simulator.snapshot = genuine.snapshot
  Object.assign(simulator.targets, genuine.targets)
  simulator.publish()
  simulator.publish()
  await expectRefusal(() => simulator.refresh(trusted), 'VERSION_ROLLBACK', 'went back')
  simulator.renewRoot(() => recover(simulator))
  return { simulator, seen: trusted }
}

describe('fast-forward attacks end with the keys that made them (TUF 5.3.11)', () => {
  const thefts = {
    timestamp: (simulator: TufSimulator) => (simulator.timestamp.version = 2 ** 40),
    snapshot: (simulator: TufSimulator) => {
      simulator.snapshot.version = 2 ** 40
      simulator.timestamp.version = 2
      simulator.timestamp.meta['snapshot.json'] = { version: 2 ** 40 }
    },
    targets: (simulator: TufSimulator) => {
      simulator.targets.version = 2 ** 40
      simulator.snapshot.meta['targets.json'] = { version: 2 ** 40 }
    },
  }
  const recoveries = {
    timestamp: (simulator: TufSimulator) => simulator.setKeys('timestamp', [createSigner()]),
    snapshot: (simulator: TufSimulator) => simulator.setKeys('snapshot', [createSigner()]),
    threshold: (simulator: TufSimulator) =>
      simulator.setKeys('timestamp', [...simulator.signersOf('timestamp'), createSigner()], 2),
  }

  test.each([
    ['timestamp', 'timestamp'],
    ['timestamp', 'threshold'],
    ['snapshot', 'snapshot'],
    ['targets', 'snapshot'],
    ['targets', 'timestamp'],
  ] as const)('of %s, by rotating %s, in memory and after a restart', async (theft, recovery) => {
    const { simulator, seen } = await afterTheft(thefts[theft], recoveries[recovery])
    const running = await simulator.refresh(seen)
    expect(running.trusted).toMatchObject({ root: { version: 3 }, floors: { epoch: 3 } })
    const restarted = await simulator.refresh(simulator.trust(seen.floors))
    expect(restarted.trusted.floors).toEqual(running.trusted.floors)
    expect(restarted.trusted.timestamp.version).toBeLessThan(2 ** 40)
  })

  test('and the floors after the recovery hold, across restarts', async () => {
    const { simulator, seen } = await afterTheft(thefts.timestamp, recoveries.timestamp)
    simulator.publish()
    const { trusted } = await simulator.refresh(seen)
    simulator.timestamp.version -= 1
    await expectRefusal(
      () => simulator.refresh(simulator.trust(trusted.floors)),
      'VERSION_ROLLBACK',
      'timestamp went back from version 4 to 3',
    )
    simulator.renewRoot()
    await expectRefusal(
      () => simulator.refresh(simulator.trust(trusted.floors)),
      'VERSION_ROLLBACK',
      'timestamp went back from version 4 to 3',
    )
  })

  test('and the floor of root is never forgotten', async () => {
    const { simulator, seen } = await afterTheft(thefts.timestamp, recoveries.timestamp)
    const { trusted } = await simulator.refresh(seen)
    simulator.publishedRoots.delete(3)
    await expectRefusal(
      () => simulator.refresh(simulator.trust(trusted.floors)),
      'VERSION_ROLLBACK',
      'root went back from version 3 to 2',
    )
  })
})
