/**
 * poetry's sources and dependencies in pyproject.toml, and its settings. PyPI is asked besides the
 * sources of a project unless one of them takes its place.
 */

import { referTo, type Place, type Reference } from './reference.ts'
import type { TomlNode } from './toml-node.ts'

export function readPoetryProject(poetry: TomlNode): Reference[] {
  if (!poetry.isThere) return []
  const groups = poetry.get('group').entries()
  const tables = [
    ['dependencies', poetry.get('dependencies')],
    ['dev-dependencies', poetry.get('dev-dependencies')],
    ...groups.map(([name, group]) => [`group.${name}`, group.get('dependencies')] as const),
  ] as const
  return [
    ...readSources(poetry),
    ...tables.flatMap(([name, table]) => readDependencies(table, name)),
  ]
}

type Priority = 'primary' | 'supplemental' | 'explicit'

function readSources(poetry: TomlNode): Reference[] {
  const sources = poetry.get('source').items()
  const found = sources.flatMap((source) => readSource(source))
  const isReplaced = sources.some((source) => !isPyPi(source) && findPriority(source) === 'primary')
  if (isReplaced || sources.some((source) => isPyPi(source))) return found
  return [
    ...found,
    { kind: 'pypi', installer: 'poetry', line: poetry.line, name: '[tool.poetry]', value: '' },
  ]
}

/** The name, which poetry knows in any case, means the index itself; it has no URL. */
function isPyPi(source: TomlNode): boolean {
  return source.get('name').text?.toLowerCase() === 'pypi' && !source.get('url').isThere
}

function readSource(source: TomlNode): Reference[] {
  const name = `source ${source.get('name').text ?? ''}`
  if (isPyPi(source)) {
    const isFirst = findPriority(source) === 'primary'
    const kind = isFirst ? 'index' : 'extra-index'
    const value = 'https://pypi.org/simple/'
    return [{ kind, installer: 'poetry', line: source.line, name, value }]
  }
  const url = source.get('url')
  if (url.text === undefined) return []
  const kind = findPriority(source) === 'primary' ? 'index' : 'extra-index'
  const found: Reference = { kind, installer: 'poetry', line: url.line, name, value: url.text }
  const isSaid = ['priority', 'default', 'secondary'].some((key) => source.get(key).isThere)
  return isSaid ? [found] : [found, { ...found, kind: 'old-default' }]
}

/** `default` and `secondary` are what poetry had before 1.5. */
function findPriority(source: TomlNode): Priority {
  const said = source.get('priority').text?.toLowerCase()
  if (said === 'supplemental' || said === 'explicit') return said
  if (said === undefined && source.get('secondary').isTrue) return 'supplemental'
  return said === 'secondary' ? 'supplemental' : 'primary'
}

function readDependencies(table: TomlNode, name: string): Reference[] {
  return table
    .entries()
    .flatMap(([project, dependency]) =>
      dependency.items().flatMap((one) => readDependency(one, `${project} in ${name}`)),
    )
}

function readDependency(dependency: TomlNode, name: string): Reference[] {
  return ['git', 'url', 'path', 'file'].flatMap((key): Reference[] => {
    const node = dependency.get(key)
    if (node.text === undefined) return []
    const place: Place = { installer: 'poetry', line: node.line, name }
    return [
      key === 'git'
        ? { kind: 'repository', value: node.text, ...place }
        : referTo(node.text, place),
    ]
  })
}

/** poetry.toml and config.toml: `repositories` are published to, never asked. */
export function readPoetryConfig(config: TomlNode): Reference[] {
  const mirror = config.get('plugins', 'pypi_mirror', 'url')
  const published = config
    .get('repositories')
    .entries()
    .flatMap(([name, repository]) => {
      const url = repository.get('url')
      if (url.text === undefined) return []
      const place: Place = { installer: 'poetry', line: url.line, name: `repositories.${name}` }
      return [{ kind: 'publish', value: url.text, ...place } as const]
    })
  if (mirror.text === undefined) return published
  const place: Place = { installer: 'poetry', line: mirror.line, name: 'plugins.pypi_mirror.url' }
  return [...published, { kind: 'index', value: mirror.text, ...place }]
}
