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
import { decidePage, isMetadataOffered, type PageDecision, type Policy } from '../policy/decide.ts'
import type { ProjectPage } from '../simple/model.ts'
import type { ProjectRecord, RecordFile } from '../simple/record.ts'
import { contentTypeOf, negotiate, negotiateEncoding } from '../simple/negotiate.ts'
import type { PageFormat } from '../simple/negotiate.ts'
import { renderProjectList } from '../simple/project-list.ts'
import { renderPage } from '../simple/render.ts'
import { type PageLinks, rewritePage } from '../simple/rewrite.ts'
import type { Exchange } from './exchange.ts'
import type { FoundRecord, GatewayOps } from './gateway.ts'
import { type CachedPage, PageCache } from './page-cache.ts'

const compress = promisify(gzip)

/** Smaller bodies fit into one packet anyway. */
const minCompressedBytes = 1024

/** That nothing is left of a project is told again to whoever looks at the log, while it is asked for. */
const retellAfterMs = 60_000

interface LastDecision {
  readonly policy: Policy
  readonly decision: PageDecision
  readonly at: number
  readonly toldAt: number
}

/** A project as policy shows it now. */
export interface DecidedProject {
  readonly found: FoundRecord
  readonly policy: Policy
  readonly decision: PageDecision
  /** What policy leaves out has not been told before. */
  readonly isNews: boolean
}

/** `headers` as of the answer: type, and `Vary` where it depends on more than the encoding. */
export interface Rendering {
  readonly headers: readonly string[]
  readonly render: () => Bytes
}

export class Pages {
  readonly #ops: GatewayOps
  readonly #cache: PageCache
  readonly #decided = new WeakMap<ProjectRecord, LastDecision>()

  constructor(ops: GatewayOps, maxCacheBytes: number) {
    this.#ops = ops
    this.#cache = new PageCache(maxCacheBytes)
  }

  /** Throws RequestError NOT_FOUND or NOT_SIGNED, and what `findRecord` throws. */
  async decideProject(exchange: Exchange, project: string): Promise<DecidedProject> {
    const found = await this.#requireRecord(exchange, project)
    const policy = this.#ops.policyOf(project)
    return { found, policy, ...this.#decide(found.record, policy) }
  }

  async findProject(
    exchange: Exchange,
    decided: DecidedProject,
    links: PageLinks,
  ): Promise<CachedPage> {
    const { pageRemark } = findTrustWords(trustKindOf(decided.found.trust))

    return this.#findFormat(exchange, keyOf(decided, links), (format) =>
      renderPage(rewriteDecided(decided, links), format, pageRemark),
    )
  }

  async findProjectList(exchange: Exchange): Promise<CachedPage> {
    const found = await this.#ops.findProjectList()
    if (typeof found === 'string') {
      throw new RequestError('NOT_FOUND', findTrustWords(found).noProjectList, {
        next: 'installers do not need one: ask for /simple/<project>/',
      })
    }
    const { names, digest, trust } = found
    exchange.subject.trust = trust
    exchange.subject.recordDigest = digest
    return this.#findFormat(exchange, `list ${digest}`, (format) =>
      renderProjectList(names, format),
    )
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

  async #findFormat(
    exchange: Exchange,
    key: string,
    render: (format: PageFormat) => Bytes,
  ): Promise<CachedPage> {
    const format = negotiate(exchange.request.headers.accept)
    return this.findRendered(exchange, `${key} ${format}`, {
      headers: ['Vary', 'Accept, Accept-Encoding', 'Content-Type', contentTypeOf(format)],
      render: () => render(format),
    })
  }

  /** `key` names everything that the bytes and headers depend on. */
  async findRendered(
    exchange: Exchange,
    key: string,
    { headers, render }: Rendering,
  ): Promise<CachedPage> {
    const rawEncoding = exchange.request.headers['accept-encoding']
    const encoding = negotiateEncoding(
      Array.isArray(rawEncoding) ? rawEncoding.join(',') : rawEncoding,
    )
    const findPlain = async (): Promise<CachedPage> =>
      this.#cache.findOrBuild(key, async () => buildPage(render(), headers))
    if (encoding === 'identity') return findPlain()
    return this.#cache.findOrBuild(`${key} gzip`, async () => {
      const plain = await findPlain()
      if (plain.body.length < minCompressedBytes) return plain
      return buildPage(await compress(plain.body), [...headers, 'Content-Encoding', 'gzip'])
    })
  }
}

/** What a page of the project depends on, but for its form. */
export function keyOf({ found, policy, decision }: DecidedProject, links: PageLinks): string {
  const trust = trustKindOf(found.trust)
  // Another index may have the same record, with other words.
  const shown = policy.showHidden ? 'shown' : 'hidden'
  const metadata = isMetadataOffered(policy) ? 'metadata' : 'bare'
  return `${found.digest} ${trust} ${links} ${shown} ${metadata} ${decision.outcome}`
}

/** `files`: of these alone. */
export function rewriteDecided(
  { found: { record }, policy, decision }: DecidedProject,
  links: PageLinks,
  files: readonly RecordFile[] = record.files,
): ProjectPage {
  const { showHidden } = policy
  const options = { showHidden, hasMetadata: isMetadataOffered(policy), links }
  return rewritePage({ ...record, files }, decision.rulings, options)
}

/** The ETag is of these very bytes: another format or encoding has another. */
function buildPage(body: Bytes, headers: readonly string[]): CachedPage {
  const etag = `"${sha256Hex(body).slice(0, 32)}"`
  // Names and reasons are the index's: escaped, and without effect even if that failed.
  const policy = ['Content-Security-Policy', "default-src 'none'"]
  return {
    body,
    etag,
    headers: ['ETag', etag, 'Cache-Control', 'no-cache', ...headers, ...policy],
  }
}
