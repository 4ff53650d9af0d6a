/** Requests that hide in others, come in pieces, or are not what they look like. */

import { serve } from '../../../test/support/hostile-server.ts'
import { listOddFramings, listOddTargets, notRequests } from '../../../test/support/odd-requests.ts'
import type { WireRow } from './wire-row.ts'

const requestOf = (target: string, ...headers: readonly string[]): string =>
  [`GET ${target} HTTP/1.1`, 'Host: localhost', ...headers, '', ''].join('\r\n')

const last = 'Connection: close'
const framings = listOddFramings('').length
const oldVersions = ['HTTP/1.0', 'HTTP/1.2', 'HTTP/2.0', 'HTTP/0.9', 'http/1.1', 'HTTP/1.1 x']

export const framing: readonly WireRow[] = [
  {
    row: 'W7',
    name: 'pipelined requests, behind good, bad and unfinished answers',
    files: 5,
    send: async (bench, tap) => {
      const { project, path } = bench
      bench.turn(0, serve(project.files[0]?.bytes ?? Buffer.alloc(0)))
      const targets = [path(0), path(1), path(0), `/simple/${project.name}/`, path(2), path(1)]
      await tap.say(targets.map((target) => requestOf(target)).join('') + requestOf(path(0), last))
      // What stands behind an answer that is cut off must not come as its rest.
      const release = bench.holdBack(3)
      const client = await tap.open()
      client.send([3, 0, 3, 0].map((at) => requestOf(path(at))).join(''))
      await client.bodyBytes(1)
      release()
      await tap.hear(client)
      // A whole pipeline of one bad file, and more than may wait.
      await tap.say(
        Array(16)
          .fill(requestOf(path(4)))
          .join('') + requestOf(path(4), last),
      )
    },
    expected: { answers: '5 x 200, 20 x 403', asked: 5, codes: ['DIGEST_MISMATCH'] },
  },
  {
    row: 'W8',
    name: 'requests in pieces, one in the head of another, and halves that are never completed',
    files: 3,
    send: async (bench, tap) => {
      const request = requestOf(bench.path(0), last)
      const slow = await tap.open()
      slow.socket.setNoDelay(true)
      for (const byte of request) {
        slow.send(byte)
        await new Promise((resolve) => void setImmediate(resolve))
      }
      await tap.hear(slow)
      for (const at of [3, 10, request.indexOf('\r\n') + 1, request.length - 1]) {
        const half = await tap.open()
        half.send(request.slice(0, at))
        half.socket.end()
        await tap.hear(half)
      }
      // Line ends of another kind, and a request in what should be a header.
      await tap.say(request.replaceAll('\r\n', '\n'))
      await tap.say(requestOf(bench.path(1), `X: ${requestOf(bench.path(2))}`))
      await tap.say(`\r\n\r\n\r\n${request}`)
    },
    expected: { answers: '6 x 400, 2 x 403', asked: 1, codes: ['DIGEST_MISMATCH'] },
  },
  {
    row: 'W9',
    name: 'Transfer-Encoding and Content-Length tricks, with a request for the file behind them',
    files: 1,
    alone: 'a server that is hostile itself needs no tricks',
    send: async (bench, tap) => {
      for (const [, headers, rest] of listOddFramings(requestOf(bench.path(0))))
        await tap.say(
          ['GET /-/health HTTP/1.1', 'Host: localhost', ...headers, '', rest].join('\r\n'),
        )
      for (const header of ['Trailer: X', 'TE: trailers', 'Expect: 100-continue', 'Upgrade: h2c'])
        await tap.ask(bench.path(0), [header])
    },
    expected: {
      answers: `${framings + 2} x 400, 2 x 403`,
      asked: 1,
      codes: ['DIGEST_MISMATCH'],
    },
  },
  {
    row: 'W10',
    name: 'encoded slashes and dots, double encoding, NUL, 8-bit names',
    files: 1,
    alone: 'a server that is hostile itself gives its file under any name',
    send: async (bench, tap) => {
      const [, files, project, host, folder = '', filename = ''] = bench.path(0).split('/')
      const targets = listOddTargets(`/${files}/${project}/${host}`, folder, filename)
      const wrong: string[] = []
      for (const [name, target, status] of targets) {
        const answer = await tap.ask(target)
        if (!answer.toString('latin1', 9, 12).startsWith(String(status))) wrong.push(name)
      }
      return [wrong.length === 0 ? 'each as it should be' : `another status: ${wrong.join(', ')}`]
    },
    expected: {
      answers: '17 x 400, 8 x 404',
      asked: 0,
      codes: ['NOT_FOUND'],
      notes: ['each as it should be'],
    },
  },
  {
    row: 'W11',
    name: 'huge heads, bytes that are no request, other versions and methods',
    files: 1,
    alone: 'a server that is hostile itself needs no tricks',
    send: async (bench, tap) => {
      for (const [, bytes] of notRequests) await tap.say(bytes)
      for (const header of [`X: ${'a'.repeat(15_000)}`, `Cookie: ${'b'.repeat(20_000)}`])
        await tap.ask(bench.path(0), [header])
      await tap.ask(bench.path(0), Array<string>(101).fill('X: y'))
      for (const version of oldVersions)
        await tap.say(`GET ${bench.path(0)} ${version}\r\nHost: localhost\r\n${last}\r\n\r\n`)
      for (const method of [
        'POST',
        'PUT',
        'DELETE',
        'TRACE',
        'OPTIONS',
        'PATCH',
        'PROPFIND',
        'get',
      ])
        await tap.ask(bench.path(0), [], method)
    },
    expected: { answers: '18 x 400, 2 x 403, 7 x 405', asked: 1, codes: ['DIGEST_MISMATCH'] },
  },
]
