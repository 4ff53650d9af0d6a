import { expect, test } from 'vitest'
import { findTarget } from '../../src/tuf/search.ts'
import { TufSimulator } from '../support/tuf-simulator.ts'

test('trusts a first refresh and finds a target through delegations', async () => {
  const simulator = new TufSimulator({ hashes: true })
  simulator.delegateBins({ bitLength: 3 })
  for (const [role] of simulator.delegated)
    simulator.addTarget(`simple/${role}/index.json`, role, role)
  simulator.publish()
  const { trusted, accepted } = await simulator.refresh()
  expect([...accepted.keys()]).toEqual(['timestamp', 'snapshot', 'targets'])
  const found = await findTarget(trusted, 'nothing', simulator.loadRole(trusted), simulator)
  expect(found.target).toBeUndefined()
})
