import { describe, expect, test } from 'vitest'
import { chooseWheels } from '../../src/installed/choose-wheels.ts'
import { readDistribution, type Distribution } from '../../src/installed/distribution.ts'
import type { RecordFile } from '../../src/simple/record.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text)
const folder = 'lib/python3.11/site-packages/Foo_Bar-1.0.dist-info'

function read(
  texts: { metadata?: string; wheel?: string; installer?: string; directUrl?: string },
  at = folder,
) {
  const { metadata, wheel, installer, directUrl } = texts
  return readDistribution(at, {
    metadata: metadata === undefined ? undefined : bytes(metadata),
    wheel: wheel === undefined ? undefined : bytes(wheel),
    installer: installer === undefined ? undefined : bytes(installer),
    directUrl: directUrl === undefined ? undefined : bytes(directUrl),
  })
}

const metadata = 'Metadata-Version: 2.1\nName: foo.bar\nVersion: 1.0\n\nName: evil\n'

describe('an installed distribution', () => {
  test('says its name, version, tags and installer', () => {
    expect(
      read({ metadata, wheel: 'Tag: py3-none-any\nTag: py2-none-any\n', installer: 'pip\n' }),
    ).toEqual({
      folder,
      site: 'lib/python3.11/site-packages',
      name: 'foo.bar',
      project: 'foo-bar',
      version: '1.0',
      tags: ['py3-none-any', 'py2-none-any'],
      installer: 'pip',
      source: { kind: 'index' },
    })
  })

  test.each([
    ['another name', 'Name: evil\nVersion: 1.0\n'],
    ['another version', 'Name: foo.bar\nVersion: 1.1\n'],
    ['no version', 'Name: foo.bar\n'],
    ['a name that is none', 'Name: ../foo\nVersion: 1.0\n'],
  ])('is not taken at its word where METADATA has %s', (_, text) => {
    expect(read({ metadata: text })).toHaveProperty('problem')
  })

  test('without METADATA is nothing', () => {
    expect(read({})).toHaveProperty('problem', 'its METADATA cannot be read')
  })

  test.each([
    ['{"url":"x","dir_info":{"editable":true}}', { kind: 'editable' }],
    ['{"url":"x","dir_info":{}}', { kind: 'directory' }],
    ['{"url":"x","vcs_info":{"vcs":"git"}}', { kind: 'repository' }],
    [
      `{"url":"x","archive_info":{"hash":"sha256=${'a'.repeat(64)}"}}`,
      { kind: 'archive', sha256: 'a'.repeat(64) },
    ],
    [
      `{"url":"x","archive_info":{"hashes":{"sha256":"${'b'.repeat(64)}"}}}`,
      { kind: 'archive', sha256: 'b'.repeat(64) },
    ],
    ['{"url":"x","archive_info":{"hash":"md5=1"}}', { kind: 'archive' }],
    ['{"url":', { kind: 'malformed' }],
    ['[]', { kind: 'malformed' }],
  ])('came from where %s says', (directUrl, source) => {
    expect(read({ metadata, directUrl })).toMatchObject({ source })
  })
})

function fileOf(filename: string, digit = '0'): RecordFile {
  const sha256 = digit.repeat(64)
  return {
    filename,
    url: `https://x.example/${filename}`,
    sha256,
    hashes: new Map([['sha256', sha256]]),
    extra: new Map(),
  }
}

const installed: Distribution = {
  folder,
  site: '',
  name: 'foo',
  project: 'foo',
  version: '1.0',
  tags: ['cp311-cp311-manylinux_2_17_x86_64', 'cp311-cp311-manylinux2014_x86_64'],
  source: { kind: 'index' },
}

const linux = fileOf('foo-1.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl')
const other = fileOf('foo-1.0-cp310-cp310-manylinux_2_17_x86_64.whl', '1')
const pure = fileOf('foo-1.0-py3-none-any.whl', '2')
const sdist = fileOf('foo-1.0.tar.gz', '3')
const newer = fileOf('foo-1.1-py3-none-any.whl', '4')

describe('the wheel that was installed', () => {
  test('is the one with the same tags', () => {
    expect(chooseWheels([sdist, other, linux, pure, newer], installed)).toEqual({
      kind: 'wheels',
      files: [linux],
    })
  })

  test('is the one whose digest the installer wrote down', () => {
    const source = { kind: 'archive', sha256: pure.sha256 } as const
    expect(chooseWheels([linux, pure], { ...installed, source })).toEqual({
      kind: 'wheels',
      files: [pure],
    })
  })

  test('may have been tagged again: the same Python and ABI come after equal tags', () => {
    const tags = ['cp311-cp311-linux_x86_64']
    expect(chooseWheels([other, linux], { ...installed, tags })).toEqual({
      kind: 'wheels',
      files: [linux],
    })
  })

  test('was built here where no wheel has its tags', () => {
    expect(chooseWheels([sdist, other], installed)).toEqual({ kind: 'built' })
    expect(chooseWheels([sdist], installed)).toEqual({ kind: 'built' })
    expect(chooseWheels([linux], { ...installed, tags: [] })).toEqual({ kind: 'built' })
  })

  test('is of the same version in another spelling', () => {
    expect(
      chooseWheels([pure], { ...installed, version: '1.0.0', tags: ['py3-none-any'] }),
    ).toMatchObject({ kind: 'wheels' })
    expect(chooseWheels([newer], installed)).toEqual({ kind: 'no-version' })
  })

  test('is not looked for under a name that stands for a million tags', () => {
    const many = Array.from({ length: 100 }, (_, at) => `p${at}`).join('.')
    const file = fileOf(`foo-1.0-${many}-${many}-${many}.whl`)
    expect(chooseWheels([file], installed)).toEqual({ kind: 'built' })
  })
})
