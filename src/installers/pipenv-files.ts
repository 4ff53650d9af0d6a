/** Pipfile: its sources, the first of which takes the place of PyPI, and packages from elsewhere. */

import { referTo, type Place, type Reference } from './reference.ts'
import type { TomlNode } from './toml-node.ts'

export function readPipfile(pipfile: TomlNode): Reference[] {
  const sources = pipfile.get('source').items()
  const found = sources.flatMap((source, at): Reference[] => {
    const url = source.get('url')
    if (url.text === undefined) return []
    const name = `source ${source.get('name').text ?? ''}`
    const kind = at === 0 ? 'index' : 'extra-index'
    return [{ kind, installer: 'pipenv', line: url.line, name, value: url.text }]
  })
  const isPyPi = sources.length === 0
  const name = 'no [[source]]'
  const pypi: Reference[] = isPyPi
    ? [{ kind: 'pypi', installer: 'pipenv', line: 0, name, value: '' }]
    : []
  return [...found, ...pypi, ...readPackages(pipfile)]
}

/** Any table but these lists packages: pipenv has categories of the user's own naming. */
const otherTables: ReadonlySet<string> = new Set(['source', 'requires', 'pipenv', 'scripts'])

function readPackages(pipfile: TomlNode): Reference[] {
  const tables = pipfile.entries().filter(([name]) => !otherTables.has(name))
  return tables.flatMap(([table, packages]) =>
    packages.entries().flatMap(([project, one]) => readPackage(one, `${project} in [${table}]`)),
  )
}

function readPackage(one: TomlNode, name: string): Reference[] {
  return ['git', 'hg', 'svn', 'bzr', 'file', 'path', 'uri'].flatMap((key): Reference[] => {
    const node = one.get(key)
    if (node.text === undefined) return []
    const place: Place = { installer: 'pipenv', line: node.line, name }
    const isFile = key === 'file' || key === 'path' || key === 'uri'
    return [isFile ? referTo(node.text, place) : { kind: 'repository', value: node.text, ...place }]
  })
}
