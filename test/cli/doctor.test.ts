import { spawnSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import type { Server } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { containing } from '../support/expecting.ts'
import { findClosedPort, hostileAddress } from './hostile-address.ts'
import { Machine } from './doctor-fixture.ts'

const own = 'http://127.0.0.1:8642/simple/'
let machine: Machine

beforeEach(async () => {
  machine = await Machine.create()
  // Nobody listens there; the test does not ask whether somebody does.
  machine.settings = 'listen = ["127.0.0.1:8642"]'
})

afterEach(() => machine.remove())

describe('a project', () => {
  test('is read with all its files, wherever they lie in it', async () => {
    const files: readonly (readonly [name: string, content: string, codes: readonly string[]])[] = [
      ['requirements.txt', `-i ${own}\na==1\n--extra-index-url https://x/\n`, ['extra-index:3']],
      ['requirements/dev.in', 'b @ https://x/b.whl\n', ['direct-url:1']],
      ['sub/dev-requirements.txt', '-f https://x/\n', ['find-links:1']],
      ['sub/constraints.txt', '-i https://x/\n', ['other-index:1']],
      [
        'pyproject.toml',
        '[build-system]\nrequires = ["x @ git+https://x/x"]\n',
        ['version-control:2'],
      ],
      ['a/pyproject.toml', '[tool.poetry]\nname = "a"\n', ['default-index:1']],
      ['uv.toml', '[[index]]\nurl = "https://x/"\n', ['extra-index:2']],
      ['pdm.toml', '[pypi]\nurl = "https://x/"\n', ['other-index:2']],
      ['Pipfile', '[[source]]\nurl = "https://x/"\n', ['other-index:2']],
      ['setup.cfg', '[options]\ninstall_requires =\n  a @ https://x/a.whl\n', ['direct-url:3']],
      ['poetry.toml', '[repositories.x]\nurl = "https://x/"\n', ['publish-address:2']],
      ['uv.lock', 'wheels = [\n  { url = "https://x/a.whl" },\n]\n', ['locked-past-proxy:2']],
      ['pylock.dev.toml', '[[packages]]\nindex = "https://x/"\n', ['locked-past-proxy:2']],
      [
        'Pipfile.lock',
        '{"_meta": {"sources": [\n{"url": "https://x/"}]}}',
        ['locked-past-proxy:2'],
      ],
    ]
    for (const [name, content] of files) await machine.write(`project/${name}`, content)
    const found = await machine.examine()
    for (const [name, , codes] of files) {
      const at = found.filter(({ place }) => place === machine.path('project', name))
      expect(
        at.map(({ code, line }) => `${code}:${line}`),
        name,
      ).toEqual(codes)
    }
  })

  test('is not looked for in environments, hidden folders and those of others', async () => {
    for (const name of ['.git', 'node_modules', 'env/lib', '.venv']) {
      await machine.write(`project/${name}/requirements.txt`, '-i https://x/\n')
    }
    await machine.write('project/env/pyvenv.cfg', '')
    const found = await machine.examine()
    expect(found.filter(({ code }) => code === 'other-index')).toEqual([])
  })

  test('is one with the settings in the folders above it, as uv finds them', async () => {
    const file = await machine.write('uv.toml', 'index-url = "https://x/"\n')
    expect(await machine.codesAt(file)).toEqual(['other-index:1'])
  })
})

describe('requirements that include each other', () => {
  test('are followed, in a circle too, and read once each', async () => {
    const first = await machine.write('project/requirements.txt', '-r more/base.txt\n')
    const second = await machine.write(
      'project/more/base.txt',
      '-r ../requirements.txt\n-c base.txt\n--extra-index-url https://x/\n',
    )
    expect(await machine.codesAt(second)).toEqual(['extra-index:3'])
    expect(await machine.codesAt(first)).toEqual([])
  })

  test('are told of where one of them is not there', async () => {
    const file = await machine.write('project/requirements.txt', 'a\n-r gone.txt\n')
    expect(await machine.codesAt(file)).toEqual(['not-checked:2'])
  })

  test('are bounded', async () => {
    const lines = Array.from({ length: 600 }, (_, at) => `-r r${at}.txt`)
    const file = await machine.write('project/requirements.txt', lines)
    const codes = await machine.codesAt(file)
    expect(codes).toHaveLength(501)
    expect(codes.at(-1)).toBe('not-checked:501')
  })
})

describe('settings of a user and of the machine', () => {
  test('are read for every installer', async () => {
    const files = [
      await machine.write('home/.config/uv/uv.toml', 'index-url = "https://x/"\n'),
      await machine.write('home/.config/pdm/config.toml', '[pypi]\nurl = "https://x/"\n'),
      await machine.write('etc/uv/uv.toml', 'extra-index-url = ["https://x/"]\n'),
      await machine.write('home/.pydistutils.cfg', '[easy_install]\nindex_url = https://x/\n'),
    ]
    const codes = await Promise.all(files.map((file) => machine.codesAt(file)))
    expect(codes).toEqual([
      ['other-index:1'],
      ['other-index:2'],
      ['extra-index:1'],
      ['other-index:2'],
    ])
  })

  test('of pip are read in every file that pip reads', async () => {
    delete machine.environment['PIP_CONFIG_FILE']
    machine.environment['VIRTUAL_ENV'] = machine.path('venv')
    await machine.write('venv/pyvenv.cfg', '')
    const files = [
      await machine.write('etc/pip/pip.conf', '[global]\nindex-url = https://x/\n'),
      await machine.write('home/.pip/pip.conf', '[install]\nextra-index-url = https://x/\n'),
      await machine.write('home/.config/pip/pip.conf', '[global]\nno-index = true\n'),
      await machine.write('venv/pip.conf', '[global]\nproxy = http://x:1\n'),
    ]
    const codes = await Promise.all(files.map((file) => machine.codesAt(file)))
    expect(codes).toEqual([
      ['other-index:2'],
      ['extra-index:2'],
      ['no-index:2'],
      ['outgoing-proxy:2'],
    ])
  })

  test('of uv give way to the file that a variable names', async () => {
    const user = await machine.write('home/.config/uv/uv.toml', 'index-url = "https://x/"\n')
    machine.environment['UV_CONFIG_FILE'] = await machine.write(
      'own.toml',
      `index-url = "${own}"\n`,
    )
    expect(await machine.codesAt(user)).toEqual([])
  })
})

describe('variables', () => {
  const place = 'environment variables'

  test('are told by their names, and what mends them is a command', async () => {
    Object.assign(machine.environment, {
      PIP_INDEX_URL: own,
      PIP_EXTRA_INDEX_URL: 'https://u:secret@x/',
      UV_DEFAULT_INDEX: 'https://x/',
      PIP_TRUSTED_HOST: '127.0.0.1',
      HTTP_PROXY: 'http://corp:3128',
    })
    const found = await machine.examine()
    expect(
      found.filter((one) => one.place === place).map(({ code, what, mend }) => [code, what, mend]),
    ).toEqual([
      [
        'no-proxy-missing',
        'HTTP_PROXY: http://corp:3128/, and NO_PROXY does not name 127.0.0.1',
        "export NO_PROXY='127.0.0.1,localhost,::1' no_proxy='127.0.0.1,localhost,::1'",
      ],
      ['extra-index', 'PIP_EXTRA_INDEX_URL: https://x/', 'unset PIP_EXTRA_INDEX_URL'],
      ['trusted-host', 'PIP_TRUSTED_HOST: 127.0.0.1', 'unset PIP_TRUSTED_HOST'],
      ['other-index', 'UV_DEFAULT_INDEX: https://x/', `export UV_DEFAULT_INDEX=${own}`],
    ])
  })

  test('that name a list of requirements lead into it', async () => {
    const file = await machine.write('c.txt', 'a @ https://x/a.whl\n')
    machine.environment['PIP_CONSTRAINT'] = file
    expect(await machine.codesAt(file)).toEqual(['direct-url:1'])
  })
})

describe('caches', () => {
  test('from before are told, as a warning where an installer looks into them', async () => {
    await machine.write('home/.cache/pip/http-v2/a/b', 'x')
    await machine.write('home/.cache/uv/wheels-v5/pypi/a', 'x')
    await machine.write('home/.cache/pypoetry/cache/repositories/PyPI/a', 'x')
    await machine.write('pdm-cache/metadata/a', 'x')
    machine.environment['PDM_CACHE_DIR'] = machine.path('pdm-cache')
    machine.environment['PIP_TRUSTED_HOST'] = '127.0.0.1'
    const found = await machine.examine()
    expect(
      found
        .filter(({ code }) => code === 'old-cache')
        .map(({ severity, mend }) => `${severity}: ${mend}`),
    ).toEqual([
      'warning: pip cache purge',
      'note: uv cache clean',
      'note: poetry cache clear --all --no-interaction PyPI',
      'note: pdm cache clear',
    ])
  })

  test('that are empty are none', async () => {
    await mkdir(machine.path('home/.cache/pip/http-v2'), { recursive: true })
    expect((await machine.examine()).filter(({ code }) => code === 'old-cache')).toEqual([])
  })
})

describe('the address of the proxy', () => {
  let server: Server | undefined

  afterEach(
    () => new Promise((resolve) => (server === undefined ? resolve(0) : server.close(resolve))),
  )

  test('may be taken by another program', async () => {
    const { server: opened, port } = await hostileAddress(
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi',
    )
    server = opened
    machine.settings = `listen = ["127.0.0.1:${port}"]`
    const found = await machine.examine()
    expect(found.filter(({ place }) => place === 'the proxy')).toMatchObject([
      {
        severity: 'problem',
        code: 'port-taken',
        what: `another program answers on http://127.0.0.1:${port}: it does not speak as tufgate does`,
      },
    ])
  })

  test('may have nobody there', async () => {
    const port = await findClosedPort()
    machine.settings = `listen = ["127.0.0.1:${port}"]`
    const found = await machine.examine({ config: "it's.toml" })
    expect(found.filter(({ place }) => place === 'the proxy')).toMatchObject([
      {
        code: 'proxy-not-running',
        mend: String.raw`tufgate serve --config 'it'\''s.toml' (for one command alone: tufgate run -- COMMAND)`,
      },
    ])
  })
})

function mirroredAt(root: string): string {
  return `[[index]]\nname = "a"\nurl = "https://a.example/"\nmirror = ["/m"]\nroot = "${root}"\n`
}

describe('tufgate itself', () => {
  test('is told of a setting for credentials that cannot be read', async () => {
    const secret = await machine.write('secret', 'user:password', 0o644)
    machine.settings = [
      '[[index]]',
      'name = "a"',
      'url = "https://a.example/"',
      'projects = ["a"]',
      'credentials = "env:ACME"',
      '[[index]]',
      'name = "b"',
      'url = "https://b.example/"',
      `credentials = "file:${secret}"`,
    ].join('\n')
    const found = await machine.examine()
    const credentials = found.filter(({ code }) => code === 'credentials-unreadable')
    expect(credentials.map(({ what }) => what)).toEqual([
      'The variable ACME, which credentials of index a names, is not set.',
      containing(secret),
    ])
    expect(credentials[1]?.mend).toBe(`chmod 600 ${secret}`)
    expect(JSON.stringify(found)).not.toContain('password')
  })

  test('is told of a root that is not there, or is none', async () => {
    const root = await machine.write('1.root.json', '{}')
    machine.settings = mirroredAt(machine.path('gone.json'))
    const findBroken = async (): Promise<string[]> =>
      (await machine.examine())
        .filter(({ code }) => code === 'trust-unreadable')
        .map(({ what }) => what)
    expect(await findBroken()).toEqual([
      `a: the pinned root ${machine.path('gone.json')} is not there`,
    ])
    machine.settings = mirroredAt(root)
    expect(await findBroken()).toHaveLength(1)
  })

  test('is told of a key that others can read, and of a state that they can write', async () => {
    const { path } = (await import('../../src/notary/notary-folder.ts')).findNotaryPlace(
      machine.state,
      'https://pypi.org/simple/',
    )
    await mkdir(machine.state, { mode: 0o777 })
    await machine.write(
      `${path.slice(machine.folder.length + 1)}/keys/offline/root.pem`,
      'x',
      0o644,
    )
    spawnSync('chmod', ['777', machine.state])
    const found = await machine.examine()
    expect(
      found.filter(({ code }) => code.endsWith('by-others')).map(({ code, what }) => [code, what]),
    ).toEqual([
      ['writable-by-others', `${machine.state} can be written by other users (mode 777)`],
      [
        'readable-by-others',
        `${join(path, 'keys/offline/root.pem')} can be read by other users (mode 644)`,
      ],
    ])
  })
})

describe('the doctor', () => {
  test('changes nothing, and makes no state', async () => {
    await machine.write('project/requirements.txt', '-i https://x/')
    await machine.write('home/.cache/pip/http-v2/a/b', 'x')
    await machine.write('home/.config/pip/pip.conf', '[global]\nindex-url = https://x/\n')
    const before = machine.describe()
    await machine.examine({ isOnline: false })
    expect(machine.describe()).toEqual(before)
    expect(machine.has('state')).toBe(false)
  })

  test('says what was not asked over the network', async () => {
    expect(await machine.codesAt('not checked')).toEqual(['not-asked'])
  })

  test('runs no program of the project', async () => {
    const mark = machine.path('ran')
    const script = `#!/bin/sh\necho > '${mark}'\n`
    await machine.write('project/.venv/bin/python', script, 0o755)
    await machine.write('project/.venv/pyvenv.cfg', '')
    await machine.write('project/bin/python3', script, 0o755)
    machine.environment['PATH'] = `${machine.path('bin')}::.:project/bin`
    await machine.examine()
    expect(machine.has('ran')).toBe(false)
  })

  test('does not wait for a Python that does not answer, and says so of one that cannot', async () => {
    const broken = await machine.write('bin/python3', '#!/bin/sh\nexit 1\n', 0o755)
    const found = await machine.examine()
    expect(found.filter(({ place }) => place === 'this machine')).toMatchObject([
      {
        code: 'not-checked',
        what: `this was not checked: ${broken} does not say where its pip.conf is`,
      },
    ])
  })

  test('has an end for a folder with more than it can look at', async () => {
    await Promise.all(
      Array.from({ length: 600 }, async (_, at) => {
        const folder = join(machine.project, `p${at}`)
        await mkdir(folder)
        await writeFile(join(folder, 'requirements.txt'), '-i https://x/\n')
      }),
    )
    const found = await machine.examine()
    expect(found.filter(({ code }) => code === 'other-index')).toHaveLength(500)
    expect(found.find(({ place }) => place === machine.project)?.what).toContain('too many files')
  })
})
