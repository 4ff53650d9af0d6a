/** What mends a reference: a command where there is one for all cases, else what to edit. */

import { dirname, resolve } from 'node:path/posix'
import type { Environment } from '../base/environment.ts'
import { quoteShell } from '../base/quote-shell.ts'
import type { Installer, Reference, ReferenceKind } from '../installers/reference.ts'
import type { OwnAddresses } from './own-address.ts'
import { commandLinePlace, environmentPlace } from './places.ts'

/** `undefined`: there is nothing to mend. */
export type Mend = (reference: Reference, place: string, own: OwnAddresses) => string | undefined

const takeOut: Mend = () => 'take this line out'

const nameVersion: Mend = () =>
  'name it by its version (name==1.2), so that it comes from the index; or leave it, knowing that it is not checked'

const mends: Readonly<Record<ReferenceKind, Mend>> = {
  index: (_, __, { index }) => `write ${index} in this line`,
  'extra-index': () =>
    'take it out; packages that only this index has can come through tufgate: give it an [[index]] with projects = ["name-*"] in tufgate.toml',
  pypi: ({ installer }, _, own) => mendDefault(installer, own),
  'old-default': () => 'with such a poetry: default = true below this line',
  'find-links': takeOut,
  'no-index': takeOut,
  proxy: takeOut,
  'trusted-host': takeOut,
  url: nameVersion,
  repository: nameVersion,
  path: ({ value }, place) =>
    /\.(?:whl|gz|zip)$/i.test(value)
      ? `tufgate verify ${quoteShell(locate(value, place))}`
      : undefined,
  locked: () => 'lock it anew',
  publish: () => undefined,
}

/** Relative paths are seen from the file that names them. */
function locate(rawPath: string, place: string): string {
  return resolve(dirname(place), rawPath.replace(/^file:(?:\/\/)?/, ''))
}

export function mendReference(
  reference: Reference,
  place: string,
  own: OwnAddresses,
): string | undefined {
  const { kind, name } = reference
  if (place !== environmentPlace || kind === 'publish') return mends[kind](reference, place, own)
  const variable = quoteShell(name)
  return kind === 'index' ? `export ${variable}=${quoteShell(own.index)}` : `unset ${variable}`
}

/** For one command whose installers are told the address of a proxy that ends with it. */
export const mendForCommand: Mend = (reference, place, own) => {
  switch (reference.kind) {
    case 'index':
    case 'find-links':
    case 'no-index':
    case 'proxy':
    case 'trusted-host':
      return place === commandLinePlace ? 'leave it out' : 'take this line out'
    case 'locked':
      return 'lock it anew'
    default:
      return mendReference(reference, place, own)
  }
}

/** Where nothing is said, so that PyPI itself is asked. */
export function mendDefault(
  installer: Installer,
  { index }: OwnAddresses,
  environment: Environment = {},
): string {
  const url = quoteShell(index)
  // Then pip has no settings file, and fails where it is to write one.
  const isWithoutFile = installer === 'pip' && environment['PIP_CONFIG_FILE'] === '/dev/null'
  return isWithoutFile ? `export PIP_INDEX_URL=${url}` : defaultMends[installer](url)
}

const defaultMends: Readonly<Record<Installer, (url: string) => string>> = {
  pip: (url) => `pip config set global.index-url ${url}`,
  uv: (url) => `export UV_DEFAULT_INDEX=${url}`,
  poetry: (url) =>
    `poetry source add --priority=primary tufgate ${url} && poetry lock (poetry before 1.5: --default instead of --priority=primary)`,
  pdm: (url) => `pdm config pypi.url ${url}`,
  pipenv: (url) => `export PIPENV_PYPI_MIRROR=${url}`,
}
