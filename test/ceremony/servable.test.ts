import { copyFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { buildKeyid } from '../../src/signing/public-key.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { Ceremony, newPerson, signAll } from './ceremony-fixture.ts'
import { alter, type Loose } from './loose-change.ts'

let ceremony: Ceremony
beforeEach(async () => {
  ceremony = await Ceremony.create()
})
afterEach(() => ceremony.remove())

const everybody = () =>
  Promise.all(['root-1', 'targets', 'claimed', 'bins'].map((name) => ceremony.offline(name)))

/** People can be brought to sign it; in force it would have stopped every later publication. */
describe('a change that everybody has signed, and that would end the mirror, is refused:', () => {
  const cases: [string, (file: Loose) => void, string][] = [
    [
      'names of files without versions',
      ({ documents }) => (documents.root.signed.consistent_snapshot = false),
      'The mirror could not go on without consistent snapshots',
    ],
    [
      'a delegation that is terminating',
      ({ documents }) => (documents.targets.signed.delegations.roles[1]!.terminating = true),
      'with other delegations in targets than those that tufgate writes',
    ],
    [
      'a delegation with other paths',
      ({ documents }) => (documents.targets.signed.delegations.roles[3]!.paths = ['deny/*']),
      'with other delegations in targets than those that tufgate writes',
    ],
    [
      'a file that targets lists',
      ({ documents }) => {
        const target = { length: 1, hashes: { sha256: 'ab'.repeat(32) } }
        documents.targets.signed.targets['simple/foo/index.json'] = target
      },
      'with files that targets itself lists',
    ],
    [
      'a role in claimed that nobody signs',
      ({ documents }) => {
        const { keys, roles } = documents.claimed.signed.delegations
        const [keyid = ''] = Object.keys(documents.root.signed.keys)
        keys[keyid] = documents.root.signed.keys[keyid]!
        const held = { keyids: [keyid], threshold: 1 }
        roles.push({ name: 'evil', ...held, paths: ['simple/*/*'], terminating: true })
      },
      'with evil in claimed, which is no claim of a project',
    ],
  ]

  test.each(cases)('%s', async (_what, change, message) => {
    const altered = alter(await ceremony.prepare({ isRenewal: true }), change)
    const signed = await signAll(altered, ...(await everybody()))
    await expectRefusal(() => ceremony.publish(signed), 'CONFIG_INVALID', message)
    await ceremony.change({ isRenewal: true }, ...(await everybody()))
  })

  test('two signatures of snapshot, which has one key', async () => {
    const { key } = await newPerson()
    const altered = alter(await ceremony.prepare({ isRenewal: true }), ({ documents }) => {
      const { keys, roles } = documents.root.signed
      keys[buildKeyid(key)] = key
      const snapshot = (roles as Record<string, { keyids: string[]; threshold: number }>)[
        'snapshot'
      ]!
      snapshot.keyids.push(buildKeyid(key))
      snapshot.threshold = 2
    })
    const signed = await signAll(altered, ...(await everybody()))
    await expectRefusal(
      () => ceremony.publish(signed),
      'CONFIG_INVALID',
      'with 2 signatures of snapshot, which has one key here',
    )
    await ceremony.change({ isRenewal: true }, ...(await everybody()))
  })
})

describe('a change with a new key of timestamp, published with a database from a backup', () => {
  const rotate = new Map([['timestamp', undefined]] as const)

  test.each([
    ['before the change', false],
    ['after it', true],
  ])('of %s gives no version out twice', async (_when, isAfter) => {
    const { mirror } = ceremony
    const signed = await signAll(
      await ceremony.prepare({ rotate }),
      await ceremony.offline('root-1'),
    )
    if (isAfter) await ceremony.publish(signed)
    const [database, backup] = [join(mirror.directory, 'mirror.db'), join(mirror.root, 'backup.db')]
    await copyFile(database, backup)
    if (!isAfter) await ceremony.publish(signed)
    await mirror.putPage('foo', ['foo-1.0.tar.gz', 'foo-1.1.tar.gz'])
    await mirror.sync()
    await mirror.renew()
    const out = await mirror.readMetadata('timestamp')
    for (const suffix of ['-wal', '-shm']) await rm(database + suffix, { force: true })
    await copyFile(backup, database)
    expect(await ceremony.publish(signed)).toMatchObject({ isRepeated: true })
    const { version } = await mirror.readMetadata('timestamp')
    expect(version).toBe(out.version + 1)
    expect((await mirror.findRecord('foo'))?.files).toHaveLength(2)
  })
})
