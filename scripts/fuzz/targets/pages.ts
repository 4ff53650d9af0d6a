/** Pages of an index, project records and lists, file names and file URLs. */

import { readFileSync } from 'node:fs'
import { defaultTreeAdapter, parse, type DefaultTreeAdapterTypes } from 'parse5'
import { encodeUtf8, type Bytes } from '../../../src/base/bytes.ts'
import { findFileFault, parseFileUrl, pathKey, renderLink } from '../../../src/simple/file-url.ts'
import { findProjectsOf } from '../../../src/simple/filename-projects.ts'
import { parseFilename } from '../../../src/simple/filename.ts'
import { parseDenials, renderDenials } from '../../../src/simple/denial.ts'
import { isNormalizedName, isProjectName, normalizeName } from '../../../src/simple/names.ts'
import { parsePageHtml } from '../../../src/simple/parse-html.ts'
import { parsePageJson, type ParsedPage } from '../../../src/simple/parse-json.ts'
import {
  parseIndexListHtml,
  parseIndexListJson,
  parseProjectListHtml,
  parseProjectListJson,
  renderProjectList,
} from '../../../src/simple/project-list.ts'
import { parseRecord, renderRecord } from '../../../src/simple/record.ts'
import { renderProjectJson, groupReleases } from '../../../src/simple/release-json.ts'
import { renderPage } from '../../../src/simple/render.ts'
import { maxUrlLength } from '../../../src/simple/read-text.ts'
import { resolveUrls } from '../../../src/simple/resolve-urls.ts'
import { rewritePage } from '../../../src/simple/rewrite.ts'
import { versionKey } from '../../../src/simple/version-key.ts'
import { makeTape } from '../mutate.ts'
import { readTape, type Dice } from '../dice.ts'
import { readText, requireRule, requireSame, type FuzzTarget } from '../target.ts'

const vector = (path: string): Bytes => readFileSync(`test/vectors/${path}`)
const digest = 'a1'.repeat(32)
const fileUrl = 'https://files.pythonhosted.org/packages/a1/foo-1.0.tar.gz'

const pageSeed = JSON.stringify({
  meta: { 'api-version': '1.4', '_last-serial': 7 },
  name: 'foo',
  versions: ['1.0'],
  'project-status': { status: 'active' },
  files: [
    {
      filename: 'foo-1.0.tar.gz',
      url: fileUrl,
      hashes: { sha256: digest },
      size: 10,
      'upload-time': '2026-01-02T03:04:05.678Z',
      'requires-python': '>=3.9',
      yanked: 'bad',
      'core-metadata': { sha256: digest },
      'gpg-sig': false,
      provenance: 'https://pypi.org/integrity/foo',
      '_first-seen': '2026-01-02T03:04:05Z',
    },
  ],
})

/** Every anchor's address, as a browser reads the page. */
function listLinks(html: string): string[] {
  const found: string[] = []
  const open: DefaultTreeAdapterTypes.Node[] = [parse(html)]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (defaultTreeAdapter.isElementNode(node) && node.tagName === 'a') {
      found.push(node.attrs.find(({ name }) => name === 'href')?.value ?? '')
    }
    if ('childNodes' in node) open.push(...node.childNodes.toReversed())
  }
  return found
}

function listNames({ files }: ParsedPage): string[] {
  return files.map(({ filename }) => filename)
}

/** What we write of a page reads as the same files: to us, and to a browser. */
function requireSameWhenRendered(page: ParsedPage): void {
  const resolved = resolveUrls(page, 'https://pypi.org/simple/foo/')
  // A link that was short may be too long once it is whole: then it is left out later.
  const shown = {
    ...resolved,
    files: resolved.files.filter(({ url }) => url.length <= maxUrlLength),
  }
  const html = renderPage(shown, 'text-html')
  const links = listLinks(Buffer.from(html).toString()).map((link) => link.split('#')[0])
  requireSame(
    links,
    shown.files.map(({ url }) => url.split('#')[0]),
    'other links in HTML',
  )
  const again = parsePageJson(renderPage(shown, 'json-v1'), 'foo')
  requireSame(listNames(again), listNames(shown), 'other files in JSON')
}

const pageJson: FuzzTarget = {
  name: 'page-json',
  rule: 'a page is read or refused, and reads the same once it is written again',
  seeds: () => [pageSeed, vector('pypi-simple/yanked.json'), vector('pypi-simple/argset-700.json')],
  words: ['"hashes":{}', '"url":"', '"_', '"1.0"', '"2.0"'],
  run: (input) => requireSameWhenRendered(parsePageJson(input, 'foo')),
}

const pageHtml: FuzzTarget = {
  name: 'page-html',
  rule: 'a page is read or refused, and its links are the same once it is written again',
  seeds: () => [
    vector('pip/yanked.html'),
    vector('pypi-simple/qypi_base.html'),
    `<!DOCTYPE html><meta name="pypi:repository-version" content="1.1"><base href="/x/"><a href="foo-1.0.tar.gz#sha256=${digest}" data-yanked="" data-requires-python="&gt;=3" data-core-metadata="sha256=${digest}">foo</a>`,
  ],
  words: ['<a href="foo-2.zip">', '<!--', '-->', '<script>', '</a', '<b', '&quot;', 'href=', '<p>'],
  run: (input) => requireSameWhenRendered(parsePageHtml(input, 'foo')),
}

/** As indexes write pages, in every spelling that HTML has for it. */
function writePage(dice: Dice): string {
  const count = 1 + dice.roll(4)
  const anchors = Array.from({ length: count }, (_, at) => {
    const space = dice.pick([' ', '\n', '\t', '  '])
    const value = `foo-${at}.tar.gz${dice.pick(['', `#sha256=${digest}`, '?x', '&amp;', '&#38;', '&lt;'])}`
    const href = dice.pick([`href="${value}"`, `href='${value}'`, `HREF = "${value}"`])
    const more = dice.pick([
      '',
      'data-yanked',
      "data-requires-python='&gt;=3.8'",
      'href="other.zip"',
    ])
    const close = dice.pick(['</a>', '</A >', '</a><br>', '</a><br/>\n'])
    return `<${dice.pick(['a', 'A'])}${space}${href}${space}${more}>${dice.pick(['x', '&', '', 'a &gt; b'])}${close}`
  })
  const head = dice.pick(['', '<!DOCTYPE html><html><head><title>&lt;a></title></head><body>'])
  const between = dice.pick([
    '',
    '<!-- <a href="no.zip"> -->',
    '<script>"<a href=no>"</script>',
    '<h1>t</h1>',
  ])
  return `${head}${anchors.join(between)}`
}

const pageAgreement: FuzzTarget = {
  name: 'page-html-agreement',
  rule: 'on a page without mistakes the links are those that a browser finds',
  seeds: () => [],
  make: makeTape,
  run: (input) => {
    const html = writePage(readTape(input))
    const { files, skipped } = parsePageHtml(encodeUtf8(html), 'foo')
    const links = listLinks(html)
    requireSame(files.length + skipped.length, links.length, `other links in ${html}`)
    requireSame(
      files.map(({ url }) => url),
      links.map((link) => link.split('#')[0]),
      `other addresses in ${html}`,
    )
  },
}

const record: FuzzTarget = {
  name: 'record',
  rule: 'a record reads the same once it is written again, and its paths are those of its links',
  seeds: () => [pageSeed, pageSeed.replace('"gpg-sig"', '"_removed":"2026-01-02T03:04:05Z","x"')],
  words: ['"_conflict":"', '"_size":7', '%2e%2e', '%2f', '"url":"'],
  run: (input) => {
    const read = parseRecord(input, 'foo')
    const bytes = renderRecord(read)
    const again = parseRecord(bytes, 'foo')
    requireSame(renderRecord(again), bytes, 'another record')
    requireSame([...again.byPath.keys()], [...read.byPath.keys()], 'other paths')
    for (const path of read.byPath.keys()) {
      requireRule(!path.split('/').some((one) => one === '..' || one === ''), 'an odd path')
    }
    const page = rewritePage(read, new Map(), { showHidden: true })
    requireSame(
      listLinks(Buffer.from(renderPage(page, 'text-html')).toString()).length,
      read.files.length,
      'other links',
    )
    renderProjectJson([...groupReleases(read).values()], { name: 'foo' })
  },
}

const lists: FuzzTarget = {
  name: 'project-list',
  rule: 'a list of projects is read or refused, and reads the same once it is written again',
  seeds: () => [
    JSON.stringify({
      meta: { 'api-version': '1.4', '_last-serial': 3 },
      projects: [{ name: 'foo', '_last-serial': 1 }, { name: 'Bar.Baz' }],
    }),
    '<html><a href="/simple/foo/">foo</a><a href="bar/">Bar_x</a>',
  ],
  words: ['"name":"', '<a href="', '</a>'],
  run: (input) => {
    const isJson = readText(input).startsWith('{')
    const names = isJson ? parseProjectListJson(input) : parseProjectListHtml(input)
    const { serials } = isJson ? parseIndexListJson(input) : parseIndexListHtml(input)
    for (const name of names) requireRule(isProjectName(name), 'no name of a project')
    for (const name of serials.keys()) {
      requireRule(isNormalizedName(name), 'a name that is not normalized')
    }
    const again = parseProjectListJson(renderProjectList(names, 'json-v1'))
    requireSame(again, names, 'another list')
    requireSame(parseProjectListHtml(renderProjectList(names, 'text-html')), names, 'another list')
  },
}

const fileNames: FuzzTarget = {
  name: 'file-name',
  rule: 'a file belongs to each project that its name is said to be of',
  seeds: () => [
    'foo-1.0.tar.gz',
    'foo_bar-1.0-py3-none-any.whl',
    'foo-bar-1.0.linux-x86_64.exe',
    'foo-1.0-1.noarch.rpm',
    'foo-1.0rc1.post2.dev3+local.1.zip',
    'foo-2023_1-2-py3-none-any.whl',
  ],
  words: ['-', '_', '.', '--', '1!', '.whl', '.tar.gz', '.egg', '.post1', '+a', 'v'],
  run: (input) => {
    const name = readText(input)
    const projects = findProjectsOf(name)
    for (const project of projects) {
      requireRule(isNormalizedName(project), 'a project that is not normalized')
      requireRule(parseFilename(name, project).belongs, 'a project that the file is not of')
    }
    parseFilename(name, 'foo')
    const key = versionKey(name)
    if (isProjectName(name)) requireRule(isNormalizedName(normalizeName(name)), 'odd name')
    return key === undefined ? `${Math.min(projects.length, 3)} projects` : 'version'
  },
}

const urls: FuzzTarget = {
  name: 'file-url',
  rule: 'the link of a file leads a browser to the path under which the file is known',
  seeds: () => [
    fileUrl,
    'http://[::1]:8080/a%20b/foo-1.0%2Blocal.tar.gz',
    'https://xn--bcher-kva.example:8443/%F0%9F%98%80/foo-1.0.zip',
  ],
  words: ['%2e', '%2E%2e/', '%2f', '%5c', '\\', '@', ':80', '..', '//', '%25', '%00', '?', '#'],
  run: (input) => {
    const raw = readText(input)
    const location = parseFileUrl(raw)
    const link = renderLink('foo', location)
    const url = new URL(link, 'http://proxy.test/simple/foo/')
    const segments = url.pathname.split('/').slice(1).map(decodeURIComponent)
    requireSame(url.search + url.hash, '', 'a query')
    requireSame(segments, ['files', 'foo', ...pathKey(location).split('/')], 'another path')
    findFileFault({ filename: 'foo-1.0.zip', url: raw, hashes: new Map(), extra: new Map() }, 'foo')
  },
}

const denials: FuzzTarget = {
  name: 'denials',
  rule: 'what a mirror withdraws reads the same once it is written again',
  seeds: () => [
    Buffer.from(
      renderDenials('foo', [
        { reason: 'malware', since: 1_700_000_000_000, files: ['foo-1.0.zip'], version: '1.0' },
      ]),
    ),
  ],
  run: (input) => {
    const read = parseDenials(input, 'foo')
    requireSame(parseDenials(renderDenials('foo', read), 'foo'), read, 'others')
  },
}

export const pageTargets: readonly FuzzTarget[] = [
  pageJson,
  pageHtml,
  pageAgreement,
  record,
  lists,
  fileNames,
  urls,
  denials,
]
