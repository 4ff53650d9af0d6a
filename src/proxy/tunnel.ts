/**
 * Two connections joined: what comes from one goes to the other, each direction until its own end. It
 * looks at nothing. Where nothing has moved for a while, both end.
 */

import type { Duplex } from 'node:stream'
import type { StartTimer } from './timer.ts'

export interface TunnelOptions {
  /** Between this and twice of it without a byte, the tunnel ends. */
  readonly idleMs: number
  readonly startTimer: StartTimer
}

export interface TunnelCount {
  readonly sentBytes: number
  readonly receivedBytes: number
}

/** Resolves once both are closed; never rejects. */
export async function joinTunnel(
  client: Duplex,
  server: Duplex,
  { idleMs, startTimer }: TunnelOptions,
): Promise<TunnelCount> {
  const count = { sentBytes: 0, receivedBytes: 0 }
  let countedBytes = -1
  let stopTimer = nothing
  const watchIdle = (): void => {
    const moved = count.sentBytes + count.receivedBytes
    if (moved === countedBytes) return end(client, server)
    countedBytes = moved
    stopTimer = startTimer(idleMs, watchIdle)
  }
  client.on('data', (chunk: Uint8Array) => (count.sentBytes += chunk.length))
  server.on('data', (chunk: Uint8Array) => (count.receivedBytes += chunk.length))
  const closed = Promise.all([waitForClose(client, server), waitForClose(server, client)])
  client.pipe(server)
  server.pipe(client)
  watchIdle()
  await closed
  stopTimer()
  return count
}

function nothing(): void {
  // There is no timer yet.
}

/** Each error and each early end takes the other side along; an end in order is for `pipe`. */
async function waitForClose(one: Duplex, other: Duplex): Promise<void> {
  await new Promise<void>((resolve) => {
    one.on('error', () => void one.destroy())
    one.once('close', () => {
      if (!one.readableEnded) other.destroy()
      // Whoever is gone takes nothing any more.
      else if (!other.writableEnded) other.end()
      resolve()
    })
    if (one.destroyed) {
      other.destroy()
      resolve()
    }
  })
}

function end(client: Duplex, server: Duplex): void {
  client.destroy()
  server.destroy()
}
