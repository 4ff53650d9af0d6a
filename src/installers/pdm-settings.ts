/** pdm's sources in pyproject.toml and in its own settings files. */

import type { Reference } from './reference.ts'
import { listTargets } from './requirement-list.ts'
import type { TomlNode } from './toml-node.ts'

/** The source that is called `pypi` takes the place of PyPI, each other one is asked besides. */
export function readPdmProject(pdm: TomlNode): Reference[] {
  const sources = pdm
    .get('source')
    .items()
    .flatMap((source): Reference[] => {
      const name = source.get('name').text ?? ''
      const url = source.get('url')
      if (url.text === undefined) return []
      const isLinks = source.get('type').text === 'find_links'
      const kind = isLinks ? 'find-links' : name === 'pypi' ? 'index' : 'extra-index'
      return [refer(kind, url, `source ${name} in [tool.pdm]`)]
    })
  const groups = pdm.get('dev-dependencies').entries()
  return [
    ...sources,
    ...groups.flatMap(([group, list]) => listTargets(list, 'pdm', `dev-dependencies.${group}`)),
  ]
}

/** config.toml and pdm.toml: `[pypi]` is the index, `[pypi.NAME]` a further one. */
export function readPdmConfig(config: TomlNode): Reference[] {
  const pypi = config.get('pypi')
  return [
    ...(pypi.get('url').isThere ? [refer('index', pypi.get('url'), 'pypi.url')] : []),
    ...pypi.entries().flatMap(([name, source]): Reference[] => {
      const url = source.get('url')
      if (url.text === undefined) return []
      const isLinks = source.get('type').text === 'find_links'
      return [refer(isLinks ? 'find-links' : 'extra-index', url, `pypi.${name}.url`)]
    }),
  ]
}

function refer(kind: Reference['kind'], { text = '', line }: TomlNode, name: string): Reference {
  return { kind, installer: 'pdm', line, name, value: text }
}
