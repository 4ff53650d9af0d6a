/**
 * What leads an installer past a proxy for one command, by name: the keys of pip's settings and the
 * variables. What is not named here is the user's own choice, and is kept.
 */

import { normalizePipKey } from './pip-conf.ts'

/** A setting that the command does not get. */
export interface LeftOut {
  /** `extra-index-url`, `PIP_EXTRA_INDEX_URL`. Untrusted. */
  readonly name: string
  /** `the environment`, or a file. Untrusted. */
  readonly place: string
  /** From 1. */
  readonly line?: number
}

/** As pip compares them. It has each of these as an option of some command. */
export const pastPipKeys: readonly string[] = [
  'index-url',
  'pypi-url',
  'extra-index-url',
  'no-index',
  'find-links',
  'proxy',
  'process-dependency-links',
  // Turns pip's cache on for this proxy: then what was withdrawn is installed without a request.
  'trusted-host',
  // With it pip does not look at the variables that name a proxy, so not at those of interception.
  'no-proxy-env',
]

const pastPip = new Set(pastPipKeys)

/** Of pip: they name files of the user, or something to fetch past any index. */
const sourceKeys = new Set([
  'requirement',
  'constraint',
  'build-constraint',
  'editable',
  'requirements-from-script',
])

export function isPastPip(key: string, value: string): boolean {
  return pastPip.has(key) || (sourceKeys.has(key) && value.includes('://'))
}

/** Their values do not count, whatever they are: others take their place, or none does. */
const pastVariables: ReadonlySet<string> = new Set([
  'UV_INDEX',
  'UV_INDEX_URL',
  'UV_DEFAULT_INDEX',
  'UV_EXTRA_INDEX_URL',
  'UV_FIND_LINKS',
  'UV_NO_INDEX',
  // Asks the index of PyTorch.
  'UV_TORCH_BACKEND',
  'UV_CONFIG_FILE',
  'UV_NO_CONFIG',
  'PDM_PYPI_URL',
  // Asks for pages that no signed list has.
  'PDM_PYPI_JSON_API',
  'PDM_CONFIG_FILE',
  'PDM_IGNORE_STORED_INDEX',
  'PIPENV_PYPI_MIRROR',
  'PIPENV_TEST_INDEX',
  'PIPENV_EXTRA_PIP_ARGS',
  'POETRY_PYPI_MIRROR_URL',
  // The older name of one of pip's.
  'PIP_TRUSTED_HOSTS',
  'PIP_CONFIG_FILE',
])

/** Of uv: files that may be fetched past any index. */
const sourceVariables: ReadonlySet<string> = new Set([
  'UV_CONSTRAINT',
  'UV_BUILD_CONSTRAINT',
  'UV_OVERRIDE',
  'UV_EXCLUDE',
])

export function isPastVariable(name: string, value: string): boolean {
  if (pastVariables.has(name)) return true
  if (sourceVariables.has(name)) return value.includes('://')
  // pip tells neither case nor the kind of dash apart, but in the first four letters.
  return name.startsWith('PIP_') && isPastPip(normalizePipKey(name.slice(4)), value)
}
