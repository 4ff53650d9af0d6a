import { expect, test } from 'vitest'
import { listPipFiles } from '../../src/installers/pip-files.ts'

const isMine = (path: string): boolean => path === '/mine.conf'
const home = '/home/ada'
const nothing = { home, prefixes: [], isThere: () => false }

test('lists the files in the order in which they override each other', () => {
  const files = listPipFiles({ ...nothing, environment: {}, prefixes: ['/venv'] })
  expect(files).toEqual([
    { kind: 'global', path: '/etc/xdg/pip/pip.conf' },
    { kind: 'global', path: '/etc/pip.conf' },
    { kind: 'user', path: '/home/ada/.pip/pip.conf' },
    { kind: 'user', path: '/home/ada/.config/pip/pip.conf' },
    { kind: 'site', path: '/venv/pip.conf' },
  ])
})

test('minds XDG_CONFIG_DIRS and XDG_CONFIG_HOME, unless they are blank', () => {
  const environment = { XDG_CONFIG_DIRS: '/a:~/b', XDG_CONFIG_HOME: '/c' }
  const paths = listPipFiles({ ...nothing, environment }).map(({ path }) => path)
  expect(paths).toEqual([
    '/a/pip/pip.conf',
    '/home/ada/b/pip/pip.conf',
    '/etc/pip.conf',
    '/home/ada/.pip/pip.conf',
    '/c/pip/pip.conf',
  ])
  const blank = { XDG_CONFIG_DIRS: ' ', XDG_CONFIG_HOME: '' }
  expect(listPipFiles({ ...nothing, environment: blank })).toEqual(
    listPipFiles({ ...nothing, environment: {} }),
  )
})

test('PIP_CONFIG_FILE takes the place of the files of the user, where it is there', () => {
  const environment = { PIP_CONFIG_FILE: '/mine.conf' }
  const kinds = listPipFiles({ ...nothing, environment, isThere: isMine }).map(({ kind }) => kind)
  expect(kinds).toEqual(['global', 'global', 'env'])
  const missing = listPipFiles({ ...nothing, environment }).map(({ kind }) => kind)
  expect(missing).toEqual(['global', 'global', 'user', 'user', 'env'])
})

test('with PIP_CONFIG_FILE=/dev/null pip reads no file at all', () => {
  const environment = { PIP_CONFIG_FILE: '/dev/null' }
  expect(listPipFiles({ ...nothing, environment, isThere: () => true })).toEqual([])
})

test('looks where macOS keeps settings', () => {
  const mac = { ...nothing, environment: {}, platform: 'darwin' } as const
  const there = { ...mac, isThere: () => true }
  expect(listPipFiles(mac).map(({ path }) => path)).toContain('/home/ada/.config/pip/pip.conf')
  expect(listPipFiles(there).map(({ path }) => path)).toContain(
    '/home/ada/Library/Application Support/pip/pip.conf',
  )
})
