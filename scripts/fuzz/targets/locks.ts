/** Lock files: to the proxy and back nothing changes. */

import { listLockAddresses } from '../../../src/installers/lock-addresses.ts'
import { dropPoetrySources } from '../../../src/installers/poetry-lock.ts'
import { rewriteLock, type LockFormat } from '../../../src/installers/rewrite-lock.ts'
import type { LockIndex, LockMap } from '../../../src/installers/rewrite-lock-url.ts'
import { isCodedError, readText, requireSame, type FuzzTarget } from '../target.ts'

const pypi: LockIndex = {
  url: 'https://pypi.org/simple/',
  hosts: ['pypi.org', 'files.pythonhosted.org'],
  owns: () => true,
}
const acme: LockIndex = {
  url: 'http://acme.test:8080/root/+simple/',
  hosts: ['acme.test:8080', '[::1]:9000'],
  owns: (project) => project.startsWith('acme-'),
}

function mapTo(to: LockMap['to']): LockMap {
  const proxy = 'http://127.0.0.1:8642/0123456789abcdef0123'
  return { to, proxy, indexes: [acme, pypi], usual: pypi, proxyHosts: new Set(['proxy.test']) }
}

const file = 'https://files.pythonhosted.org/packages/a/foo-1.0.tar.gz'
const words = [
  'http://127.0.0.1:8642/simple/',
  'http://127.0.0.1:8642/files/foo/files.pythonhosted.org/packages/a/foo-1.0.tar.gz',
  'https://pypi.org/simple/',
  file,
  'http://[::1]:9000/acme-x-1.0.zip',
  '#sha256=aa',
  '"""',
  "'''",
  'url = "',
  '[[package]]\nname = "acme-x"\n',
]

const seeds: Readonly<Record<LockFormat, string>> = {
  uv: `version = 1\n\n[[package]]\nname = "foo"\nversion = "1.0"\nsource = { registry = "https://pypi.org/simple" }\nsdist = { url = "${file}", hash = "sha256:12", size = 1 }\nwheels = [\n    { url = "${file}" }, # kept\n]\n`,
  poetry: `[[package]]\nname = "foo"\nversion = "1.0"\nfiles = []\n\n[package.source]\ntype = "legacy"\nurl = "https://pypi.org/simple"\nreference = "x"\n\n[metadata]\ncontent-hash = "${'a1'.repeat(32)}"\n`,
  pdm: `[[package]]\nname = "foo"\nversion = "1.0"\nfiles = [\n    {url = "${file}", hash = "sha256:12"},\n]\n[metadata.files]\n"foo 1.0" = [{url = "${file}"}]\n`,
  pylock: `lock-version = "1.0"\n[[packages]]\nname = "foo"\nversion = "1.0"\nindex = "https://pypi.org/simple"\nsdist = { url = "${file}" }\n`,
  pipenv: `{"_meta":{"sources":[{"name":"pypi","url":"https://pypi.org/simple","verify_ssl":true}]},"default":{"foo":{"file":"${file}","hashes":["sha256:12"]}}}`,
  requirements: `--index-url https://pypi.org/simple/\nfoo==1.0 --hash=sha256:12\nbar @ https://files.pythonhosted.org/packages/a/bar-1.0.zip#sha256=1\n`,
}

function defineLock(format: LockFormat): FuzzTarget {
  return {
    name: `lock-${format}`,
    rule: 'towards the origin twice is once; to the proxy and back is nothing',
    seeds: () => [seeds[format], rewriteLock(seeds[format], format, mapTo('proxy')).text],
    words,
    run: (input) => {
      const text = readText(input)
      const there = rewriteLock(text, format, mapTo('origin'))
      const twice = rewriteLock(there.text, format, mapTo('origin'))
      requireSame(twice.text, there.text, 'the second time changes something')
      const proxied = rewriteLock(there.text, format, mapTo('proxy')).text
      const back = rewriteLock(proxied, format, mapTo('origin')).text
      requireSame(back, there.text, 'there and back is not the same')
      requireAddresses(text, format)
      return there.edits.length > 0 ? 'rewritten' : 'kept'
    },
  }
}

const fileNames: Readonly<Partial<Record<LockFormat, string>>> = {
  uv: 'uv.lock',
  poetry: 'poetry.lock',
  pdm: 'pdm.lock',
  pylock: 'pylock.toml',
  pipenv: 'Pipfile.lock',
}

function requireAddresses(text: string, format: LockFormat): void {
  const settings = { source: [{ name: 'y', url: 'https://a.test' }], dependencies: { foo: '1' } }
  if (format === 'poetry') dropPoetrySources(text, { settings }, (url) => url.includes('pypi.org'))
  const name = fileNames[format]
  if (name === undefined) return
  try {
    listLockAddresses(text, name)
  } catch (error) {
    if (!isCodedError(error)) throw error
  }
}

export const lockTargets: readonly FuzzTarget[] = (
  ['uv', 'poetry', 'pdm', 'pylock', 'pipenv', 'requirements'] as const
).map(defineLock)
