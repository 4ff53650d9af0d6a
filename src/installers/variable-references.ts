/** What the variables of the environment tell installers about sources. */

import type { Environment } from '../base/environment.ts'
import { normalizePipKey } from './pip-conf.ts'
import { findPipVariableKind, pipIncludeKeys, splitPipValue } from './pip-references.ts'
import type { Include, Installer, ReadSettings, Reference, ReferenceKind } from './reference.ts'
import { isRemote } from './reference.ts'
import { parseRequirementsFile } from './requirements-file.ts'
import { torchIndex } from './uv-settings.ts'

const sources: ReadonlyMap<string, readonly [Installer, ReferenceKind]> = new Map([
  ['UV_DEFAULT_INDEX', ['uv', 'index']],
  ['UV_INDEX_URL', ['uv', 'index']],
  ['UV_INDEX', ['uv', 'extra-index']],
  ['UV_EXTRA_INDEX_URL', ['uv', 'extra-index']],
  ['UV_FIND_LINKS', ['uv', 'find-links']],
  ['UV_NO_INDEX', ['uv', 'no-index']],
  ['PDM_PYPI_URL', ['pdm', 'index']],
  ['PIPENV_PYPI_MIRROR', ['pipenv', 'index']],
  ['PIPENV_TEST_INDEX', ['pipenv', 'index']],
  ['POETRY_PYPI_MIRROR_URL', ['poetry', 'index']],
  ['POETRY_PLUGINS_PYPI_MIRROR_URL', ['poetry', 'index']],
])

/** Files that belong to these variables are included. An empty variable is none, to all installers. */
export function readVariables(environment: Environment): ReadSettings {
  const read = Object.keys(environment)
    .toSorted()
    .map((name) => readVariable(name, environment[name] ?? ''))
  return {
    references: read.flatMap(({ references }) => references),
    includes: read.flatMap(({ includes }) => includes),
  }
}

const nothing: ReadSettings = { references: [], includes: [] }

function readVariable(name: string, value: string): ReadSettings {
  if (value.trim() === '') return nothing
  if (name === 'PIPENV_EXTRA_PIP_ARGS') return readPipArguments(name, value)
  if (name.startsWith('PIP_')) return readPipVariable(name, value)
  const [installer, kind] = sources.get(name) ?? findOther(name)
  if (installer === undefined || kind === undefined) return nothing
  const found = name === 'UV_TORCH_BACKEND' ? [torchIndex] : splitValue(kind, value)
  return { references: found.map((one) => refer(installer, kind, name, one)), includes: [] }
}

function findOther(name: string): readonly [Installer, ReferenceKind] | readonly [] {
  if (name === 'UV_TORCH_BACKEND') return ['uv', 'extra-index']
  return /^POETRY_REPOSITORIES_.+_URL$/.test(name) ? ['poetry', 'publish'] : []
}

function readPipVariable(name: string, value: string): ReadSettings {
  const kind = findPipVariableKind(name)
  if (kind !== undefined) {
    const found = splitPipValue(kind, value)
    return { references: found.map((one) => refer('pip', kind, name, one)), includes: [] }
  }
  if (!pipIncludeKeys.has(normalizePipKey(name.slice(4)))) return nothing
  const files = value.split(/\s+/).filter((file) => file !== '')
  return {
    references: files.filter(isRemote).map((file) => refer('pip', 'url', name, file)),
    includes: files.filter((file) => !isRemote(file)).map((path): Include => ({ line: 0, path })),
  }
}

function readPipArguments(name: string, value: string): ReadSettings {
  const { references, includes } = parseRequirementsFile(value)
  return {
    references: references.map(({ kind, value: one }) => refer('pipenv', kind, name, one)),
    includes,
  }
}

function refer(installer: Installer, kind: ReferenceKind, name: string, value: string): Reference {
  return { kind, installer, line: 0, name, value }
}

function splitValue(kind: ReferenceKind, value: string): string[] {
  if (kind === 'no-index') return /^(?:1|true|yes|on|y|t)$/i.test(value.trim()) ? ['true'] : []
  const isList = kind === 'extra-index' || kind === 'find-links'
  // uv: find-links are separated by commas, and `name=url` gives an index its name.
  const words = isList ? value.split(kind === 'find-links' ? /[\s,]+/ : /\s+/) : [value.trim()]
  return words
    .map((word) => word.replace(/^[\w.-]+=(?=[a-z]+:\/\/)/i, ''))
    .filter((word) => word !== '')
}
