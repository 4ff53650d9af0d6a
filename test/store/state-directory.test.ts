import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../src/base/errors.ts'
import { findStateHome, openStateDirectory } from '../../src/store/state-directory.ts'
import { makeTempFolder } from './temp-folder.ts'

const root = { path: '/etc/tufgate/root.json', sha256: 'a'.repeat(64) }
const changed = { ...root, sha256: 'b'.repeat(64) }

test('the state home follows XDG, unless that is relative', () => {
  expect(findStateHome({ XDG_STATE_HOME: '/state', HOME: '/home/u' })).toBe('/state/tufgate')
  expect(findStateHome({ HOME: '/home/u' })).toBe('/home/u/.local/state/tufgate')
  expect(findStateHome({ XDG_STATE_HOME: 'here', HOME: '/home/u' })).toBe(
    '/home/u/.local/state/tufgate',
  )
})

describe('a state folder', () => {
  test('is made for its owner alone, by the digest of the root', async () => {
    const home = join(makeTempFolder(), 'deep', 'tufgate')
    const state = await openStateDirectory(home, root)
    expect(state.path).toBe(join(home, root.sha256))
    expect(state.previous).toBeUndefined()
    for (const path of [home, state.path, state.metadata, state.vault, state.audit]) {
      expect(statSync(path).mode & 0o777).toBe(0o700)
    }
    expect(JSON.parse(readFileSync(join(state.path, 'state.json'), 'utf8'))).toEqual({
      format: 1,
      root,
    })
    expect((await openStateDirectory(home, root)).previous).toBeUndefined()
  })

  test('tells that the root file has changed, until the change is accepted', async () => {
    const home = makeTempFolder()
    const first = await openStateDirectory(home, root)
    for (let time = 0; time < 2; time += 1) {
      const second = await openStateDirectory(home, changed)
      expect(second.previous).toEqual({ rootSha256: root.sha256, path: first.path })
    }
    const accepted = await openStateDirectory(home, changed)
    await accepted.rememberRoot()
    expect((await openStateDirectory(home, changed)).previous).toBeUndefined()
    expect(
      (await openStateDirectory(home, { ...changed, path: '/other' })).previous,
    ).toBeUndefined()
  })

  test('of a newer tufgate is refused', async () => {
    const home = makeTempFolder()
    const { path } = await openStateDirectory(home, root)
    writeFileSync(join(path, 'state.json'), '{"format":2}')
    await expect(openStateDirectory(home, root)).rejects.toMatchObject({
      code: 'STATE_NEWER',
      facts: { expected: 'format 1', found: 'format 2' },
    })
  })

  test('with damaged files is refused, not taken for a new one', async () => {
    const home = makeTempFolder()
    const { path } = await openStateDirectory(home, root)
    const [pin = ''] = readdirSync(join(home, 'pins'))
    for (const file of [join(path, 'state.json'), join(home, 'pins', pin)]) {
      const good = readFileSync(file)
      const notText = Buffer.from([0x22, 0xff, 0x22])
      for (const bad of ['', '{', '{}', '[]', '{"format":0}', '{"sha256":"x"}', notText]) {
        writeFileSync(file, bad)
        await expect(openStateDirectory(home, root)).rejects.toThrow(`${file} is damaged`)
      }
      writeFileSync(file, good)
    }
  })

  test.each(['', 'metadata', 'vault', 'audit'])(
    'that others can write is refused with the cure: %j',
    async (name) => {
      const home = makeTempFolder()
      const { path } = await openStateDirectory(home, root)
      chmodSync(join(path, name), 0o770)
      const folder = join(path, name).replace(/\/$/, '')
      await expect(openStateDirectory(home, root)).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        message: `the state folder ${folder} can be written by other users`,
        facts: { next: `run: chmod go-w ${folder}` },
      })
    },
  )

  test('that is a link to somewhere else is refused', async () => {
    const home = makeTempFolder()
    const { path, vault } = await openStateDirectory(home, root)
    rmSync(vault, { recursive: true })
    mkdirSync(join(home, 'elsewhere'))
    symlinkSync(join(home, 'elsewhere'), vault)
    const error: unknown = await openStateDirectory(home, root).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(ConfigError)
    expect(String(error)).toContain(`${join(path, 'vault')} is not a folder`)
  })

  test.skipIf(process.geteuid?.() !== 0)('of another user is refused', async () => {
    const home = makeTempFolder()
    const { path } = await openStateDirectory(home, root)
    chownSync(path, 12_345, 0)
    await expect(openStateDirectory(home, root)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      facts: { next: `run: chown -R 0 ${path}` },
    })
  })
})
