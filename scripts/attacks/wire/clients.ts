/** Many clients of one file, slow ones, and ones that leave: what one of them does must not help another. */

import { setTimeout as sleepFor } from 'node:timers/promises'
import { sha256 } from '../../../test/support/build-wheel.ts'
import { inOrder, serve } from '../../../test/support/hostile-server.ts'
import type { RawClient } from '../../../test/support/raw-client.ts'
import { evilBytes, findLeak, otherEvilBytes } from './evil-bytes.ts'
import { begin } from './reading.ts'
import type { WireRow } from './wire-row.ts'
import type { Wiretap } from './wiretap.ts'

const crowd = 1000
const largeBytes = 8_000_000

export const clients: readonly WireRow[] = [
  {
    row: 'W12',
    name: 'a client that reads one byte a second, of a large file and of an evil one',
    files: 3,
    firstBytes: largeBytes,
    send: async (bench, tap) => {
      bench.turn(0, serve(bench.project.files[0]?.bytes ?? evilBytes))
      const release = bench.holdBack(1)
      const slow = await Promise.all([0, 1].map((at) => beginSlowly(tap, bench.path(at))))
      // Nobody waits for them.
      await tap.ask(bench.path(2))
      await readSlowly(slow, 2)
      release()
      for (const { socket } of slow) socket.resume()
      await Promise.all(slow.map((client) => tap.hear(client)))
    },
    expected: { answers: '2 x 200, 1 x 403', asked: 3, codes: ['DIGEST_MISMATCH'] },
  },
  {
    row: 'W13',
    name: 'a client that hangs up half-way while others follow, of an evil file and of a genuine one',
    files: 2,
    send: async (bench, tap) => {
      const genuine = bench.project.files[1]?.bytes ?? new Uint8Array(0)
      const releases = [bench.holdBack(0), bench.holdBack(1, Buffer.from(genuine))]
      const [leaver, honestLeaver] = await Promise.all([
        begin(tap, bench.path(0)),
        begin(tap, bench.path(1)),
      ])
      const followers = [0, 0, 0, 1, 1, 1].map((at) => tap.ask(bench.path(at)))
      leaver.close()
      honestLeaver.socket.resetAndDestroy()
      for (const release of releases) release()
      const bodies = (await Promise.all(followers)).map((answer) =>
        answer.subarray(answer.indexOf('\r\n\r\n') + 4),
      )
      const whole = bodies.filter((body) => sha256(body) === sha256(genuine)).length
      return [`${whole} of 3 who stayed have the genuine file`]
    },
    expected: {
      answers: '5 x 200, 3 x 403',
      asked: 2,
      codes: ['DIGEST_MISMATCH'],
      notes: ['3 of 3 who stayed have the genuine file'],
    },
  },
  {
    row: 'W14',
    name: `${crowd} clients of one evil file at the same time`,
    files: 1,
    send: async (bench, tap) => {
      const release = bench.holdBack(0)
      const crowded = await Promise.all(
        Array.from({ length: crowd }, () => begin(tap, bench.path(0))),
      )
      release()
      await Promise.all(crowded.map((client) => tap.hear(client)))
    },
    expected: { answers: `${crowd} x 200`, asked: 1, codes: ['DIGEST_MISMATCH'] },
  },
  {
    row: 'W15',
    name: 'asking again after the cut, for the bytes behind those that kept the client waiting',
    isCore: true,
    files: 2,
    send: async (bench, tap) => {
      const release = bench.holdBack(0)
      // Alone there is nothing that would end it.
      if (bench.behind === undefined) release()
      const cut: Buffer[] = []
      // The fetch goes on, so that each of them joins it: until its 48 bytes are spent.
      for (const header of [
        [],
        ['Range: bytes=48-', 'User-Agent: pip/26.2.1 {}'],
        ['Range: bytes=48-95'],
      ])
        cut.push(await tap.hear(await begin(tap, bench.path(0), header)))
      release()
      await tap.ask(bench.path(0), ['Range: bytes=48-'])
      // A host that says something else each time cannot do more.
      bench.turn(1, inOrder(serve(evilBytes), serve(otherEvilBytes)))
      for (let at = 0; at < 10; at += 1) await tap.ask(bench.path(1), [`Range: bytes=${at * 48}-`])
      return [tellCuts(cut)]
    },
    expected: {
      answers: '3 x 200, 11 x 403',
      asked: 2,
      codes: ['DIGEST_MISMATCH', 'TOO_SLOW'],
      notes: ['3 answers were cut after the same first 48 bytes'],
    },
  },
]

/** It takes nothing before it is told to. */
async function beginSlowly(tap: Wiretap, target: string): Promise<RawClient> {
  const client = await tap.open()
  client.socket.pause()
  client.ask(target, ['Connection: close'])
  return client
}

async function readSlowly(readers: readonly RawClient[], seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    await sleepFor(1000)
    for (const { socket } of readers) socket.read(1)
  }
}

function tellCuts(answers: readonly Buffer[]): string {
  const lengths = new Set(answers.map((answer) => findLeak(answer).longest))
  return `${answers.length} answers were cut after the same first ${[...lengths].join(' or ')} bytes`
}
