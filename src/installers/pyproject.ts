/** pyproject.toml: what it tells each installer, and which of them it is made for. */

import { readPdmProject } from './pdm-settings.ts'
import { readPoetryProject } from './poetry-settings.ts'
import type { Installer, Reference } from './reference.ts'
import { listTargets } from './requirement-list.ts'
import type { TomlNode } from './toml-node.ts'
import { readUvSettings } from './uv-settings.ts'

export function readPyproject(pyproject: TomlNode): Reference[] {
  const tool = pyproject.get('tool')
  const project = pyproject.get('project')
  const hatch = tool.get('hatch', 'envs').entries()
  const named: readonly (readonly [name: string, list: TomlNode])[] = [
    ['[build-system] requires', pyproject.get('build-system', 'requires')],
    ['[project] dependencies', project.get('dependencies')],
    ...listGroups('optional-dependencies', project.get('optional-dependencies')),
    ...listGroups('dependency-groups', pyproject.get('dependency-groups')),
    ...hatch.flatMap(([name, environment]) => [
      [`tool.hatch.envs.${name}`, environment.get('dependencies')] as const,
      [`tool.hatch.envs.${name}`, environment.get('extra-dependencies')] as const,
    ]),
  ]
  return [
    ...named.flatMap(([name, list]) => listTargets(list, 'pip', name)),
    ...readUvSettings(tool.get('uv'), '[tool.uv]'),
    ...readPoetryProject(tool.get('poetry')),
    ...readPdmProject(tool.get('pdm')),
  ]
}

/** By the tables that it has. */
export function findProjectInstallers(pyproject: TomlNode): Installer[] {
  const tools = ['uv', 'poetry', 'pdm'] as const
  return tools.filter((name) => pyproject.get('tool', name).isThere)
}

function listGroups(name: string, groups: TomlNode): (readonly [string, TomlNode])[] {
  return groups.entries().map(([group, list]) => [`${name}.${group}`, list] as const)
}
