import { describe, expect, test } from 'vitest'
import { parseRequirementsFile } from '../../src/installers/requirements-file.ts'

function read(text: string): string[] {
  return parseRequirementsFile(text).references.map(
    ({ line, kind, name, value }) => `${line} ${kind} ${name} ${value}`,
  )
}

describe('a requirements file', () => {
  test('names no other source where it has versions and hashes alone', () => {
    const text = [
      '# requests @ https://example.com/x.whl',
      'requests==2.32.0 \\',
      '    --hash=sha256:aa \\',
      '    --hash=sha256:bb',
      'flask[async] >= 3 ; python_version > "3.8"  # see https://flask.example/',
      'a~=1.0',
      'b',
      '--only-binary :all:',
    ]
    expect(read(text.join('\n'))).toEqual([])
  })

  test.each([
    ['-i https://a/', '1 index -i https://a/'],
    ['-ihttps://a/', '1 index -i https://a/'],
    ['--index-url https://a/', '1 index --index-url https://a/'],
    ['--index-url=https://a/', '1 index --index-url https://a/'],
    ['--pypi-url https://a/', '1 index --pypi-url https://a/'],
    ['  --extra-index-url "https://a/"', '1 extra-index --extra-index-url https://a/'],
    ['--extra https://a/', '1 extra-index --extra-index-url https://a/'],
    ['--ind=https://a/', '1 index --index-url https://a/'],
    ['-f ./wheels', '1 find-links -f ./wheels'],
    ['--find-links \\\n https://a/', '1 find-links --find-links https://a/'],
    ['--trusted-host a', '1 trusted-host --trusted-host a'],
    ['--no-index', '1 no-index --no-index true'],
  ])('is read as pip reads its options: %s', (text, expected) => {
    expect(read(text)).toEqual([expected])
  })

  test('may have several options on one line', () => {
    expect(read('--pre --extra-index-url https://a/ --extra-index-url https://b/')).toEqual([
      '1 extra-index --extra-index-url https://a/',
      '1 extra-index --extra-index-url https://b/',
    ])
  })

  test('has addresses, repositories and paths in place of versions', () => {
    const text = [
      'foo @ https://example.com/foo-1.0-py3-none-any.whl ; python_version > "3"',
      'foo[x]@git+https://github.com/a/b@v1#egg=foo',
      'https://example.com/foo.zip --hash=sha256:00',
      'git+ssh://git@github.com/a/b.git',
      './wheels/foo-1.0-py3-none-any.whl',
      '-e .',
      '-e git+https://github.com/a/b#egg=b',
      'foo-1.0.tar.gz',
      'foo @ file:///srv/foo',
    ]
    expect(read(text.join('\n'))).toEqual([
      '1 url foo https://example.com/foo-1.0-py3-none-any.whl',
      '2 repository foo git+https://github.com/a/b@v1#egg=foo',
      '3 url  https://example.com/foo.zip',
      '4 repository  git+ssh://git@github.com/a/b.git',
      '5 path  ./wheels/foo-1.0-py3-none-any.whl',
      '6 path -e .',
      '7 repository -e git+https://github.com/a/b#egg=b',
      '8 path  foo-1.0.tar.gz',
      '9 path foo file:///srv/foo',
    ])
  })

  test('names the files that belong to it, and fetches lists from nowhere unseen', () => {
    const { includes, references } = parseRequirementsFile(
      '-r base.txt\n-cconstraints.txt\n--requirement=https://example.com/r.txt\n',
    )
    expect(includes).toEqual([
      { line: 1, path: 'base.txt' },
      { line: 2, path: 'constraints.txt' },
    ])
    expect(references).toMatchObject([{ kind: 'url', line: 3, value: 'https://example.com/r.txt' }])
  })

  test('hides nothing behind a separator that editors do not show as the end of a line', () => {
    expect(read('a==1\n# harmless\v--extra-index-url https://evil/\n')).toEqual([
      '2 extra-index --extra-index-url https://evil/',
    ])
  })

  test('does not take a URL in an unknown option for a source, nor stop at one', () => {
    expect(read('--use-feature fast-deps\n--unknown https://a/\n-i https://b/')).toEqual([
      '3 index -i https://b/',
    ])
  })

  test.each([
    ['a run of spaces', `a${' '.repeat(200_000)}b @`],
    ['quotes that are not closed', `--find-links ${`"'\\"`.repeat(50_000)}`],
    ['many brackets', `a${'['.repeat(200_000)} @ b`],
    ['many comments', 'a ;'.repeat(100_000)],
    ['joined lines', 'a \\\n'.repeat(100_000)],
  ])('is read in a time that goes with its length: %s', (_, text) => {
    expect(read(text).length).toBeLessThan(2)
  })
})
