import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { decideFile } from '../../src/policy/decide.ts'
import { allowFiles, denyFiles, type DenyChoice } from '../../src/mirror/deny-work.ts'
import { listDenials } from '../../src/mirror/deny.ts'
import { readMirror } from '../../src/mirror/open-mirror.ts'
import { quarantineReason } from '../../src/mirror/owned-look.ts'
import { localFile, shownFile } from '../owner/maintainer.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { ClaimedMirror } from './claim-fixture.ts'

let template: ClaimedMirror
let it: ClaimedMirror
let count = 0
beforeAll(async () => {
  template = await ClaimedMirror.create()
  await template.claimWhole()
})
beforeEach(async () => {
  it = await template.copy(`test-${(count += 1)}`)
})
afterAll(() => template.remove())

const [first, second] = ['foo-1.0.tar.gz', 'foo-1.1.tar.gz']
const reason = 'malware, see GHSA-1234'

function deny(choice: DenyChoice, why = reason) {
  return denyFiles({ ...it.mirror.context, ...choice, reason: why })
}

function allow(choice: DenyChoice) {
  return allowFiles({ ...it.mirror.context, ...choice })
}

/** Reason by file, as a client of the proxy sees it. */
async function reasons(project = 'foo') {
  const files = (await it.find(project))?.record.files ?? []
  return Object.fromEntries(files.map(({ filename, denied }) => [filename, denied?.reason]))
}

describe('the operator of a mirror withdraws', () => {
  test('one version that its owner has signed, at once', async () => {
    await deny({ project: 'foo', version: '1.1.0' })
    expect(await reasons()).toEqual({ [first]: undefined, [second]: reason })
    const file = (await it.find())!.record.files[1]!
    const policy = { deny: [], minAgeMs: 0, minAgeExcept: [], showHidden: false }
    expect(decideFile(policy, 'foo', file, it.mirror.now)).toMatchObject({
      kind: 'refuse',
      code: 'DENIED',
    })
  })

  test('what will come of a version too, until the version is given back', async () => {
    const wheel = 'foo-1.1-py3-none-any.whl'
    await deny({ project: 'foo', version: '1.1' })
    const added = { local: [localFile(wheel)], page: { files: [shownFile(wheel)] } }
    await it.accept(await it.sign(added))
    const denied = { [second]: reason, [wheel]: reason }
    expect(await reasons()).toEqual({ [first]: undefined, ...denied })
    await expectRefusal(
      () => allow({ project: 'foo', files: [wheel] }),
      'CONFIG_INVALID',
      'All of foo 1.1 is denied, what will come of it too',
    )
    await allow({ project: 'foo', version: '1.1.0' })
    expect(Object.values(await reasons())).toEqual([undefined, undefined, undefined])
    expect(await readMirror(it.mirror.directory, listDenials)).toEqual([])
  })

  test('all of a project, what its owner will sign too', async () => {
    await deny({ project: 'foo' })
    await it.accept(await it.signVersion('1.2'))
    expect(Object.values(await reasons())).toEqual([reason, reason, reason])
  })

  test('files of a project that nobody has claimed', async () => {
    await deny({ project: 'bar', files: ['bar-1.0.tar.gz'] })
    expect(await reasons('bar')).toEqual({ 'bar-1.0.tar.gz': reason })
    expect(await reasons('baz-2')).toEqual({ 'baz-2-1.0.tar.gz': undefined })
  })

  test('and gives back: some, or all', async () => {
    await deny({ project: 'foo', files: [first, second] })
    await allow({ project: 'foo', version: '1.0' })
    expect(await reasons()).toEqual({ [first]: undefined, [second]: reason })
    await allow({ project: 'foo' })
    expect(await reasons()).toEqual({ [first]: undefined, [second]: undefined })
    expect(await readMirror(it.mirror.directory, listDenials)).toEqual([])
  })

  test('for several reasons, each of which is told', async () => {
    await deny({ project: 'foo', files: [first] }, 'one')
    await deny({ project: 'foo', files: [second] }, 'two')
    expect(await reasons()).toEqual({ [first]: 'one', [second]: 'two' })
    const [{ denials } = { denials: [] }] = await readMirror(it.mirror.directory, listDenials)
    expect(denials.map((denial) => denial.reason)).toEqual(['one', 'two'])
  })

  test('nothing that is not there, and gives nothing back that was not withdrawn', async () => {
    await expectRefusal(
      () => deny({ project: 'foo', files: ['foo-9.tar.gz'] }),
      'CONFIG_INVALID',
      'foo has no signed file foo-9.tar.gz',
    )
    await expectRefusal(
      () => deny({ project: 'foo', version: '9' }),
      'CONFIG_INVALID',
      'no signed file of version 9',
    )
    await expectRefusal(
      () => allow({ project: 'foo' }),
      'CONFIG_INVALID',
      'Nothing of foo is denied',
    )
    await deny({ project: 'foo', files: [first] })
    await expectRefusal(
      () => allow({ project: 'foo', files: [second] }),
      'CONFIG_INVALID',
      'None of these files',
    )
  })

  test('files of which the disk has lost the record', async () => {
    await rm(join(it.mirror.public, 'targets/simple/foo'), { recursive: true })
    const { files } = await deny({ project: 'foo', version: '1.1' })
    expect(files).toEqual([second])
  })

  test('even what is not signed yet', async () => {
    await deny({ project: 'evil' })
    expect(await it.find('evil')).toBeUndefined()
  })
})

describe('what is withdrawn', () => {
  test('stays so through renewals, syncs and releases', async () => {
    await deny({ project: 'foo', files: [first] })
    it.mirror.now += 5 * 86_400_000
    await it.sync()
    await it.mirror.renew()
    expect(await reasons()).toEqual({ [first]: reason, [second]: undefined })
  })

  test('is told to the owner who signs again, and not taken for his word', async () => {
    await deny({ project: 'foo', files: [first] })
    await it.accept(await it.sign())
    await allow({ project: 'foo' })
    expect(await reasons()).toEqual({ [first]: undefined, [second]: undefined })
  })
})

const page = (status: string) =>
  JSON.stringify({
    meta: { 'api-version': '1.4' },
    name: 'foo',
    versions: ['1.0'],
    files: [],
    'project-status': { status },
  })

describe('a quarantine by the index', () => {
  test('withdraws what an owner has signed, and its end gives it back', async () => {
    await it.mirror.putRawPage('foo', 'index.json', page('quarantined'))
    await it.sync()
    expect(await reasons()).toEqual({ [first]: quarantineReason, [second]: quarantineReason })
    await it.sync({ all: true, full: true })
    await it.mirror.putPage('foo', [first, second])
    await it.sync()
    expect(await reasons()).toEqual({ [first]: undefined, [second]: undefined })
  })

  test('ends without giving back what the operator has withdrawn', async () => {
    await deny({ project: 'foo', files: [first] })
    await it.mirror.putRawPage('foo', 'index.json', page('quarantined'))
    await it.sync()
    await it.mirror.putPage('foo', [first, second])
    await it.sync()
    expect(await reasons()).toEqual({ [first]: reason, [second]: undefined })
  })
})
