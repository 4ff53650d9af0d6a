import { describe, expect, test } from 'vitest'
import {
  addForwardVariables,
  buildChildEnvironment,
} from '../../src/installers/child-environment.ts'

const access = {
  indexUrl: 'http://127.0.0.1:1/token/simple/',
  pipConf: '/own/pip.conf',
  uvToml: '/own/uv.toml',
  pdmToml: '/own/pdm.toml',
}

describe('the environment of one command', () => {
  test('names the proxy to each installer that has a variable for it', () => {
    expect(buildChildEnvironment({}, access).environment).toMatchObject({
      PIP_INDEX_URL: access.indexUrl,
      PIP_CONFIG_FILE: access.pipConf,
      UV_DEFAULT_INDEX: access.indexUrl,
      UV_INDEX_URL: access.indexUrl,
      UV_CONFIG_FILE: access.uvToml,
      PDM_PYPI_URL: access.indexUrl,
      PDM_CONFIG_FILE: access.pdmToml,
      PDM_CHECK_UPDATE: 'false',
      VIRTUALENV_NO_PERIODIC_UPDATE: 'true',
      PIPENV_PYPI_MIRROR: access.indexUrl,
    })
  })

  test.each([
    'PIP_EXTRA_INDEX_URL',
    'PIP_extra_index_url',
    'PIP_EXTRA-INDEX-URL',
    'PIP_--EXTRA_INDEX_URL',
    'PIP_FIND_LINKS',
    'PIP_NO_INDEX',
    'PIP_PROXY',
    'PIP_TRUSTED_HOST',
    'PIP_NO_PROXY_ENV',
    'PIP_pypi_url',
    'UV_INDEX',
    'UV_EXTRA_INDEX_URL',
    'UV_FIND_LINKS',
    'UV_NO_INDEX',
    'UV_TORCH_BACKEND',
    'PDM_PYPI_JSON_API',
    'PIPENV_TEST_INDEX',
    'PIPENV_EXTRA_PIP_ARGS',
  ])('%s is left out, and told of', (name) => {
    const { environment, leftOut } = buildChildEnvironment({ [name]: 'x' }, access)
    expect(environment).not.toHaveProperty([name])
    expect(leftOut).toEqual([{ name, place: 'the environment' }])
  })

  test('a second spelling of the index does not override ours', () => {
    const { environment } = buildChildEnvironment({ PIP_Index_Url: 'https://a.example/' }, access)
    const names = Object.keys(environment).filter((name) => /index_url$/i.test(name))
    expect(names).toEqual(['PIP_INDEX_URL', 'UV_INDEX_URL'])
  })

  test('an empty one is no news', () => {
    expect(buildChildEnvironment({ PIP_EXTRA_INDEX_URL: '' }, access).leftOut).toEqual([])
  })

  test('everything else stays as it is', () => {
    const parent = {
      PATH: '/bin',
      PIP_NO_DEPS: '1',
      PIP_CONSTRAINT: '/c.txt',
      HTTPS_PROXY: 'http://p:1',
      UV_CACHE_DIR: '/cache',
      pip_extra_index_url: 'no variable of pip',
    }
    const { environment, leftOut } = buildChildEnvironment(parent, access)
    expect(environment).toMatchObject(parent)
    expect(leftOut).toEqual([])
  })

  test.each(['PIP_CONSTRAINT', 'PIP_BUILD_CONSTRAINT', 'UV_CONSTRAINT', 'UV_OVERRIDE'])(
    '%s at a URL would be fetched past the proxy; a file of the machine is kept',
    (name) => {
      const [far, near] = ['https://a.example/c.txt', '/c.txt'].map((value) =>
        buildChildEnvironment({ [name]: value }, access),
      )
      expect(far?.environment).not.toHaveProperty(name)
      expect(far?.leftOut).toEqual([{ name, place: 'the environment' }])
      expect(near?.environment).toMatchObject({ [name]: '/c.txt' })
    },
  )

  test.each([
    [{}, 'localhost,127.0.0.1,::1'],
    [{ NO_PROXY: 'a.example, b.example' }, 'a.example,b.example,localhost,127.0.0.1,::1'],
    [{ no_proxy: 'a.example', NO_PROXY: 'localhost' }, 'a.example,localhost,127.0.0.1,::1'],
    [{ no_proxy: '*' }, '*'],
  ])('of %o a proxy of the network is kept away from ours', (parent, expected) => {
    const { environment } = buildChildEnvironment(parent, access)
    expect(environment).toMatchObject({ no_proxy: expected, NO_PROXY: expected })
  })
})

describe('what the command asks by HTTP comes to the proxy', () => {
  const forward = { proxyUrl: 'http://tufgate:token@127.0.0.1:1', bundlePath: '/own/roots.pem' }

  test.each([
    [['pypi.org', 'files.pythonhosted.org'], 'localhost,127.0.0.1,::1'],
    [['192.0.2.1:8080', 'localhost.example'], 'localhost,127.0.0.1,::1'],
    [['127.0.0.1:9001'], ''],
    [['pypi.org', 'LOCALHOST'], ''],
    [['devpi.localhost:3141'], ''],
    [['[::1]:9001'], ''],
  ])('but for this machine, unless an index is there: %j', (indexHosts, expected) => {
    const child = buildChildEnvironment({ NO_PROXY: 'pypi.org' }, access)
    const { environment, leftOut } = addForwardVariables(child, { ...forward, indexHosts })
    expect(environment).toMatchObject({
      NO_PROXY: expected,
      no_proxy: expected,
      http_proxy: forward.proxyUrl,
      HTTPS_PROXY: forward.proxyUrl,
    })
    expect(leftOut).toEqual([{ name: 'NO_PROXY', place: 'the environment' }])
  })
})
