/**
 * A lock file with the proxy's addresses turned into the index's own, or back: byte for byte the same
 * but for the addresses. Which strings may be addresses each format says; which are, `rewrite-lock-url.ts`.
 */

import { isProjectName, normalizeName } from '../simple/names.ts'
import { applyEdits, type Edit, type Place } from './lock-edit.ts'
import { findLockInstaller } from './lock-addresses.ts'
import { scanJsonStrings } from './rewrite-lock-json.ts'
import { scanRequirementAddresses } from './rewrite-lock-requirements.ts'
import { scanTomlStrings, type TomlString } from './rewrite-lock-toml.ts'
import {
  isProxyAddress,
  rewriteAddress,
  type AddressKind,
  type LockMap,
} from './rewrite-lock-url.ts'

export type LockFormat = 'uv' | 'poetry' | 'pdm' | 'pylock' | 'pipenv' | 'requirements'

/** By its name; `undefined` for what is no lock file. */
export function findLockFormat(fileName: string): LockFormat | undefined {
  const installer = findLockInstaller(fileName)
  if (installer !== undefined) return installer === 'pip' ? 'pylock' : installer
  return /\.(?:txt|in)$/i.test(fileName) ? 'requirements' : undefined
}

export interface Rewritten {
  readonly text: string
  readonly edits: readonly Edit[]
  /** Addresses of a proxy of which nothing better is known. */
  readonly left: readonly Place[]
}

export function rewriteLock(text: string, format: LockFormat, map: LockMap): Rewritten {
  const edits: Edit[] = []
  const left: Place[] = []
  for (const place of scanPlaces(text, format)) {
    const { start, end, kind, project } = place
    const before = text.slice(start, end)
    const after = rewriteAddress({ raw: before, kind, project }, map)
    // What needed an escape in one of the formats is no address that tufgate wrote.
    const isPlain = after !== undefined && !/["'\\\s]/.test(after)
    if (isPlain && after !== before) edits.push({ start, end, before, after })
    else if (map.to === 'origin' && isProxyAddress(before, map)) left.push(place)
  }
  return { text: applyEdits(text, edits), edits, left }
}

function scanPlaces(text: string, format: LockFormat): Iterable<Place> {
  if (format === 'requirements') return scanRequirementAddresses(text)
  return format === 'pipenv' ? scanPipfile(text) : scanToml(text, format)
}

/** `url` and `registry` of uv.lock, `url` of pdm.lock and poetry.lock, `url` and `index` of pylock.toml. */
const tomlKinds: ReadonlyMap<string, AddressKind> = new Map([
  ['uv registry', 'index'],
  ['uv url', 'file'],
  ['pdm url', 'either'],
  ['poetry url', 'index'],
  ['pylock url', 'file'],
  ['pylock index', 'index'],
])

function* scanToml(text: string, format: LockFormat): Generator<Place> {
  let project: string | undefined
  let table = ''
  for (const value of scanTomlStrings(text)) {
    if (value.table !== table) {
      table = value.table
      // `[package.source]` and the like are still about the package above them.
      if (/^packages?$/.test(table) || !table.startsWith('package')) project = undefined
    }
    const raw = text.slice(value.start, value.end)
    if (isPackageName(value)) project = readProject(raw)
    const kind = tomlKinds.get(`${format} ${value.key}`)
    if (kind === undefined) continue
    yield { start: value.start, end: value.end, kind, project: project ?? readOwner(value) }
  }
}

function isPackageName({ key, outerKey, table }: TomlString): boolean {
  return key === 'name' && outerKey === 'name' && /^packages?$/.test(table)
}

/** `[metadata.files]` of pdm and of an older poetry: `"idna 3.10" = [...]`. */
function readOwner({ table, outerKey }: TomlString): string | undefined {
  return table === 'metadata.files' ? readProject(outerKey.split(/[ [;]/, 1)[0] ?? '') : undefined
}

function readProject(raw: string): string | undefined {
  return isProjectName(raw) ? normalizeName(raw) : undefined
}

function* scanPipfile(text: string): Generator<Place> {
  for (const { start, end, keys } of scanJsonStrings(text)) {
    const [section = '', name = '', key = ''] = keys
    if (section === '_meta' && name === 'sources' && key === 'url')
      yield { start, end, kind: 'index', project: undefined }
    else if (key === 'file' && keys.length === 3)
      yield { start, end, kind: 'file', project: readProject(name) }
  }
}
