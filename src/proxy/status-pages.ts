/** The pages under `/-/`: what the proxy tells about itself. */

import { encodeUtf8 } from '../base/bytes.ts'
import { describeError } from '../base/errors.ts'
import { describeExchange, type Exchange } from './exchange.ts'
import type { GatewayOps } from './gateway.ts'
import type { RequestLog } from './request-log.ts'
import { respondWhole } from './respond.ts'
import type { StatusRoute } from './status-route.ts'

const jsonHeaders = ['Content-Type', 'application/json', 'Cache-Control', 'no-store']

export class StatusPages {
  readonly #ops: GatewayOps
  readonly #log: RequestLog
  readonly #reportFault: (message: string) => void

  constructor(ops: GatewayOps, log: RequestLog, reportFault: (message: string) => void) {
    this.#ops = ops
    this.#log = log
    this.#reportFault = reportFault
  }

  async answer(exchange: Exchange, route: StatusRoute): Promise<void> {
    switch (route.kind) {
      case 'health':
        return this.#answerHealth(exchange)
      case 'ready':
        return this.#answerReady(exchange)
    }
  }

  async #answerHealth(exchange: Exchange): Promise<void> {
    const event = describeExchange(exchange, 'page', this.#ops.now())
    try {
      await this.#log.note(event)
    } catch (error) {
      // Alive is alive, even if the log is not: `/-/ready` says what is wrong.
      this.#reportFault(describeError(error))
    }
    respondWhole(exchange, 200, jsonHeaders, encodeUtf8('{"status":"ok"}\n'))
  }

  async #answerReady(exchange: Exchange): Promise<void> {
    const readiness = await this.#ops.readiness()
    const body = encodeUtf8(`${JSON.stringify(readiness)}\n`)
    await this.#log.note(
      describeExchange(exchange, 'page', this.#ops.now(), { bytes: body.length }),
    )
    respondWhole(exchange, readiness.ready ? 200 : 503, jsonHeaders, body)
  }
}
