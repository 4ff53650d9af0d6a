/**
 * Project pages and the list of projects: signed record -> policy -> rewritten -> rendered, once for
 * each (record, outcome of policy, format, encoding). Nothing of the index's own page gets here.
 */

import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Bytes } from '../base/bytes.ts'
import { sha256Hex } from '../base/digest.ts'
import { RequestError } from '../base/errors.ts'
import { findTrustWords, trustKindOf } from '../base/trust-words.ts'
import { decidePage, type PageDecision, type Policy } from '../policy/decide.ts'
import type { ProjectRecord } from '../simple/record.ts'
import { contentTypeOf, negotiate, negotiateEncoding } from '../simple/negotiate.ts'
import type { PageFormat } from '../simple/negotiate.ts'
import { renderProjectList } from '../simple/project-list.ts'
import { renderPage } from '../simple/render.ts'
import { type PageLinks, rewritePage, type RewriteOptions } from '../simple/rewrite.ts'
import type { Exchange } from './exchange.ts'
import type { FoundRecord, GatewayOps } from './gateway.ts'
import { type CachedPage, PageCache } from './page-cache.ts'

const compress = promisify(gzip)

/** Smaller bodies fit into one packet anyway. */
const minCompressedBytes = 1024

/** That nothing is left of a project is told again to whoever looks at the log, while it is asked for. */
const retellAfterMs = 60_000

interface Decided {
  readonly policy: Policy
  readonly decision: PageDecision
  readonly at: number
  readonly toldAt: number
}

export interface PageAnswer {
  readonly page: CachedPage
  /** What policy left out, where that has not been told before. */
  readonly hidden?: PageDecision
}

export class Pages {
  readonly #ops: GatewayOps
  readonly #cache: PageCache
  readonly #decided = new WeakMap<ProjectRecord, Decided>()

  constructor(ops: GatewayOps, maxCacheBytes: number) {
    this.#ops = ops
    this.#cache = new PageCache(maxCacheBytes)
  }

  async findProject(exchange: Exchange, project: string, links: PageLinks): Promise<PageAnswer> {
    const found = await this.#requireRecord(exchange, project)
    const { record, digest } = found
    const policy = this.#ops.policyOf(project)
    const { decision, isNews } = this.#decide(record, policy)
    const trust = trustKindOf(found.trust)
    // Another index may have the same record, with other words.
    const shown = policy.showHidden ? 'shown' : 'hidden'
    const key = `${digest} ${trust} ${links} ${shown} ${decision.outcome}`
    const { pageRemark } = findTrustWords(trust)
    const page = await this.#findRendered(exchange, key, (format) =>
      renderPage(
        rewritePage(record, decision.rulings, { ...rewriteOptionsOf(policy), links }),
        format,
        pageRemark,
      ),
    )
    return isNews ? { page, hidden: decision } : { page }
  }

  async findProjectList(exchange: Exchange): Promise<PageAnswer> {
    const found = await this.#ops.findProjectList()
    if (typeof found === 'string') {
      throw new RequestError('NOT_FOUND', findTrustWords(found).noProjectList, {
        next: 'installers do not need one: ask for /simple/<project>/',
      })
    }
    const { names, digest, trust } = found
    exchange.subject.trust = trust
    exchange.subject.recordDigest = digest
    const page = await this.#findRendered(exchange, `list ${digest}`, (format) =>
      renderProjectList(names, format),
    )
    return { page }
  }

  async #requireRecord(exchange: Exchange, project: string): Promise<FoundRecord> {
    const found = await this.#ops.findRecord(project, 'page')
    exchange.subject.trust = found.trust
    if (found.kind === 'found') {
      exchange.subject.recordDigest = found.digest
      return found
    }
    const words = findTrustWords(trustKindOf(found.trust))
    if (!found.claimed) throw new RequestError('NOT_FOUND', words.absent(project))
    throw new RequestError('NOT_SIGNED', words.absentClaimed(project), {
      next: 'check the name, or publish the project on that index',
    })
  }

  /** A decision holds from when it was made until policy says; a clock that went back ends it too. */
  #decide(record: ProjectRecord, policy: Policy): { decision: PageDecision; isNews: boolean } {
    const now = this.#ops.now()
    const last = this.#decided.get(record)
    const isSame = last?.policy === policy && last.at <= now
    if (isSame && (last.decision.until === undefined || now < last.decision.until)) {
      const isDue = last.decision.isWhollyHidden && now - last.toldAt >= retellAfterMs
      if (isDue) this.#decided.set(record, { ...last, toldAt: now })
      return { decision: last.decision, isNews: isDue }
    }
    const decision = decidePage(record, policy, now)
    this.#decided.set(record, { policy, decision, at: now, toldAt: now })
    return { decision, isNews: decision.outcome !== last?.decision.outcome }
  }

  async #findRendered(
    exchange: Exchange,
    key: string,
    render: (format: PageFormat) => Bytes,
  ): Promise<CachedPage> {
    const { accept } = exchange.request.headers
    const rawEncoding = exchange.request.headers['accept-encoding']
    const format = negotiate(accept)
    const encoding = negotiateEncoding(
      Array.isArray(rawEncoding) ? rawEncoding.join(',') : rawEncoding,
    )
    const plainKey = `${key} ${format}`
    const findPlain = async (): Promise<CachedPage> =>
      this.#cache.findOrBuild(plainKey, async () => buildPage(render(format), format, []))
    if (encoding === 'identity') return findPlain()
    return this.#cache.findOrBuild(`${plainKey} gzip`, async () => {
      const plain = await findPlain()
      if (plain.body.length < minCompressedBytes) return plain
      return buildPage(await compress(plain.body), format, ['Content-Encoding', 'gzip'])
    })
  }
}

/** A `.metadata` file has no line in a pins file: installers read the metadata in the pinned file. */
function rewriteOptionsOf({ showHidden, pins }: Policy): RewriteOptions {
  return { showHidden, hasMetadata: pins === undefined }
}

/** The ETag is of these very bytes: another format or encoding has another. */
function buildPage(body: Bytes, format: PageFormat, encoding: readonly string[]): CachedPage {
  const etag = `"${sha256Hex(body).slice(0, 32)}"`
  const headers = ['ETag', etag, 'Vary', 'Accept, Accept-Encoding', 'Cache-Control', 'no-cache']
  headers.push('Content-Type', contentTypeOf(format), ...encoding)
  // Names and reasons are the index's: escaped, and without effect even if that failed.
  headers.push('Content-Security-Policy', "default-src 'none'")
  return { body, etag, headers }
}
