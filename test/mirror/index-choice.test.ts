import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { MirrorFixture } from './mirror-fixture.ts'

let mirror: MirrorFixture
beforeEach(async () => {
  mirror = await MirrorFixture.create()
  await mirror.init()
})
afterEach(() => mirror.remove())

describe('the index that a mirror follows', () => {
  test('is not remembered from a first sync that found nothing there', async () => {
    const wrong = `${mirror.root}/mirror`
    await mirror.putPage('foo', ['foo-1.0.tar.gz'])
    expect(await mirror.sync({ index: wrong, projects: ['foo'] })).toMatchObject({
      failed: 1,
      exitCode: 1,
    })
    expect((await mirror.status()).index).toBeUndefined()
    const { index } = mirror
    expect(await mirror.sync({ index, projects: ['foo'] })).toMatchObject({ changed: 1 })
    expect((await mirror.status()).index).toBe(index)
  })

  test('is remembered from the first project that it has, also where others fail', async () => {
    await mirror.putPage('foo', ['foo-1.0.tar.gz'])
    await mirror.sync({ projects: ['absent', 'foo', 'missing'] })
    expect((await mirror.status()).index).toBe(mirror.index)
    await expect(mirror.sync({ index: 'https://other.test/simple/' })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: `The mirror follows ${mirror.index}, not https://other.test/simple/`,
    })
  })

  test('stays when another one that was accepted by hand has nothing', async () => {
    await mirror.putPage('foo', ['foo-1.0.tar.gz'])
    await mirror.sync({ projects: ['foo'] })
    const index = `${mirror.root}/mirror`
    await mirror.sync({ index, acceptIndex: true, projects: ['absent'] })
    expect((await mirror.status()).index).toBe(mirror.index)
  })
})

test('an index that is down is said to be down, with the time that is left', async () => {
  await mirror.putPage('foo', ['foo-1.0.tar.gz'])
  await mirror.sync({ projects: ['foo'] })
  mirror.events.length = 0
  // Nothing listens on the port of discard.
  const index = 'http://127.0.0.1:9/simple/'
  await mirror.sync({ index, acceptIndex: true })
  expect(mirror.takeEvents('warning')).toEqual([
    {
      kind: 'warning',
      message: 'The index was down: no answer for 1 of 1 project.',
      next: `Run "tufgate mirror sync ${mirror.directory}" within 1 d (max-unseen), or renew will refuse.`,
    },
  ])
})
