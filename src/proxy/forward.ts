/**
 * Requests to other servers, as to an HTTP proxy. What is on a host of an index is answered from signed
 * records, by the same rules as our own URLs; another host is let pass, unverified, where the operator
 * lists it, and refused else.
 */

import { passedUnverified } from '../audit/event.ts'
import { RequestError } from '../base/errors.ts'
import type { IndexAddressee, OtherAddressee } from './addressee.ts'
import type { PageAnswers } from './answer-page.ts'
import { formatAuthority } from './authority.ts'
import { describeExchange, type Exchange } from './exchange.ts'
import { releaseForwardFile } from './forward-file.ts'
import type { ForwardIndex, ForwardPort } from './forward-port.ts'
import { type ForwardRoute, parseForwardRoute } from './forward-route.ts'
import { requireLetPass } from './let-pass.ts'
import type { ReleaseDependencies } from './release.ts'
import { requireForwardable, requirePassable } from './request-guard.ts'
import { requireUriCharacters } from './request-path.ts'

export interface ForwardDependencies {
  readonly port: ForwardPort
  readonly pages: PageAnswers
  readonly release: ReleaseDependencies
}

export class Forwarding {
  readonly #port: ForwardPort
  readonly #pages: PageAnswers
  readonly #release: ReleaseDependencies

  constructor({ port, pages, release }: ForwardDependencies) {
    this.#port = port
    this.#pages = pages
    this.#release = release
  }

  async answer(exchange: Exchange, addressee: IndexAddressee | OtherAddressee): Promise<void> {
    if (addressee.kind === 'other') return this.#letPass(exchange, addressee)
    requireForwardable(exchange.request, addressee.authority, addressee.scheme)
    const route = parseForwardRoute(addressee)
    if (route.kind === 'page') return this.#answerPage(exchange, route)
    const { indexes } = addressee
    return releaseForwardFile(exchange, route, { indexes, port: this.#port }, this.#release)
  }

  async #answerPage(
    exchange: Exchange,
    { index, page }: Extract<ForwardRoute, { kind: 'page' }>,
  ): Promise<void> {
    if (page.kind === 'project' || page.kind === 'release') {
      exchange.subject.project = page.project
      this.#requireOwner(index, page.project)
    }
    return this.#pages.answer(exchange, page, 'origin')
  }

  /** A project belongs to one index: on the pages of another one it would be somebody else's. */
  #requireOwner(index: ForwardIndex, project: string): void {
    const owner = this.#port.indexes.find((one) => one.owns(project))
    if (owner === undefined || owner === index) return
    const code = owner.isExplicit ? 'NOT_SIGNED' : 'NOT_FOUND'
    throw new RequestError(
      code,
      `project ${project} belongs to index ${owner.name}: it is not taken from ${index.name}`,
      { next: `ask for it at ${owner.url}, or change the patterns \`projects\` in the settings` },
    )
  }

  async #letPass(exchange: Exchange, { authority, rawPath }: OtherAddressee): Promise<void> {
    const { request, response, subject } = exchange
    const { log, now } = this.#release
    subject.resource = 'file'
    // What is left of a body that is not read could be taken for the next request.
    subject.refusalHeaders = ['Connection', 'close']
    requirePassable(request, authority)
    requireUriCharacters(rawPath)
    requireLetPass(this.#port, request, authority)
    const found = `${authority.host}:${authority.port}`
    const url = URL.parse(`http://${formatAuthority(authority, 'http')}${rawPath}`)
    if (url === null) throw new RequestError('BAD_REQUEST', 'the request target is not a URL')
    const note = { code: passedUnverified, found }
    const begun = { ...note, message: `let pass to ${found}, unverified` }
    await log.requireWritten(describeExchange(exchange, 'page', now(), begun))
    response.setHeader('X-Request-Id', exchange.id)
    const { status, bytes } = await this.#port.passThrough(request, response, url)
    const message =
      status === 0
        ? `the client left before ${found} answered`
        : `${found} answered ${status}, unverified`
    await log.note(describeExchange(exchange, 'page', now(), { ...note, message, bytes }))
  }
}
