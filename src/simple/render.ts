/**
 * A page as JSON or HTML, API 1.4, from one model. Everything is escaped here, and only here; there
 * is never a `<base>`, and nothing that depends on time.
 */

import { encodeUtf8, type Bytes } from '../base/bytes.ts'
import { escapeHtml, renderTag } from './html-text.ts'
import type { ProjectFile, ProjectPage } from './model.ts'
import type { PageFormat } from './negotiate.ts'
import { apiVersion, fileEntries, pageEntries, toObject } from './page-object.ts'

/** Both HTML types are the same bytes. `remark`: what readers are told of the page as a whole. */
export function renderPage(page: ProjectPage, format: PageFormat, remark?: string): Bytes {
  return encodeUtf8(format === 'json-v1' ? renderJson(page, remark) : renderHtml(page, remark))
}

function renderJson(page: ProjectPage, remark: string | undefined): string {
  const files = page.files.map((file) => toObject(fileEntries(file)))
  // PEP 691: a key that begins with `_` is of whoever serves the page.
  return JSON.stringify(toObject([...pageEntries(page), ['files', files], ['_remark', remark]]))
}

function renderHtml(page: ProjectPage, remark: string | undefined): string {
  const title = escapeHtml(`Links for ${page.name}`)
  const { status, reason } = page.status ?? {}
  const metas = [
    renderMeta('pypi:repository-version', apiVersion),
    renderMeta('pypi:project-status', status),
    renderMeta('pypi:project-status-reason', reason),
  ]
  return `<!DOCTYPE html>
<html>
  <head>
    <meta charset="utf-8">${metas.join('')}
    <title>${title}</title>
  </head>
  <body>
    <h1>${title}</h1>
${remark === undefined ? '' : `    <p>${escapeHtml(remark)}</p>\n`}${page.files.map(renderAnchor).join('')}  </body>
</html>
`
}

function renderMeta(name: string, content: string | undefined): string {
  return content === undefined
    ? ''
    : `\n    ${renderTag('meta', [
        ['name', name],
        ['content', content],
      ])}`
}

/** PEP 503: the text of an anchor is the last segment of its link. */
function renderAnchor(file: ProjectFile): string {
  const metadata = metadataAttribute(file)
  const tag = renderTag('a', [
    ['href', file.url + renderFragment(file)],
    ['data-requires-python', file.requiresPython],
    ['data-yanked', file.yanked],
    ['data-core-metadata', metadata],
    ['data-dist-info-metadata', metadata],
    ['data-provenance', file.provenance ?? undefined],
    ['data-gpg-sig', file.gpgSig === undefined ? undefined : String(file.gpgSig)],
    // In no standard, but uv reads them.
    ['data-upload-time', file.uploadTime],
    ['data-size', file.size === undefined ? undefined : String(file.size)],
  ])
  return `    ${tag}${escapeHtml(file.filename)}</a><br>\n`
}

function renderFragment({ hashes }: ProjectFile): string {
  const [name, digest] = hashes.has('sha256')
    ? ['sha256', hashes.get('sha256')]
    : ([...hashes][0] ?? [])
  return name === undefined || digest === undefined ? '' : `#${name}=${digest}`
}

/** Absent rather than "false", which pip, pdm and poetry take for a yes; and never without a digest. */
function metadataAttribute({ coreMetadata }: ProjectFile): string | undefined {
  const digest = coreMetadata?.get('sha256')
  return digest === undefined ? undefined : `sha256=${digest}`
}
