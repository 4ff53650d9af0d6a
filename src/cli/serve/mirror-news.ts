/**
 * What is said on standard error of mirrors: what is new in full, the same again at most once a
 * minute with its number, and that it is over. The audit log has every one (`repository-events.ts`).
 */

import { formatSpan, type Clock } from '../../base/clock.ts'
import { isTufgateError, VerifyError, type TufgateError } from '../../base/errors.ts'
import type { RepositoryEvent } from '../../client/repository.ts'
import type { SourceFailure } from '../../client/try-in-order.ts'
import type { Log } from '../logger.ts'
import { describeAge, describeMirrorFailure, formatTrust } from './repository-events.ts'
import { formatFacts, formatFailure } from '../terminal.ts'

const remindEveryMs = 60_000
const remindOfAgeEveryMs = 3_600_000
/** What failed at a fetch has no end that is told: after so long it is news again. */
const forgetAfterMs = 10 * 60_000

interface Trouble {
  readonly kind: string
  readonly error: TufgateError
  readonly since: number
  count: number
  saidAt: number
  lastAt: number
}

type Failed = Extract<RepositoryEvent, { kind: 'failed' }>

/** Of one index. */
export class MirrorNews {
  readonly #index: string
  readonly #log: Log
  readonly #clock: Clock
  #ageSaidAt = -Infinity
  /** By the name of the mirror, which the settings bound. */
  readonly #troubles = { refresh: new Map<string, Trouble>(), fetch: new Map<string, Trouble>() }

  constructor(index: string, log: Log, clock: Clock) {
    this.#index = index
    this.#log = log
    this.#clock = clock
  }

  tell(event: RepositoryEvent): void {
    if (event.kind === 'failed') this.#tellFailure(event)
    else if (event.kind === 'refreshed') {
      this.#say('debug', `checked ${event.source}: ${formatTrust(event.trust)}`)
      this.#tellRecovery(event.source)
      if (event.leftMs !== undefined) this.#tellAge(event.source, event.leftMs)
    } else {
      this.#say('warning', `the signed list on disk is not usable: ${formatFailure(event.error)}`)
    }
  }

  /** It is either not renewed, or somebody keeps what is new from us: a freeze looks like this. */
  #tellAge(source: string, leftMs: number): void {
    const now = this.#clock()
    if (Math.abs(now - this.#ageSaidAt) < remindOfAgeEveryMs) return
    this.#ageSaidAt = now
    const advice = 'Then everything is refused. Ask whoever runs the mirror whether it is renewed.'
    this.#say('warning', `mirror ${source}: ${describeAge(leftMs)}\n${advice}`)
  }

  #tellFailure({ at, failure }: Failed): void {
    const { source, error } = failure
    const now = this.#clock()
    const known = this.#findSame(at, source, kindOf(error), now)
    if (known === undefined) {
      const trouble = { kind: kindOf(error), error, since: now, count: 1, saidAt: now, lastAt: now }
      this.#troubles[at].set(source, trouble)
      this.#say('warning', formatMirrorFailure(failure))
      return
    }
    known.count += 1
    known.lastAt = now
    if (now - known.saidAt < remindEveryMs) return
    known.saidAt = now
    const span = formatSpan(now - known.since)
    this.#say('warning', `mirror ${source}: still so (${known.count} times in ${span})`)
  }

  /** A mirror that is down fails at whatever is asked of it. */
  #findSame(at: Failed['at'], source: string, kind: string, now: number): Trouble | undefined {
    return [this.#troubles.refresh, this.#troubles[at]]
      .map((troubles) => troubles.get(source))
      .find((trouble) => trouble?.kind === kind && isRecent(trouble, now))
  }

  #tellRecovery(source: string): void {
    const trouble = this.#troubles.refresh.get(source)
    this.#troubles.refresh.delete(source)
    if (trouble === undefined) return
    const span = formatSpan(this.#clock() - trouble.since)
    const state = trouble.error instanceof VerifyError ? 'in order again' : 'reachable again'
    this.#say('info', `mirror ${source}: ${state} after ${span}`)
  }

  #say(level: Parameters<Log>[0], message: string): void {
    this.#log(level, `${this.#index}: ${message}`)
  }
}

/** Numbers in a message, such as spans, do not make it another one. */
function kindOf({ code, facts }: TufgateError): string {
  return `${code} ${facts.role ?? ''}`
}

/** A clock that was set back forgets. */
function isRecent({ lastAt }: Trouble, now: number): boolean {
  return now >= lastAt && now - lastAt < forgetAfterMs
}

function formatMirrorFailure(failure: SourceFailure): string {
  const { error } = failure
  const facts = isTufgateError(error) ? formatFacts(error) : []
  return [describeMirrorFailure(failure), ...facts].join('\n')
}
