import { describe, expect, test } from 'vitest'
import { containing } from '../support/expecting.ts'
import { judgeDefaults } from '../../src/doctor/judge-defaults.ts'
import { judgeForward } from '../../src/doctor/judge-forward.ts'
import { judgeLockFile } from '../../src/doctor/judge-locked.ts'
import { judgeProxyVariables } from '../../src/doctor/judge-proxy.ts'
import { judgeReference, type JudgeContext } from '../../src/doctor/judge-reference.ts'
import { OwnAddresses } from '../../src/doctor/own-address.ts'
import { environmentPlace } from '../../src/doctor/places.ts'
import type { Installer, Reference } from '../../src/installers/reference.ts'

const listen = [
  { host: '127.0.0.1', port: 8642 },
  { host: '::1', port: 8642 },
]
const own = new OwnAddresses({ listen, hosts: ['tufgate.internal', 'gate.example:8443'] })

function contextOf(extra: Partial<JudgeContext> = {}): JudgeContext {
  const indexHosts = new Set(['pypi.org', 'files.pythonhosted.org'])
  const none = { isPipCarried: false, overriding: new Map(), configFlag: '' }
  return { own, environment: {}, indexHosts, ...none, ...extra }
}

function refer(kind: Reference['kind'], value: string, installer: Installer = 'pip'): Reference {
  return { kind, value, installer, line: 3, name: 'key' }
}

function judge(reference: Reference, context = contextOf(), place = '/p/pip.conf'): unknown {
  return judgeReference(reference, place, context)
}

describe('an index', () => {
  test.each([
    'http://127.0.0.1:8642/simple/',
    'http://127.0.0.1:8642/simple',
    'http://localhost:8642/simple/',
    'http://LOCALHOST:8642/simple/',
    'http://[::1]:8642/simple/',
    'http://127.0.0.1:8642/a-token-of-run/simple/',
    'http://user:pw@127.0.0.1:8642/simple/',
    'https://tufgate.internal/simple/',
    'http://tufgate.internal:9/simple/',
    'https://gate.example:8443/simple/',
  ])('is the proxy: %s', (value) => {
    expect(judge(refer('index', value))).toBeUndefined()
    expect(judge(refer('extra-index', value, 'uv'))).toBeUndefined()
  })

  test.each([
    ['http://127.0.0.1:8642/', 'wrong-path'],
    ['http://127.0.0.1:8642/root/pypi/+simple/', 'wrong-path'],
    ['http://127.0.0.1:8643/simple/', 'other-local-address'],
    ['https://pypi.org/simple/', 'other-index'],
    ['http://127.0.0.1:8642.evil.example/simple/', 'other-index'],
    ['http://127.0.0.1:8642@evil.example/simple/', 'other-index'],
    ['https://gate.example/simple/', 'other-index'],
    ['file:///srv/simple', 'other-index'],
    ['not a url', 'other-index'],
    ['', 'other-index'],
  ])('is not the proxy: %s', (value, code) => {
    expect(judge(refer('index', value))).toMatchObject({
      severity: 'problem',
      code,
      place: '/p/pip.conf',
      line: 3,
      mend: 'write http://127.0.0.1:8642/simple/ in this line',
    })
  })

  test('that is asked too is a problem of its own', () => {
    expect(judge(refer('extra-index', 'https://user:secret@acme.example/simple/', 'uv'))).toEqual({
      severity: 'problem',
      code: 'extra-index',
      place: '/p/pip.conf',
      line: 3,
      what: 'key: https://acme.example/simple/',
      why: 'uv asks this index too, and takes from it what it likes better: nothing that comes from there is checked.',
      mend: 'take it out; packages that only this index has can come through tufgate: give it an [[index]] with projects = ["name-*"] in tufgate.toml',
    })
  })

  test('whose place a variable takes is a warning, for shells without it', () => {
    const context = contextOf({ overriding: new Map([['index', 'PIP_INDEX_URL']]) })
    const reference = refer('index', 'https://pypi.org/simple/')
    expect(judge(reference, context)).toMatchObject({ severity: 'problem' })
    expect(judge({ ...reference, isDefault: true }, context)).toMatchObject({
      severity: 'warning',
      why: containing('In this shell PIP_INDEX_URL takes its place'),
    })
  })

  test('in a variable is mended by a command', () => {
    const reference = { ...refer('index', 'https://pypi.org/simple/'), name: 'PIP_INDEX_URL' }
    expect(judge(reference, contextOf(), environmentPlace)).toMatchObject({
      mend: 'export PIP_INDEX_URL=http://127.0.0.1:8642/simple/',
    })
    const odd = { ...refer('extra-index', 'https://a/'), name: 'PIP_$(x)' }
    expect(judge(odd, contextOf(), environmentPlace)).toMatchObject({ mend: "unset 'PIP_$(x)'" })
    const extra = { ...refer('extra-index', 'https://a/'), name: 'UV_INDEX' }
    expect(judge(extra, contextOf(), environmentPlace)).toMatchObject({ mend: 'unset UV_INDEX' })
  })

  test('of a Pipfile is what the mirror of pipenv replaces, where it is pypi.org', () => {
    const environment = { PIPENV_PYPI_MIRROR: 'http://127.0.0.1:8642/simple/' }
    const context = contextOf({ environment })
    expect(judge(refer('index', 'https://pypi.org/simple', 'pipenv'), context)).toBeUndefined()
    expect(judge(refer('extra-index', 'https://acme/simple', 'pipenv'), context)).toBeDefined()
    expect(judge(refer('index', 'https://pypi.org/simple', 'poetry'), context)).toBeDefined()
  })
})

describe('requests that go through the proxy as an HTTP proxy', () => {
  const environment = {
    HTTPS_PROXY: 'http://tufgate:TOKEN@127.0.0.1:8642',
    NO_PROXY: 'acme.example',
  }

  test('go past nothing', () => {
    const context = contextOf({ environment })
    expect(judge(refer('index', 'https://pypi.org/simple/'), context)).toBeUndefined()
    expect(judge(refer('url', 'https://h/x.whl', 'uv'), context)).toBeUndefined()
    expect(judgeDefaults([{ installer: 'uv', projectFile: 'uv.lock' }], [], context)).toEqual([])
  })

  test('do, where NO_PROXY or the scheme makes an exception', () => {
    const context = contextOf({ environment })
    expect(judge(refer('index', 'https://acme.example/simple/'), context)).toBeDefined()
    expect(judge(refer('index', 'http://pypi.org/simple/'), context)).toBeDefined()
    expect(judge(refer('repository', 'git+ssh://git@h/x'), context)).toBeDefined()
  })

  test('are those of pip alone, where its own setting says so', () => {
    const context = contextOf({ isPipCarried: true })
    expect(judge(refer('proxy', 'http://127.0.0.1:8642'), context)).toBeUndefined()
    expect(judge(refer('index', 'https://pypi.org/simple/'), context)).toBeUndefined()
    expect(judge(refer('index', 'https://pypi.org/simple/', 'uv'), context)).toBeDefined()
  })
})

describe('the proxy as an HTTP proxy', () => {
  const settings = { allow: [], isIntercepting: false }

  test('refuses https where it cannot look into it', () => {
    const context = contextOf({ environment: { HTTPS_PROXY: 'http://127.0.0.1:8642' } })
    expect(judgeForward(settings, context)).toMatchObject([
      { severity: 'warning', code: 'https-refused' },
    ])
    expect(judgeForward(settings, contextOf())).toEqual([])
  })

  test('is believed by installers that were told of its authority', () => {
    const environment = { HTTPS_PROXY: 'http://127.0.0.1:8642' }
    const intercepting = { allow: [], isIntercepting: true }
    expect(judgeForward(intercepting, contextOf({ environment }))).toMatchObject([
      { severity: 'warning', code: 'authority-not-trusted' },
    ])
    const told = contextOf({ environment: { ...environment, PIP_CERT: '/b.pem' } })
    expect(judgeForward(intercepting, told)).toEqual([])
  })

  test('lets pass what its settings allow, which is told', () => {
    expect(judgeForward({ ...settings, allow: ['github.com'] }, contextOf())).toMatchObject([
      { severity: 'note', code: 'forward-allow', what: containing('github.com') },
    ])
  })
})

function mendOf(value: string, place: string): unknown {
  return judgeReference(refer('path', value), place, contextOf())?.mend
}

describe('other settings', () => {
  test.each([
    [refer('find-links', 'https://h/links'), 'problem', 'find-links'],
    [refer('find-links', './wheels'), 'warning', 'find-links'],
    [refer('no-index', 'true'), 'problem', 'no-index'],
    [refer('proxy', 'http://corp.example:3128'), 'problem', 'outgoing-proxy'],
    [refer('proxy', 'corp.example:3128'), 'problem', 'outgoing-proxy'],
    [refer('trusted-host', '127.0.0.1:8642'), 'warning', 'trusted-host'],
    [refer('trusted-host', 'acme.example'), 'warning', 'trusted-host'],
    [refer('url', 'https://h/x.whl'), 'problem', 'direct-url'],
    [refer('repository', 'git+https://h/x'), 'problem', 'version-control'],
    [refer('path', './x-1.0-py3-none-any.whl'), 'warning', 'local-file'],
    [refer('path', '../x'), 'note', 'local-folder'],
    [refer('publish', 'https://acme/'), 'note', 'publish-address'],
    [refer('old-default', 'https://acme/', 'poetry'), 'note', 'old-poetry'],
  ])('are judged by what they let past: %j', (reference, severity, code) => {
    expect(judge(reference)).toMatchObject({ severity, code })
  })

  test('name a local file as it is found from where somebody stands', () => {
    expect(mendOf('./w/x-1.0.whl', '/p/requirements.txt')).toBe('tufgate verify /p/w/x-1.0.whl')
    expect(mendOf('file:///w/x 1.0.whl', '/p/r.txt')).toBe("tufgate verify '/w/x 1.0.whl'")
  })

  test('are nothing where they are the proxy, or the folder itself', () => {
    expect(judge(refer('url', 'http://127.0.0.1:8642/files/a/h/a.whl'))).toBeUndefined()
    expect(judge(refer('path', '.'))).toBeUndefined()
    expect(judge(refer('path', '.[dev]'))).toBeUndefined()
  })

  test('say of a trusted host whether it turns on a cache or turns off a check', () => {
    expect(judge(refer('trusted-host', 'localhost'))).toMatchObject({
      why: containing('turns on a cache'),
    })
    expect(judge(refer('trusted-host', 'acme.example'))).toMatchObject({
      why: containing('any certificate'),
    })
  })
})

describe('an installer that is told nothing', () => {
  test('is a problem where the project uses it, and a note where it is merely there', () => {
    const [used] = judgeDefaults([{ installer: 'uv', projectFile: '/p/uv.lock' }], [], contextOf())
    expect(used).toMatchObject({
      severity: 'problem',
      code: 'default-index',
      what: 'nothing tells uv which index to ask',
      mend: 'export UV_DEFAULT_INDEX=http://127.0.0.1:8642/simple/',
    })
    expect(judgeDefaults([{ installer: 'uv' }], [], contextOf())).toMatchObject([
      { severity: 'note' },
    ])
    expect(judgeDefaults([{ installer: 'pip' }], [], contextOf())).toMatchObject([
      {
        severity: 'problem',
        mend: 'pip config set global.index-url http://127.0.0.1:8642/simple/',
      },
    ])
  })

  test('is told by a variable where pip has no settings file to write', () => {
    const context = contextOf({ environment: { PIP_CONFIG_FILE: '/dev/null' } })
    expect(judgeDefaults([{ installer: 'pip' }], [], context)).toMatchObject([
      { mend: 'export PIP_INDEX_URL=http://127.0.0.1:8642/simple/' },
    ])
  })

  test('is told something by a variable, or by a section for all commands', () => {
    const index = 'http://127.0.0.1:8642/simple/'
    const judgeWith = (name: string, place = '/pip.conf'): unknown[] =>
      judgeDefaults(
        [{ installer: 'pip' }],
        [{ place, reference: { ...refer('index', index), name, isDefault: true } }],
        contextOf(),
      )
    expect(judgeWith('PIP_INDEX_URL', environmentPlace)).toEqual([])
    expect(judgeWith('index-url in [global]')).toEqual([])
    expect(judgeWith('index-url in [install]')).toMatchObject([
      {
        what: 'index-url in [install] holds for some commands of pip alone',
        place: '/pip.conf',
        line: 3,
      },
    ])
  })

  test('is uv, where its settings are for uv pip alone', () => {
    const reference: Reference = { ...refer('index', own.index, 'uv'), name: 'pip.index-url' }
    const uses = [{ installer: 'uv', projectFile: '/uv.toml' }] as const
    expect(judgeDefaults(uses, [{ place: '/uv.toml', reference }], contextOf())).toMatchObject([
      { what: 'pip.index-url holds for some commands of uv alone', severity: 'problem' },
    ])
  })

  test('is poetry, in the file of its project', () => {
    const reference: Reference = { ...refer('pypi', '', 'poetry'), line: 7 }
    const found = judgeDefaults(
      [{ installer: 'poetry', projectFile: '/p/pyproject.toml' }],
      [{ place: '/p/pyproject.toml', reference }],
      contextOf(),
    )
    expect(found).toMatchObject([{ place: '/p/pyproject.toml', line: 7, severity: 'problem' }])
  })
})

function locked(line: number, value: string): Reference {
  return { ...refer('locked', value, 'uv'), line }
}

describe('a lock file', () => {
  test('is told once for each host that it leads to', () => {
    const found = judgeLockFile(
      [
        locked(4, 'https://pypi.org/simple'),
        locked(5, 'https://files.example/a.whl'),
        locked(6, 'https://files.example/b.whl'),
        locked(7, 'http://127.0.0.1:8642/files/c/h/c.whl'),
        locked(8, 'http://127.0.0.1:40001/TOKEN/files/d/h/d.whl'),
      ],
      "/p/it's/uv.lock",
      contextOf(),
    )
    expect(found.map(({ code, line, what }) => [code, line, what])).toEqual([
      ['locked-past-proxy', 4, '1 address leads to https://pypi.org'],
      ['locked-past-proxy', 5, '2 addresses lead to https://files.example; this is the first'],
      ['locked-to-other-port', 8, '1 address leads to http://127.0.0.1:40001'],
    ])
    const file = String.raw`'/p/it'\''s/uv.lock'`
    const toProxy = `tufgate lock rewrite --to proxy --proxy http://127.0.0.1:8642/simple/ ${file}`
    expect(found.map(({ mend }) => mend)).toEqual([
      toProxy,
      'lock it anew while the installer asks the proxy: no [[index]] of the settings has files on this host',
      `tufgate lock rewrite ${file} && ${toProxy}`,
    ])
  })
})

describe('a proxy of the network', () => {
  test('that gets what is meant for this machine is a problem', () => {
    const context = contextOf({
      environment: { HTTP_PROXY: 'http://u:secret@corp:3128', NO_PROXY: 'a' },
    })
    expect(judgeProxyVariables(context, [])).toEqual([
      {
        severity: 'problem',
        code: 'no-proxy-missing',
        place: environmentPlace,
        what: 'HTTP_PROXY: http://corp:3128/, and NO_PROXY does not name 127.0.0.1',
        why: containing('No matching distribution found'),
        mend: "export NO_PROXY='a,127.0.0.1,localhost,::1' no_proxy='a,127.0.0.1,localhost,::1'",
      },
    ])
  })

  test('is asked about the address that installers use', () => {
    const environment = { HTTP_PROXY: 'http://corp:3128', NO_PROXY: '127.0.0.1' }
    const context = contextOf({ environment })
    expect(judgeProxyVariables(context, ['http://127.0.0.1:8642/simple/'])).toEqual([])
    expect(judgeProxyVariables(context, ['http://localhost:8642/simple/'])).toHaveLength(1)
  })
})
