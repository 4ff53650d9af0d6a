/**
 * What poetry.lock has besides addresses where packages came from a source of pyproject.toml: a table
 * for each package, and a digest over what pyproject.toml says, its sources included. For PyPI itself
 * poetry writes neither. (poetry 1.x: `locker.py`.)
 */

import { encodeUtf8 } from '../base/bytes.ts'
import { sha256Hex } from '../base/digest.ts'
import type { Edit } from './lock-edit.ts'

type Settings = Readonly<Record<string, unknown>>

const sourceTable =
  /\n\[package\.source\]\r?\ntype = "legacy"\r?\nurl = "([^"\n]*)"\r?\nreference = "([^"\n]*)"\r?\n/g

export interface PoetryProject {
  /** `[tool.poetry]` of the pyproject.toml beside the lock file. */
  readonly settings: Settings
  /** Of the proxy's pages: pyproject.toml may have had it where the lock file names PyPI by now. */
  readonly proxyUrl?: string
}

export interface DroppedSources {
  readonly edits: readonly Edit[]
  /** The digest could not be made right: dependencies have changed since, or poetry is another one. */
  readonly isStale: boolean
}

/**
 * Takes out the tables of sources that pyproject.toml does not name any more, where the packages are
 * PyPI's now. The digest is renewed only if the source alone makes the difference.
 */
export function dropPoetrySources(
  text: string,
  { settings, proxyUrl }: PoetryProject,
  isPyPi: (url: string) => boolean,
): DroppedSources | undefined {
  const named = new Set(listSources(settings).map((source) => source['name']))
  const edits: Edit[] = []
  const dropped = new Map<string, string>()
  for (const match of text.matchAll(sourceTable)) {
    const [before, url = '', reference = ''] = match
    if (named.has(reference) || !isPyPi(url)) continue
    dropped.set(reference, url)
    edits.push({ start: match.index, end: match.index + before.length, before, after: '' })
  }
  if (edits.length === 0) return undefined
  const digest = findDigest(text)
  const after = digestSettings(settings)
  if (digest === undefined || digest.before === after) return { edits, isStale: false }
  const [only] = dropped.size === 1 ? dropped : []
  const isFresh =
    only !== undefined && wasMadeWith(digest.before, settings, listFormer(only, proxyUrl))
  return isFresh
    ? { edits: [...edits, { ...digest, after }], isStale: false }
    : { edits, isStale: true }
}

function findDigest(text: string): Omit<Edit, 'after'> | undefined {
  const match = /^content-hash = "([0-9a-f]{64})"/m.exec(text)
  if (match === null) return undefined
  const start = match.index + 'content-hash = "'.length
  return { start, end: start + 64, before: match[1] ?? '' }
}

function listSources({ source }: Settings): readonly Settings[] {
  if (!Array.isArray(source)) return []
  return source.flatMap((one: unknown) =>
    typeof one === 'object' && one !== null ? [{ ...one }] : [],
  )
}

/** As somebody may have written the source, which is gone now. */
const variants: readonly Settings[] = [
  {},
  { default: true },
  { default: true, secondary: false },
  { default: false, secondary: false },
  { priority: 'default' },
  { priority: 'primary' },
]

/** The source as pyproject.toml may have had it. */
function listFormer(
  [name, url]: readonly [name: string, url: string],
  proxyUrl: string | undefined,
): readonly Settings[] {
  const urls = [url, ...(proxyUrl === undefined ? [] : [proxyUrl])]
  return urls
    .flatMap((one) => [one, `${one}/`])
    .flatMap((one) => variants.map((variant) => ({ name, url: one, ...variant })))
}

function wasMadeWith(digest: string, settings: Settings, former: readonly Settings[]): boolean {
  const sources = listSources(settings)
  return former.some((one) => digestSettings({ ...settings, source: [...sources, one] }) === digest)
}

/** The `content-hash` that poetry writes for these settings. */
export function digestSettings(settings: Settings): string {
  const relevant: Record<string, unknown> = {}
  for (const key of ['dependencies', 'source', 'extras', 'dev-dependencies'])
    relevant[key] = settings[key] ?? null
  if (settings['group'] !== undefined) relevant['group'] = settings['group']
  return sha256Hex(encodeUtf8(renderPythonJson(relevant)))
}

/** `json.dumps(value, sort_keys=True)` of Python. */
function renderPythonJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(renderPythonJson).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1))
    return `{${members.map(([key, item]) => `${renderText(key)}: ${renderPythonJson(item)}`).join(', ')}}`
  }
  return typeof value === 'string' ? renderText(value) : JSON.stringify(value ?? null)
}

function renderText(text: string): string {
  return JSON.stringify(text).replaceAll(
    /[\u007f-\uffff]/g,
    (letter) => String.raw`\u` + letter.charCodeAt(0).toString(16).padStart(4, '0'),
  )
}
