import { beforeEach, describe, expect, test } from 'vitest'
import { UpstreamError } from '../../src/base/errors.ts'
import { decideFile } from '../../src/policy/decide.ts'
import { denyTarget, renderDenials } from '../../src/simple/denial.ts'
import type { ProjectRecord } from '../../src/simple/record.ts'
import {
  buildMirror,
  createDeadSource,
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

const noPolicy = { deny: [], minAgeMs: 0, minAgeExcept: [], showHidden: false }

/** `deny` first of all, then owners, then the bins. */
function delegateDeny(): void {
  const { delegations } = simulator.targets
  const others = delegations?.roles?.splice(0) ?? []
  simulator.delegate('deny', { paths: ['deny/*'], terminating: true })
  delegations?.roles?.push(...others)
}

function deny(project: string, files: readonly string[] | 'all', reason = 'malware'): void {
  const denials = [{ reason, since: simulator.now, files }]
  simulator.addTarget(denyTarget(project), Buffer.from(renderDenials(project, denials)), 'deny')
  simulator.publish()
}

function reasonsOf({ files }: ProjectRecord): (string | undefined)[] {
  return files.map(({ denied }) => denied?.reason)
}

beforeEach(() => {
  delegateDeny()
  simulator.publish()
})

describe('the deny role', () => {
  test('takes a file away, with the reason', async () => {
    deny('foo', ['foo-1.0.tar.gz'])
    const found = await (await open()).findRecord('foo')
    const [file] = found!.record.files
    expect(decideFile(noPolicy, 'foo', file!, time.now)).toEqual({
      kind: 'refuse',
      code: 'DENIED',
      reason: 'the mirror has withdrawn foo-1.0.tar.gz since 2026-06-01T12:00:00Z: malware',
    })
    expect(found!.trust.role).toBe(findBin(simulator))
  })

  test('takes away at the next refresh, and gives back when it is lifted', async () => {
    const repository = await open()
    expect(reasonsOf((await repository.findRecord('foo'))!.record)).toEqual([undefined])
    deny('foo', 'all')
    await repository.refresh()
    const denied = (await repository.findRecord('foo'))!.record
    expect(reasonsOf(denied)).toEqual(['malware'])
    expect((await repository.findRecord('foo'))!.record).toBe(denied)
    simulator.role('deny').targets = {}
    simulator.role('deny').version += 1
    simulator.publish()
    await repository.refresh()
    expect(reasonsOf((await repository.findRecord('foo'))!.record)).toEqual([undefined])
  })

  test('costs a project without an entry no request of its own', async () => {
    const repository = await open()
    await repository.findRecord('foo')
    const before = simulator.requests.filter((request) => request.includes('deny'))
    expect(before).toEqual(['1.deny'])
    await repository.findRecord('foo')
    await repository.findRecord('bar')
    expect(simulator.requests.filter((request) => request.includes('deny'))).toEqual(before)
  })

  test('holds after a restart without a mirror, from the disk alone', async () => {
    deny('foo', 'all')
    await (await open()).findRecord('foo')
    const restarted = await open([createDeadSource()])
    expect(reasonsOf((await restarted.findRecord('foo'))!.record)).toEqual(['malware'])
  })
})

test('a repository without a deny role is asked for none', async () => {
  const plain = buildMirror()
  const repository = await open([plain], plain)
  expect(reasonsOf((await repository.findRecord('foo'))!.record)).toEqual([undefined])
  expect(plain.requests.join()).not.toContain('deny')
})

describe('a deny role that cannot be read is never taken for one that denies nothing', () => {
  test('missing on the mirror', async () => {
    simulator.faults.set('1.deny', new UpstreamError('METADATA_UNAVAILABLE', 'there is no deny'))
    const { code } = await failureOf((await open()).findRecord('foo'))
    expect(code).toBe('METADATA_UNAVAILABLE')
  })

  test('its target is missing on the mirror', async () => {
    deny('foo', 'all')
    simulator.content.delete(denyTarget('foo'))
    const { code } = await failureOf((await open()).findRecord('foo'))
    expect(code).toBe('METADATA_UNAVAILABLE')
  })

  test('left out of the snapshot', async () => {
    delete simulator.snapshot.meta['deny.json']
    simulator.snapshot.version += 1
    simulator.timestamp.version += 1
    simulator.timestamp.meta['snapshot.json'] = { version: simulator.snapshot.version }
    const { code } = await failureOf((await open()).findRecord('foo'))
    expect(code).toBe('ROLE_NOT_IN_SNAPSHOT')
  })

  test('expired', async () => {
    simulator.role('deny').expires = '2026-06-01T12:00:00Z'
    simulator.role('deny').version += 1
    simulator.publish()
    const { code, message } = await failureOf((await open()).findRecord('foo'))
    expect([code, message]).toEqual(['EXPIRED', expect.stringContaining('deny version')])
  })

  test('signed by another key', async () => {
    simulator.signers.set('deny', simulator.signersOf('targets'))
    simulator.role('deny').version += 1
    simulator.publish()
    const { code } = await failureOf((await open()).findRecord('foo'))
    expect(code).toBe('SIGNATURE_THRESHOLD')
  })

  test('its target is malformed', async () => {
    simulator.addTarget(denyTarget('foo'), '{"name":"foo","denied":7}', 'deny')
    simulator.publish()
    const { code } = await failureOf((await open()).findRecord('foo'))
    expect(code).toBe('MALFORMED')
  })
})

describe('a stolen deny key', () => {
  test('cannot list a record', async () => {
    simulator.addTarget('simple/evil/index.json', record.replaceAll('foo', 'evil'), 'deny')
    simulator.role('deny').targets[path] = { length: 1, hashes: { sha256: 'ab'.repeat(32) } }
    simulator.publish()
    const repository = await open()
    expect(await repository.findRecord('evil')).toBeUndefined()
    const found = await repository.findRecord('foo')
    expect(found!.record.files.map(({ filename }) => filename)).toEqual(['foo-1.0.tar.gz'])
  })

  test('cannot add a file or another digest by what it denies', async () => {
    deny('foo', ['foo-6.6.tar.gz'])
    const found = await (await open()).findRecord('foo')
    expect(found!.record.files.map(({ filename }) => filename)).toEqual(['foo-1.0.tar.gz'])
    expect(reasonsOf(found!.record)).toEqual([undefined])
  })

  test('cannot delegate any further', async () => {
    simulator.delegate('evil', { from: 'deny', paths: ['simple/*/*', 'deny/*'] })
    simulator.addTarget('simple/evil/index.json', record.replaceAll('foo', 'evil'), 'evil')
    simulator.publish()
    expect(await (await open()).findRecord('evil')).toBeUndefined()
  })
})
