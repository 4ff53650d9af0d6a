/** Which file names installers take for the same file. */

import { expect, test } from 'vitest'
import { fileIdentity } from '../../src/simple/file-identity.ts'

function isSame(left: string, right: string, project = 'foo-bar'): boolean {
  return fileIdentity(left, project) === fileIdentity(right, project)
}

test.each([
  ['foo_bar-1.0.tar.gz', 'Foo.Bar-1.0.tar.gz'],
  ['foo_bar-1.0.tar.gz', 'foo-bar-1.0.0.TAR.GZ'],
  ['foo_bar-1.0.tar.gz', 'foo__bar-v01.0.tar.gz'],
  ['foo_bar-1.0rc1.zip', 'foo_bar-1.0.C01.zip'],
  ['foo_bar-1.0-py3-none-any.whl', 'FOO_bar-1.0.0-PY3-none-any.WHL'],
  ['foo_bar-1.0-py2.py3-none-any.whl', 'foo_bar-1-py3.py2.py3-none-any.whl'],
  ['foo_bar-1.0-1a-py3-none-any.whl', 'foo_bar-1.0-01A-py3-none-any.whl'],
  [
    'foo_bar-1.0-cp39-cp39-manylinux1_x86_64.manylinux2014_x86_64.whl',
    'foo.bar-1.0-cp39-cp39-manylinux2014_x86_64.manylinux1_x86_64.whl',
  ],
  ['foo_bar-1.0+local_1-py3-none-any.whl', 'foo_bar-1.0+LOCAL.1-py3-none-any.whl'],
])('%s and %s are spellings of one file', (left, right) => {
  expect(isSame(left, right)).toBe(true)
})

test.each([
  ['foo_bar-1.0.tar.gz', 'foo_bar-1.0.zip'],
  ['foo_bar-1.0.tar.gz', 'foo_bar-1.0.tgz'],
  ['foo_bar-1.0.tar.gz', 'foo_bar-1.0.1.tar.gz'],
  ['foo_bar-1.0.tar.gz', 'foo_bar-1.0.post0.tar.gz'],
  ['foo_bar-1.0.tar.gz', 'foo_bar-1.0.linux-x86_64.tar.gz'],
  ['foo_bar-1.0.tar.gz', 'foo_bar-1.0-py3-none-any.whl'],
  ['foo_bar-1.0-py3-none-any.whl', 'foo_bar-1.0-0-py3-none-any.whl'],
  ['foo_bar-1.0-1-py3-none-any.whl', 'foo_bar-1.0-2-py3-none-any.whl'],
  ['foo_bar-1.0-1-py3-none-any.whl', 'foo_bar-1.0-1a-py3-none-any.whl'],
  ['foo_bar-1.0-py3-none-any.whl', 'foo_bar-1.0-py2.py3-none-any.whl'],
  ['foo_bar-1.0-cp39-cp39-win32.whl', 'foo_bar-1.0-cp39-cp39-win_amd64.whl'],
  ['foo_bar-1.0-cp39-abi3-win32.whl', 'foo_bar-1.0-cp39-cp39-win32.whl'],
  ['foo_bar-1.0-py3.7.egg', 'foo_bar-1.0-py3.8.egg'],
  // Installers take neither for a version.
  ['foo_bar-2004b.tar.gz', 'foo_bar-2004c.tar.gz'],
  ['foo_bar-1.0.exe', 'Foo_bar-1.0.exe'],
])('%s and %s are two files', (left, right) => {
  expect(isSame(left, right)).toBe(false)
})
