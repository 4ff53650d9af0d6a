/** What an index source delivers as bytes, as pages with absolute URLs: over HTTP and from a folder alike. */

import { ConfigError } from '../base/errors.ts'
import { parsePageHtml } from '../simple/parse-html.ts'
import { parsePageJson, type ParsedPage } from '../simple/parse-json.ts'
import { parseProjectListHtml, parseProjectListJson } from '../simple/project-list.ts'
import { resolveUrls } from '../simple/resolve-urls.ts'
import type { IndexPage, IndexSource } from '../upstream/index-client.ts'
import type { FetchedPage, IndexPort } from './index-port.ts'

export interface SourcePortOptions {
  readonly fileHosts: readonly string[]
  /** Lengths cost nothing here: they are asked for where the page tells none. */
  readonly hasCheapSizes: boolean
  readonly close: () => Promise<void>
}

export function createSourcePort(source: IndexSource, options: SourcePortOptions): IndexPort {
  const { fileHosts, hasCheapSizes, close } = options
  return {
    name: source.name,
    fileHosts,
    close,
    fetchPage: async (project, etag) => {
      const answer = await source.fetchProject(project, etag === undefined ? {} : { etag })
      if (typeof answer === 'string') return answer
      const page = parsePage(answer, project)
      return toFetched(hasCheapSizes ? await addSizes(page, source) : page, answer.etag)
    },
    fetchProjectNames: async () => {
      const answer = await source.fetchProjectList()
      if (typeof answer === 'string') throw refuseWithoutList(source.name)
      const parse = answer.format === 'json' ? parseProjectListJson : parseProjectListHtml
      return parse(answer.body)
    },
    hashFile: (url) => source.hashFile(url),
  }
}

function parsePage({ format, body, url }: IndexPage, project: string): ParsedPage {
  const parse = format === 'json' ? parsePageJson : parsePageHtml
  return resolveUrls(parse(body, project), url)
}

function toFetched(page: ParsedPage, etag: string | undefined): FetchedPage {
  return etag === undefined ? { page } : { page, etag }
}

async function addSizes(page: ParsedPage, source: IndexSource): Promise<ParsedPage> {
  const files: ParsedPage['files'][number][] = []
  for (const file of page.files) {
    const size = file.size ?? (await source.findSize(file.url))
    files.push(size === undefined ? file : { ...file, size })
  }
  return { ...page, files }
}

function refuseWithoutList(name: string): ConfigError {
  return new ConfigError('CONFIG_INVALID', `${name} has no list of its projects`, {
    next: 'Name the projects with --project or --requirements instead of --all.',
  })
}
