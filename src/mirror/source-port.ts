/** What an index source delivers as bytes, as pages with absolute URLs: over HTTP and from a folder alike. */

import { ConfigError } from '../base/errors.ts'
import { parsePageHtml } from '../simple/parse-html.ts'
import { parsePageJson, type ParsedPage } from '../simple/parse-json.ts'
import { parseIndexListHtml, parseIndexListJson } from '../simple/project-list.ts'
import { resolveUrls } from '../simple/resolve-urls.ts'
import type { IndexPage, IndexSource, Validators } from '../upstream/index-client.ts'
import type { FetchedPage, IndexPort } from './index-port.ts'

export interface SourcePortOptions {
  readonly fileHosts: readonly string[]
  readonly hasExactSizes: boolean
  readonly close: () => Promise<void>
}

export function createSourcePort(source: IndexSource, options: SourcePortOptions): IndexPort {
  const { fileHosts, hasExactSizes, close } = options
  return {
    name: source.name,
    fileHosts,
    hasExactSizes,
    close,
    fetchPage: async (project, etag, isFresh = false) => {
      const answer = await source.fetchProject(project, { ...toValidators(etag), isFresh })
      return typeof answer === 'string' ? answer : toFetched(parsePage(answer, project), answer)
    },
    fetchProjectList: async (etag) => {
      const answer = await source.fetchProjectList(toValidators(etag))
      if (answer === 'unchanged') return answer
      if (answer === 'absent') throw refuseWithoutList(source.name)
      const parse = answer.format === 'json' ? parseIndexListJson : parseIndexListHtml
      const validator = findValidator(answer)
      return { ...parse(answer.body), ...(validator !== undefined && { etag: validator }) }
    },
    findSize: (url) => source.findSize(url),
    hashFile: (url) => source.hashFile(url),
    fetchFile: (url, sink) => source.fetchFile(url, sink),
  }
}

/**
 * RFC 9110 13.1.3: where there is an ETag, the time of the last change is not looked at. So one text
 * is kept of the two; an ETag is what has quotes.
 */
function findValidator({ etag, lastModified }: Validators): string | undefined {
  return etag ?? lastModified
}

function toValidators(kept: string | undefined): Validators {
  if (kept === undefined) return {}
  return kept.endsWith('"') ? { etag: kept } : { lastModified: kept }
}

function parsePage({ format, body, url }: IndexPage, project: string): ParsedPage {
  const parse = format === 'json' ? parsePageJson : parsePageHtml
  return resolveUrls(parse(body, project), url)
}

function toFetched(page: ParsedPage, answer: IndexPage): FetchedPage {
  const etag = findValidator(answer)
  // What stands in the page is what the page was made of; a header may be of another copy.
  const serial = page.serial ?? answer.serial
  return { page, ...(etag !== undefined && { etag }), ...(serial !== undefined && { serial }) }
}

function refuseWithoutList(name: string): ConfigError {
  return new ConfigError('CONFIG_INVALID', `${name} has no list of its projects`, {
    next: 'Name the projects with --project or --requirements instead of --all.',
  })
}
