import {
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { assert, property, string } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeRoleName, MetadataDirectory } from '../../src/store/metadata-directory.ts'
import { makeTempFolder } from './temp-folder.ts'

const bytes = Buffer.from('{"signed":{}}')

async function openDirectory(
  folder: string,
  warnings: string[] = [],
  maxDelegatedRoles = 4096,
): Promise<MetadataDirectory> {
  return MetadataDirectory.open(folder, {
    maxDelegatedRoles,
    onWarning: (message) => warnings.push(message),
  })
}

function listAll(folder: string): string[] {
  return (readdirSync(folder, { recursive: true }) as string[]).toSorted()
}

describe('cached metadata', () => {
  test('is read back under the role that it was written for', async () => {
    const folder = makeTempFolder()
    const metadata = await openDirectory(folder)
    await metadata.saveRoot(3, bytes)
    const staged = await metadata.stageTop('timestamp', bytes)
    expect(await metadata.readTop('timestamp', 1000)).toBeUndefined()
    staged.publish()
    await metadata.writeDelegated('bins-0a', bytes)
    await metadata.writeDelegated('timestamp', Buffer.from('of a delegated role'))
    expect(Buffer.from((await metadata.readRoot(3, 1000)) ?? [])).toEqual(bytes)
    expect(Buffer.from((await metadata.readTop('timestamp', 1000)) ?? [])).toEqual(bytes)
    expect(Buffer.from((await metadata.readDelegated('bins-0a', 1000)) ?? [])).toEqual(bytes)
    expect(await metadata.readRoot(4, 1000)).toBeUndefined()
    expect(await metadata.readTop('snapshot', 1000)).toBeUndefined()
    expect(await metadata.readDelegated('bins-0b', 1000)).toBeUndefined()
    expect(listAll(folder)).toEqual([
      'roles',
      'roles/bins-0a.json',
      'roles/timestamp.json',
      'roots',
      'roots/3.root.json',
      'timestamp.json',
    ])
    expect(statSync(join(folder, 'timestamp.json')).mode & 0o777).toBe(0o600)
  })

  test('that was staged and not published leaves nothing', async () => {
    const folder = makeTempFolder()
    const metadata = await openDirectory(folder)
    const staged = await metadata.stageTop('snapshot', bytes)
    staged.discard()
    staged.discard()
    expect(listAll(folder)).toEqual(['roles', 'roots'])
  })

  test('an old stage that a crash left goes at the next start, a young one stays', async () => {
    const folder = makeTempFolder()
    const metadata = await openDirectory(folder)
    await metadata.stageTop('snapshot', bytes)
    await metadata.stageTop('targets', bytes)
    const [old = ''] = readdirSync(folder).filter((name) => name.startsWith('snapshot'))
    utimesSync(join(folder, old), 1, 1)
    await openDirectory(folder)
    expect(readdirSync(folder).filter((name) => name.includes('.new-'))).toHaveLength(1)
  })

  test('that is longer than allowed, or no file, is set aside and told', async () => {
    const folder = makeTempFolder()
    const warnings: string[] = []
    const metadata = await openDirectory(folder, warnings)
    await metadata.saveRoot(1, bytes)
    expect(await metadata.readRoot(1, bytes.length - 1)).toBeUndefined()
    expect(warnings[0]).toContain('1.root.json was set aside as')
    expect(warnings[0]).toContain(`${bytes.length} bytes, at most ${bytes.length - 1} are allowed`)
    mkdirSync(join(folder, 'targets.json'))
    expect(await metadata.readTop('targets', 1000)).toBeUndefined()
    writeFileSync(join(folder, 'elsewhere'), bytes)
    symlinkSync(join(folder, 'elsewhere'), join(folder, 'snapshot.json'))
    expect(await metadata.readTop('snapshot', 1000)).toBeUndefined()
    expect(warnings[2]).toContain('it is a symbolic link')
    expect(await metadata.readTop('snapshot', 1000)).toBeUndefined()
    expect(warnings).toHaveLength(3)
  })

  test('that did not verify is kept for a look, once, and not read again', async () => {
    const folder = makeTempFolder()
    const warnings: string[] = []
    const metadata = await openDirectory(folder, warnings)
    for (let time = 0; time < 3; time += 1) {
      await metadata.writeDelegated('bins-0a', Buffer.from(`poison ${time}`))
      await metadata.setAsideDelegated('bins-0a', 'its signature does not verify')
    }
    expect(await metadata.readDelegated('bins-0a', 1000)).toBeUndefined()
    expect(readdirSync(join(folder, 'roles'))).toEqual(['bins-0a.json.damaged'])
    await metadata.setAsideTop('snapshot', 'absent')
    await metadata.setAsideRoot(1, 'absent')
    expect(warnings).toHaveLength(3)
  })

  test('of delegated roles is bounded in number: the least recently used goes', async () => {
    const folder = makeTempFolder()
    const metadata = await openDirectory(folder, [], 3)
    for (const role of ['a', 'b', 'c']) await metadata.writeDelegated(role, bytes)
    await metadata.readDelegated('a', 1000)
    await metadata.writeDelegated('d', bytes)
    expect(readdirSync(join(folder, 'roles')).toSorted()).toEqual(['a.json', 'c.json', 'd.json'])
    for (const [at, role] of ['c', 'a', 'd'].entries())
      utimesSync(join(folder, 'roles', `${role}.json`), at + 1, at + 1)
    const again = await openDirectory(folder, [], 3)
    await again.writeDelegated('e', bytes)
    expect(readdirSync(join(folder, 'roles')).toSorted()).toEqual(['a.json', 'd.json', 'e.json'])
  })

  test('refuses what is no version of a root', async () => {
    const metadata = await openDirectory(makeTempFolder())
    for (const version of [0, -1, 1.5, Number.NaN, Infinity]) {
      expect(() => metadata.readRoot(version, 1000)).toThrow('is no version')
    }
  })
})

describe('the file name of a role', () => {
  test.each([
    ['bins-0a', 'bins-0a'],
    ['../../x', '%2E%2E%2F%2E%2E%2Fx'],
    ['.', '%2E'],
    ['..', '%2E%2E'],
    ['', ''],
    ['con', 'con'],
    ['a\0b', 'a%00b'],
    ['/etc/passwd', '%2Fetc%2Fpasswd'],
    ['%2E', '%252E'],
    ['ü', '%C3%BC'],
    ['__proto__', '__proto__'],
    ['=sha', '%3Dsha'],
  ])('%j is %s', (role, name) => {
    expect(encodeRoleName(role)).toBe(name)
  })

  test('of a very long name is short', () => {
    expect(encodeRoleName('x'.repeat(100_000))).toMatch(/^=[0-9a-f]{64}$/)
    expect(encodeRoleName('/'.repeat(41))).toMatch(/^=[0-9a-f]{64}$/)
  })

  test('that is not well-formed Unicode is refused: two such names would share a file', () => {
    expect(() => encodeRoleName('a\ud800')).toThrow('not well-formed')
  })

  test('is one path segment, and no two roles share one', () => {
    const names = new Map<string, string>()
    assert(
      property(string({ unit: 'grapheme', maxLength: 200 }), (role) => {
        const name = encodeRoleName(role)
        expect(name).toMatch(/^[A-Za-z0-9_%=-]{0,120}$/)
        expect(names.get(name) ?? role).toBe(role)
        names.set(name, role)
      }),
    )
  })

  test('keeps every role within its folder', async () => {
    const folder = makeTempFolder()
    const metadata = await openDirectory(join(folder, 'metadata'))
    for (const role of ['../../x', '.', '..', '', 'a\0b', '/', 'x'.repeat(5000)]) {
      await metadata.writeDelegated(role, Buffer.from(role))
      expect(Buffer.from((await metadata.readDelegated(role, 10_000)) ?? []).toString()).toBe(role)
    }
    expect(readdirSync(folder)).toEqual(['metadata'])
    expect(readdirSync(join(folder, 'metadata', 'roles'))).toHaveLength(7)
    expect(existsSync(join(folder, 'x.json'))).toBe(false)
    rmSync(folder, { recursive: true })
  })
})
