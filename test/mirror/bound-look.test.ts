/** An index that says something else of the same bytes: what a sync signs, journals and says. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { acknowledgeConflicts } from '../../src/mirror/conflicts.ts'
import { defaultChangePolicy } from '../../src/mirror/mirror-settings.ts'
import type { RecordFile } from '../../src/simple/record.ts'
import { buildWheel } from '../support/build-wheel.ts'
import { serve, startHostileServer } from '../support/hostile-server.ts'
import { JournalFixture } from './journal-fixture.ts'
import { MirrorFixture, type PageFile } from './mirror-fixture.ts'

const filename = 'foo-1.0-py3-none-any.whl'
const genuine = { size: 1000, 'requires-python': '>=3.9' }

let mirror: MirrorFixture
beforeEach(async () => {
  mirror = await MirrorFixture.create()
})
afterEach(() => mirror.remove())

function show(...files: readonly PageFile[]): Promise<void> {
  return mirror.putPage('foo', files)
}

async function signGenuine(): Promise<JournalFixture> {
  await mirror.init()
  await show({ filename, extra: genuine })
  await mirror.sync({ projects: ['foo'] })
  mirror.events.length = 0
  return new JournalFixture(mirror)
}

async function findFile(): Promise<RecordFile | undefined> {
  return (await mirror.findRecord('foo'))?.files.find((file) => file.filename === filename)
}

async function findTargetLength(path: string): Promise<number | undefined> {
  const timestamp = await mirror.readMetadata('timestamp')
  const version = timestamp.meta['snapshot.json']?.version ?? 0
  const snapshot = await mirror.readMetadata(`${version}.snapshot`)
  for (const [name, meta] of Object.entries(snapshot.meta)) {
    if (!name.startsWith('bins-')) continue
    const bin = await mirror.readMetadata(`${meta.version}.${name.replace('.json', '')}`)
    const target = bin.targets[path]
    if (target !== undefined) return target.length
  }
  return undefined
}

describe.each([
  [
    'A23: another size',
    [{ filename, extra: { ...genuine, size: 7 } }],
    'size-changed',
    'foo: a file has another size than at first, so that its sha256 alone decides from now on: ' +
      `${filename} (1000 -> 7)`,
  ],
  [
    'A12: another requires-python',
    [{ filename, extra: { ...genuine, 'requires-python': '>=99' } }],
    'requires-python-changed',
    `foo: a file has another requires-python: ${filename} (>=3.9 -> >=99); it is not taken over`,
  ],
  [
    'another spelling',
    [
      { filename, extra: genuine },
      { filename: 'Foo-1.0.0-py3-none-any.whl', content: 'evil' },
    ],
    'another-spelling',
    undefined,
  ],
])('%s', (_what, shown, kind, message) => {
  test('is a conflict: journalled and said once, open until somebody has looked into it', async () => {
    const journal = await signGenuine()
    await show(...shown)
    expect(await mirror.sync()).toMatchObject({ changed: 1, conflicts: 1, exitCode: 0 })
    expect((await journal.kinds('foo')).slice(1)).toEqual([`${kind} kept`])
    const said = mirror.takeEvents('warning').map((event) => event.message)
    expect(said).toEqual(message === undefined ? [] : [message])
    expect(await mirror.sync({ full: true })).toMatchObject({ changed: 0, conflicts: 1 })
    expect(mirror.takeEvents('warning')).toEqual([])
    await acknowledgeConflicts(mirror.context)
    expect(await mirror.sync()).toMatchObject({ conflicts: 0 })
  })

  test('leaves the file as it can be had', async () => {
    await signGenuine()
    await show(...shown)
    await mirror.sync()
    const file = await findFile()
    expect(file).toMatchObject({ requiresPython: '>=3.9' })
    expect([file?.size ?? file?.toldSize]).toEqual([1000])
    expect((await mirror.findRecord('foo'))?.files).toHaveLength(1)
  })
})

test('another spelling of a signed name with another content is said with both names', async () => {
  await signGenuine()
  await show({ filename, extra: genuine }, { filename: 'foo-v1-py3-none-any.whl' })
  await mirror.sync()
  expect(mirror.takeEvents('conflict')).toMatchObject([
    { project: 'foo', file: 'foo-v1-py3-none-any.whl', signedAs: filename },
  ])
})

describe('a requires-python that was wrong at the first look', () => {
  const right = { filename, extra: { ...genuine, 'requires-python': '>=3.12' } }

  test('is put right by a person: held, approved, and said no more', async () => {
    const journal = await signGenuine()
    await show(right)
    const hold = { ...defaultChangePolicy, 'requires-python-changed': 'hold' } as const
    expect(await mirror.sync({ changePolicy: hold })).toMatchObject({ held: 1 })
    expect(await findFile()).toMatchObject({ requiresPython: '>=3.9' })
    await mirror.approve()
    expect(await findFile()).toMatchObject({ requiresPython: '>=3.12' })
    expect(await mirror.sync()).toMatchObject({ changed: 0, conflicts: 0 })
    expect(await journal.kinds('foo')).toEqual([
      'new-project signed',
      'requires-python-changed held',
      'approved',
    ])
  })

  test('follows an index that the operator lets decide', async () => {
    const journal = await signGenuine()
    await show(right)
    const sign = { ...defaultChangePolicy, 'requires-python-changed': 'sign' } as const
    expect(await mirror.sync({ changePolicy: sign })).toMatchObject({ changed: 1, conflicts: 0 })
    expect(await findFile()).toMatchObject({ requiresPython: '>=3.12' })
    expect((await journal.kinds('foo')).at(-1)).toBe('requires-python-changed signed')
  })
})

describe('A23: another size of a file that is a target of its own', () => {
  const wheel = buildWheel({ name: 'foo', version: '1.0' })
  const right = wheel.bytes.length

  test.each([
    ['later', [right, 7]],
    ['at first', [7, right]],
    ['twice', [7, 8]],
    ['later, and then the right one', [right, 7, right, 7]],
  ])('is measured on the file itself, when it is told %s', async (_when, sizes) => {
    await mirror.init({ bins: 4, shape: { signsFiles: true } })
    const server = await startHostileServer()
    try {
      server.on(`/files/${wheel.filename}`, serve(wheel.bytes))
      for (const size of sizes) {
        const { sha256 } = wheel
        const url = `/files/${wheel.filename}`
        const file = { filename: wheel.filename, url, hashes: { sha256 }, size }
        const page = { meta: { 'api-version': '1.1' }, name: 'foo', files: [file], versions: [] }
        const type = { 'content-type': 'application/vnd.pypi.simple.v1+json' }
        server.on('/simple/foo/', serve(Buffer.from(JSON.stringify(page)), type))
        await mirror.sync({ index: server.url('/simple/'), projects: ['foo'], acceptClock: true })
      }
    } finally {
      await server.close()
    }
    const file = await findFile()
    expect(file).toMatchObject({ toldSize: right })
    expect(file).not.toHaveProperty('size')
    expect(await findTargetLength(`files/foo/${wheel.filename}`)).toBe(right)
  })
})
