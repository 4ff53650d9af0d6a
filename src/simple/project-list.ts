/**
 * The list of all projects of an index (PEP 503, 691): read and written. No installer needs it; it is
 * long (1 M names), so everything here is one pass.
 */

import { encodeUtf8, type Bytes } from '../base/bytes.ts'
import { DecodeError, readArray, readMember, readObject, readString } from '../base/decode.ts'
import { escapeHtml, renderTag } from './html-text.ts'
import { readTags, type Attributes } from './html-tags.ts'
import { isProjectName, normalizeName } from './names.ts'
import type { PageFormat } from './negotiate.ts'
import { apiVersion } from './page-object.ts'
import {
  readApiVersion,
  readDocument,
  readJsonObject,
  readLastSerial,
  readUtf8,
  requireApiVersion,
} from './read-page.ts'

const maxProjects = 4_000_000
/** Longer than any name. */
const maxTextLength = 300
const what = 'the list of projects'

/**
 * Names as the index writes them, in its order, each project once; what is no name is left out.
 * Throws VerifyError MALFORMED or UNSUPPORTED.
 */
export function parseProjectListJson(bytes: Bytes): readonly string[] {
  return readDocument(what, () => {
    const page = readJsonObject(bytes, what)
    readApiVersion(page, what)
    return keepNames(readMember(page, 'projects', (value) => readArray(value, readName)))
  })
}

/** What the list of an index says: where it has serials, which projects changed. */
export interface IndexList {
  /** Of the whole index, `_last-serial` of `meta`. */
  readonly serial?: number
  /** By normalized name: the serial of the project's last change, where the list tells it. */
  readonly serials: Map<string, number | undefined>
}

/**
 * The same for a mirror of it, names normalized: at 900,000 they are held once. What is no name is
 * left out; of one that stands twice the higher serial counts.
 */
export function parseIndexListJson(bytes: Bytes): IndexList {
  return readDocument(what, () => {
    const page = readJsonObject(bytes, what)
    readApiVersion(page, what)
    const serials = new Map<string, number | undefined>()
    readMember(page, 'projects', (value) =>
      readArray(value, (item) => {
        const project = readObject(item)
        addSerial(serials, readMember(project, 'name', readString), readLastSerial(project))
      }),
    )
    const serial = readMember(page, 'meta', (meta) => readLastSerial(readObject(meta)))
    return { serials, ...(serial === undefined ? {} : { serial }) }
  })
}

/** HTML has no serials. */
export function parseIndexListHtml(bytes: Bytes): IndexList {
  const names = parseProjectListHtml(bytes)
  return { serials: new Map(names.map((name) => [normalizeName(name), undefined])) }
}

function addSerial(
  serials: Map<string, number | undefined>,
  rawName: string,
  serial: number | undefined,
): void {
  if (!isProjectName(rawName)) return
  const name = normalizeName(rawName)
  const before = serials.get(name)
  if (serials.size >= maxProjects && !serials.has(name)) throw new DecodeError('too many projects')
  serials.set(name, before === undefined ? serial : Math.max(before, serial ?? 0))
}

function readName(value: unknown): string {
  return readMember(readObject(value), 'name', readString)
}

interface FoundLink {
  readonly href: string
  text: string
}

/** The name is the text of the anchor (PEP 503), or else the last segment of its link. */
export function parseProjectListHtml(bytes: Bytes): readonly string[] {
  return readDocument(what, () => {
    const found: FoundLink[] = []
    let open: FoundLink | undefined
    const tags = {
      a: (attributes: Attributes): void => {
        open = { href: attributes.get('href') ?? '', text: '' }
        found.push(open)
      },
      meta: (attributes: Attributes): void => {
        if (attributes.get('name') !== 'pypi:repository-version') return
        requireApiVersion(attributes.get('content') ?? '', what)
      },
    }
    readTags(readUtf8(bytes, what), tags, {
      text: (text) => {
        if (open !== undefined && open.text.length < maxTextLength) open.text += text
      },
      close: (name) => {
        if (name === 'a') open = undefined
      },
    })
    return keepNames(found.map(findName))
  })
}

function findName({ href, text }: FoundLink): string {
  const name = text.trim()
  return isProjectName(name) ? name : (href.split('/').findLast((segment) => segment !== '') ?? '')
}

function keepNames(names: readonly string[]): readonly string[] {
  if (names.length > maxProjects) throw new DecodeError(`${names.length} projects`)
  const byNormalized = new Map<string, string>()
  for (const name of names) {
    if (!isProjectName(name)) continue
    const normalized = normalizeName(name)
    if (!byNormalized.has(normalized)) byNormalized.set(normalized, name)
  }
  return [...byNormalized.values()]
}

/** `names` in the order given; links are relative and normalized. */
export function renderProjectList(names: readonly string[], format: PageFormat): Bytes {
  return encodeUtf8(format === 'json-v1' ? renderJson(names) : renderHtml(names))
}

function renderJson(names: readonly string[]): string {
  return JSON.stringify({
    meta: { 'api-version': apiVersion },
    projects: names.map((name) => ({ name })),
  })
}

function renderHtml(names: readonly string[]): string {
  const anchors = names.map((name) => {
    const tag = renderTag('a', [['href', `${encodeURIComponent(normalizeName(name))}/`]])
    return `    ${tag}${escapeHtml(name)}</a><br>\n`
  })
  return `<!DOCTYPE html>
<html>
  <head>
    <meta charset="utf-8">
    <meta name="pypi:repository-version" content="${apiVersion}">
    <title>Simple index</title>
  </head>
  <body>
${anchors.join('')}  </body>
</html>
`
}
