/** What somebody can do who has every online key of a mirror, to projects that sign for themselves. */

import { cpSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Json } from '../../src/base/canonical-json.ts'
import { isTufgateError } from '../../src/base/errors.ts'
import { renderDenials } from '../../src/simple/denial.ts'
import { fileJson, pageJson } from '../support/pages.ts'
import { signEnvelope } from '../../src/signing/envelope.ts'
import { claimFor, createKey } from '../owner/maintainer.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { ClaimedMirror } from './claim-fixture.ts'
import { OnlineThief, type Signed } from './online-thief.ts'

const path = 'simple/foo/index.json'
const evil = pageJson('foo', [fileJson('foo-6.6.tar.gz')])
const genuine = ['foo-1.0.tar.gz', 'foo-1.1.tar.gz']

/** What a client gets of foo: names, or the code of the refusal. */
async function ask(it: ClaimedMirror): Promise<readonly string[] | string> {
  try {
    return await it.namesOf()
  } catch (error) {
    if (isTufgateError(error)) return error.code
    throw error
  }
}

/** The attacks of all online keys together: each must change nothing, or be refused. */
const attacks: Readonly<Record<string, (thief: OnlineThief, bin: string) => Promise<void>>> = {
  'the record in the bin of the project': async (thief, bin) => {
    const target = await thief.putTarget(path, evil)
    await thief.publish({ [bin]: (role) => (role.targets[path] = target) })
  },
  'the record in recently-claimed itself': async (thief) => {
    const target = await thief.putTarget(path, evil)
    await thief.publish({ 'recently-claimed': (role) => (role.targets[path] = target) })
  },
  'the record in deny': async (thief) => {
    const target = await thief.putTarget(path, evil)
    await thief.publish({ deny: (role) => (role.targets[path] = target) })
  },
  'another owner in recently-claimed': async (thief) => {
    const target = await thief.putTarget(path, evil)
    await thief.publish({
      'recently-claimed': (role) => delegate(role, thief, 'owner-foo'),
      'owner-foo': (role) => (role.targets[path] = target),
    })
  },
  'an owner with another name in recently-claimed': async (thief, bin) => {
    const target = await thief.putTarget(path, evil)
    await thief.publish({
      'recently-claimed': (role) => delegate(role, thief, bin),
      [bin]: (role) => (role.targets[path] = target),
    })
  },
  'the role of the owner, signed by all online keys': async (thief) => {
    const target = await thief.putTarget(path, evil)
    await thief.publish({ 'owner-foo': (role) => (role.targets[path] = target) })
  },
  'claimed, signed by all online keys': async (thief) => {
    const target = await thief.putTarget(path, evil)
    await thief.publish({
      claimed: (role) => delegate(role, thief, 'owner-foo'),
      'owner-foo': (role) => (role.targets[path] = target),
    })
  },
  'the top-level targets, signed by all online keys': async (thief) => {
    const target = await thief.putTarget(path, evil)
    await thief.publish({ targets: (role) => (role.targets[path] = target) })
  },
  'a snapshot without the owner, and the record in the bin': async (thief, bin) => {
    const target = await thief.putTarget(path, evil)
    await thief.publish(
      { [bin]: (role) => (role.targets[path] = target) },
      ({ meta }) => delete meta['owner-foo.json'],
    )
  },
  'a snapshot without claimed, and the record in the bin': async (thief, bin) => {
    const target = await thief.putTarget(path, evil)
    await thief.publish(
      { [bin]: (role) => (role.targets[path] = target) },
      ({ meta }) => delete meta['claimed.json'],
    )
  },
  'a denial that would add a file': async (thief) => {
    const denials = [{ reason: 'x', since: 0, files: ['foo-6.6.tar.gz'] }]
    const target = await thief.putTarget('deny/foo.json', renderDenials('foo', denials))
    await thief.publish({ deny: (role) => (role.targets['deny/foo.json'] = target) })
  },
}

/** Where a new client does not simply find what is genuine. */
const outcomes: Readonly<Record<string, string>> = {
  'another owner in recently-claimed': 'SIGNATURE_THRESHOLD',
  'the role of the owner, signed by all online keys': 'SIGNATURE_THRESHOLD',
  'claimed, signed by all online keys': 'SIGNATURE_THRESHOLD',
  'the top-level targets, signed by all online keys': 'SIGNATURE_THRESHOLD',
  'a snapshot without the owner, and the record in the bin': 'ROLE_NOT_IN_SNAPSHOT',
  'a snapshot without claimed, and the record in the bin': 'ROLE_NOT_IN_SNAPSHOT',
}

/** A newer version of the owner's role, signed by himself. */
async function putOwner({ mirror, owner }: ClaimedMirror, role: Signed): Promise<void> {
  role.version += 1
  const bytes = await signEnvelope(JSON.parse(JSON.stringify(role)) as Json, [owner])
  await writeFile(`${mirror.public}/metadata/${role.version}.owner-foo.json`, bytes)
}

function delegate(role: Signed, thief: OnlineThief, name: string): void {
  const signer = thief.signer('recently-claimed')
  role.delegations ??= { keys: {}, roles: [] }
  role.delegations.keys[signer.keyid] = signer.key
  role.delegations.roles = [
    { name, keyids: [signer.keyid], paths: [path], threshold: 1, terminating: true },
    ...role.delegations.roles.filter((other) => other.name !== name),
  ]
}

describe('every online key together', () => {
  let it: ClaimedMirror
  let bin: string
  let saved: string
  beforeAll(async () => {
    it = await ClaimedMirror.create()
    bin = (await it.find())!.trust.role
    await it.claimWhole()
    await it.promote()
    saved = `${it.mirror.public}-saved`
    cpSync(it.mirror.public, saved, { recursive: true })
  })
  beforeEach(() => {
    rmSync(it.mirror.public, { recursive: true })
    cpSync(saved, it.mirror.public, { recursive: true })
  })
  afterAll(() => it.remove())

  async function replay(): Promise<void> {
    const thief = await OnlineThief.rob(it.mirror.directory)
    const target = await thief.putTarget(path, evil)
    await thief.publish(
      { [bin]: (role) => (role.targets[path] = target) },
      ({ meta }) => (meta['claimed.json'] = { version: 1 }),
    )
  }

  test.each(Object.keys(attacks))('cannot make clients take an evil record: %s', async (name) => {
    const client = it.ceremony.client(name)
    await client.visit(it.mirror.public, it.mirror.now, ['foo'])
    await attacks[name]!(await OnlineThief.rob(it.mirror.directory), bin)
    expect(await ask(it)).toEqual(outcomes[name] ?? genuine)
    const returning = await client
      .visit(it.mirror.public, it.mirror.now, ['foo'])
      .then(({ files }) => files['foo'])
      .catch((error: unknown) => {
        if (isTufgateError(error)) return genuine
        throw error
      })
    expect(returning).toEqual(genuine)
  })

  test('can make clients take one of a project that nobody has claimed: that is what claims are for', async () => {
    const thief = await OnlineThief.rob(it.mirror.directory)
    const role = (await it.find('bar'))!.trust.role
    const record = pageJson('bar', [fileJson('bar-6.6.tar.gz')])
    const target = await thief.putTarget('simple/bar/index.json', record)
    await thief.publish({ [role]: (signed) => (signed.targets['simple/bar/index.json'] = target) })
    expect(await it.namesOf('bar')).toEqual(['bar-6.6.tar.gz'])
  })

  /** PEP 480 has it too: what was signed offline is good until it expires. */
  describe('with the offline list of before the promotion', () => {
    test('cannot fool a client that has seen the promotion', async () => {
      const client = it.ceremony.client('before the replay')
      await client.visit(it.mirror.public, it.mirror.now, ['foo'])
      await replay()
      await expectRefusal(
        () => client.visit(it.mirror.public, it.mirror.now, ['foo']),
        'VERSION_ROLLBACK',
        'claimed went back from version 2 to 1',
      )
    })

    test('can fool one that has never been here, until that list expires', async () => {
      await replay()
      expect(await ask(it)).toEqual(['foo-6.6.tar.gz'])
    })
  })

  test('can hide what is claimed, and never add to it', async () => {
    const thief = await OnlineThief.rob(it.mirror.directory)
    const denials = [{ reason: 'because I can', since: it.mirror.now, files: 'all' as const }]
    const target = await thief.putTarget('deny/foo.json', renderDenials('foo', denials))
    await thief.publish({ deny: (role) => (role.targets['deny/foo.json'] = target) })
    const files = (await it.find())!.record.files
    expect(files.map(({ filename, denied }) => [filename, denied?.reason])).toEqual(
      genuine.map((name) => [name, 'because I can']),
    )
  })

  test('of a claim that is only recent are enough: promote it', async () => {
    const recent = await ClaimedMirror.create()
    try {
      await recent.claimWhole()
      await attacks['another owner in recently-claimed']!(
        await OnlineThief.rob(recent.mirror.directory),
        bin,
      )
      expect(await ask(recent)).toEqual(['foo-6.6.tar.gz'])
    } finally {
      await recent.remove()
    }
  })
})

describe('an owner', () => {
  let it: ClaimedMirror
  beforeAll(async () => {
    it = await ClaimedMirror.create()
    await it.claimWhole()
    await it.promote()
  })
  afterAll(() => it.remove())

  test('cannot sign for another project, though the mirror would publish it', async () => {
    const thief = await OnlineThief.rob(it.mirror.directory)
    const role = await thief.read('owner-foo')
    role.targets['simple/bar/index.json'] = await thief.putTarget(
      'simple/bar/index.json',
      pageJson('bar', [fileJson('bar-6.6.tar.gz')]),
    )
    await putOwner(it, role)
    await thief.publish({}, ({ meta }) => (meta['owner-foo.json'] = { version: role.version }))
    expect(await it.namesOf('bar')).toEqual(['bar-1.0.tar.gz'])
    expect(await it.namesOf('foo')).toEqual(genuine)
  })

  test('whose record he does not list is not found further down, in the bin', async () => {
    const fresh = await ClaimedMirror.create()
    try {
      const bin = (await fresh.find())!.trust.role
      await fresh.claimWhole()
      const thief = await OnlineThief.rob(fresh.mirror.directory)
      const role = await thief.read('owner-foo')
      role.targets = {}
      await putOwner(fresh, role)
      const target = await thief.putTarget(path, evil)
      await thief.publish(
        { [bin]: (signed) => (signed.targets[path] = target) },
        ({ meta }) => (meta['owner-foo.json'] = { version: role.version }),
      )
      expect(await fresh.find()).toBeUndefined()
    } finally {
      await fresh.remove()
    }
  })

  test('of a name that is another spelling is the same owner, and one role', async () => {
    const key = await createKey()
    await it.claim('zope-interface', key)
    const claim = await claimFor('Zope.Interface', [key], { now: it.mirror.now })
    await expectRefusal(() => it.add(claim), 'MALFORMED', 'normalized project name')
  })
})
