import { beforeEach, describe, expect, test } from 'vitest'
import { isTufgateError, UpstreamError } from '../../src/base/errors.ts'
import { denyTarget, renderDenials } from '../../src/simple/denial.ts'
import {
  failureOf,
  findBin,
  open,
  path,
  record,
  simulator,
  time,
  useRepository,
} from './repository-fixture.ts'

useRepository()

const owned = record.replaceAll('1.0', '2.0')

/** deny, claimed, recently-claimed, bins: as a mirror has it. */
beforeEach(() => {
  const { delegations } = simulator.targets
  const bins = delegations?.roles?.splice(0) ?? []
  simulator.delegate('deny', { paths: ['deny/*'], terminating: true })
  for (const role of ['claimed', 'recently-claimed'])
    simulator.delegate(role, { paths: ['simple/*/*', 'files/*/*'] })
  delegations?.roles?.push(...bins)
  simulator.publish()
})

function claim(from: 'claimed' | 'recently-claimed', name = 'owner-foo'): void {
  simulator.delegate(name, { from, paths: [path, 'files/foo/*'], terminating: true })
}

async function rolesOf(project = 'foo') {
  const found = await (await open()).findRecord(project)
  return [found?.trust.role, found?.record.files[0]?.filename]
}

describe('the order of PEP 480', () => {
  test('without a claim the bin speaks', async () => {
    expect(await rolesOf()).toEqual([findBin(simulator), 'foo-1.0.tar.gz'])
  })

  test('a recent claim speaks before the bin', async () => {
    claim('recently-claimed')
    simulator.addTarget(path, owned, 'owner-foo')
    simulator.publish()
    expect(await rolesOf()).toEqual(['owner-foo', 'foo-2.0.tar.gz'])
  })

  test('a promoted claim speaks before a recent one of the same project', async () => {
    claim('claimed', 'owner-foo')
    claim('recently-claimed', 'owner-of-a-thief')
    const role = simulator.role('owner-of-a-thief')
    role.targets[path] = { length: 1, hashes: { sha256: 'ab'.repeat(32) } }
    simulator.addTarget(path, owned, 'owner-foo')
    simulator.publish()
    expect(await rolesOf()).toEqual(['owner-foo', 'foo-2.0.tar.gz'])
  })

  test('a claim whose owner lists nothing ends the search: nobody else speaks for him', async () => {
    claim('claimed')
    simulator.publish()
    expect(await (await open()).findRecord('foo')).toBeUndefined()
  })

  test('a claim that cannot be fetched is no reason to ask the bin', async () => {
    claim('claimed')
    simulator.publish()
    simulator.faults.set('1.owner-foo', new UpstreamError('TIMED_OUT', 'no answer'))
    const { code } = await failureOf((await open()).findRecord('foo'))
    expect(code).toBe('METADATA_UNAVAILABLE')
  })

  test('an owner speaks for his own project alone', async () => {
    claim('claimed')
    simulator.addTarget('simple/bar/index.json', owned.replaceAll('foo', 'bar'), 'owner-foo')
    simulator.publish()
    expect(await (await open()).findRecord('bar')).toBeUndefined()
  })

  test('one key that signs two projects is two roles', async () => {
    claim('claimed')
    const signers = simulator.signersOf('owner-foo')
    simulator.delegate('owner-bar', {
      from: 'claimed',
      paths: ['simple/bar/index.json'],
      terminating: true,
      signers,
    })
    simulator.addTarget(path, owned, 'owner-foo')
    simulator.publish()
    expect(await rolesOf()).toEqual(['owner-foo', 'foo-2.0.tar.gz'])
    expect(await (await open()).findRecord('bar')).toBeUndefined()
  })
})

describe('an owner whose signature has expired', () => {
  beforeEach(() => {
    claim('claimed')
    simulator.addTarget(path, owned, 'owner-foo')
    simulator.role('owner-foo').expires = '2026-06-01T12:00:00Z'
    simulator.publish()
  })

  test('has his project refused, by a sentence that says whose it is and what to do', async () => {
    const error: unknown = await (await open()).findRecord('foo').catch((thrown: unknown) => thrown)
    if (!isTufgateError(error)) throw new Error('it was not refused')
    expect([error.code, error.message]).toEqual([
      'EXPIRED',
      'The maintainers of foo sign it themselves, and their signature expired at 2026-06-01T12:00:00Z',
    ])
    expect(error.facts.next).toContain('Ask the maintainers of foo to sign it again')
  })

  test('takes nobody else down', async () => {
    const repository = await open()
    await repository.findRecord('foo').catch(() => undefined)
    expect(await repository.findRecord('bar')).toBeUndefined()
    expect(repository.isUsable()).toBe(true)
  })

  test('finds what he has signed, to sign it again', async () => {
    const view = await (await open()).findForOwner('foo')
    const { version, isOwned, record: found, owners } = view
    expect([version, isOwned, found?.files.length]).toEqual([2, true, 1])
    const keyids = [...simulator.signersOf('owner-foo')].map(({ keyid }) => keyid)
    expect(owners).toMatchObject({ threshold: 1, keyids })
  })

  test('does not get past another role that has expired', async () => {
    simulator.role('claimed').expires = '2026-06-01T12:00:00Z'
    simulator.role('claimed').version += 1
    simulator.publish()
    const { code, message } = await failureOf((await open()).findForOwner('foo'))
    expect([code, message]).toEqual(['EXPIRED', expect.stringContaining('claimed version')])
  })
})

describe('what an owner is told', () => {
  test('of a project that the mirror signs, or that is not there', async () => {
    const repository = await open()
    expect(await repository.findForOwner('foo')).toMatchObject({ version: 0, isOwned: false })
    expect(await repository.findForOwner('bar')).toEqual({
      version: 0,
      isOwned: false,
      denials: [],
    })
  })

  test('the record as it was signed, and beside it what the mirror has withdrawn', async () => {
    const denials = [{ reason: 'malware', since: time.now, files: 'all' as const }]
    simulator.addTarget(denyTarget('foo'), Buffer.from(renderDenials('foo', denials)), 'deny')
    simulator.publish()
    const view = await (await open()).findForOwner('foo')
    expect(view.denials).toEqual(denials)
    expect(view.record?.files[0]?.denied).toBeUndefined()
  })

  test('the version of his role that snapshot knows, though his claim was dropped since', async () => {
    claim('recently-claimed')
    simulator.addTarget(path, owned, 'owner-foo')
    simulator.publish()
    const delegations = simulator.role('recently-claimed').delegations
    delegations!.roles = []
    simulator.role('recently-claimed').version += 1
    simulator.addTarget(path, record, findBin(simulator))
    simulator.publish()
    expect(await (await open()).findForOwner('foo')).toMatchObject({ version: 2, isOwned: false })
  })
})
