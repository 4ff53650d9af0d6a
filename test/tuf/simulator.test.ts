import { describe, expect, test } from 'vitest'
import { encodeUtf8 } from '../../src/base/bytes.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { TufSimulator } from '../support/tuf-simulator.ts'

describe('the simulator as a source of a repository', () => {
  const simulator = new TufSimulator()
  simulator.delegate('../team/é')
  simulator.addTarget('simple/foo/a b#%41.json', 'content')
  simulator.publish()

  test('serves metadata by path, with names encoded', async () => {
    const role = await simulator.fetchMetadata('metadata/1..%2E%2Fteam%2F%C3%A9.json', 10_000)
    expect(role).toMatchObject({ bytes: simulator.render('../team/é') })
    expect(await simulator.fetchMetadata('metadata/1.root.json', 10_000)).toMatchObject({
      bytes: simulator.render('root'),
    })
    expect(await simulator.fetchMetadata('metadata/2.root.json', 10_000)).toBe('absent')
    expect(await simulator.fetchMetadata('metadata/1.other.json', 10_000)).toBe('absent')
  })

  test('answers "unchanged" to the ETag of what it would send', async () => {
    const first = await simulator.fetchMetadata('metadata/timestamp.json', 10_000)
    if (typeof first === 'string') throw new Error('there is no timestamp')
    expect(await simulator.fetchMetadata('metadata/timestamp.json', 10_000, first.etag)).toBe(
      'unchanged',
    )
    simulator.timestamp.version += 1
    expect(
      await simulator.fetchMetadata('metadata/timestamp.json', 10_000, first.etag),
    ).toMatchObject({ bytes: simulator.render('timestamp') })
  })

  test('serves targets by hash, with names encoded, and bent where it is told so', async () => {
    const digest = simulator.targets.targets['simple/foo/a b#%41.json']?.hashes['sha256']
    const path = `targets/simple/foo/${digest}.a%20b%23%2541.json`
    expect(await simulator.fetchTarget(path, 100)).toEqual(encodeUtf8('content'))
    expect(
      await simulator.fetchTarget('targets/simple/foo/a%20b%23%2541.json', 100),
    ).toBeUndefined()
    simulator.tampered.set('simple/foo/a b#%41.json', () => encodeUtf8('evil'))
    expect(await simulator.fetchTarget(path, 100)).toEqual(encodeUtf8('evil'))
  })

  test('cuts off what is too long', async () => {
    await expect(simulator.fetchMetadata('metadata/timestamp.json', 10)).rejects.toMatchObject({
      code: 'TOO_LARGE',
    })
  })

  test('fails where it is told so', async () => {
    simulator.faults.set('timestamp', new Error('broken'))
    await expect(simulator.refresh()).rejects.toThrow('broken')
    simulator.faults.clear()
    await expectRefusal(
      () => simulator.fetchRole('nothing'),
      'METADATA_UNAVAILABLE',
      'simulator has no nothing',
    )
  })
})
