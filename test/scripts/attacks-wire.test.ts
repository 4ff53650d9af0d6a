import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  buildHonest,
  evilBytes,
  findLeak,
  otherEvilBytes,
} from '../../scripts/attacks/wire/evil-bytes.ts'
import { Wiretap } from '../../scripts/attacks/wire/wiretap.ts'
import { serve, startHostileServer, status, type HostileServer } from '../support/hostile-server.ts'

const head = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n')

describe('what counts as a leak', () => {
  test.each([
    ['nothing', [head], { longest: 0, later: 0 }],
    ['what is honest', [head, buildHonest('foo-1.0.tar.gz')], { longest: 0, later: 0 }],
    ['a beginning', [head, evilBytes.subarray(0, 48)], { longest: 48, later: 0 }],
    ['one byte more', [head, evilBytes.subarray(0, 49)], { longest: 49, later: 0 }],
    ['the next 48', [head, evilBytes.subarray(48, 96)], { longest: 48, later: 1 }],
    [
      'the same beginning twice on one connection',
      [head, evilBytes.subarray(0, 7), head, evilBytes.subarray(0, 9)],
      { longest: 9, later: 0 },
    ],
    [
      'a beginning of another attempt',
      [head, otherEvilBytes.subarray(0, 5)],
      { longest: 5, later: 0 },
    ],
    [
      'parts of a multipart answer',
      [
        head,
        '--b\r\n\r\n',
        evilBytes.subarray(100, 105),
        '\r\n--b\r\n\r\n',
        evilBytes.subarray(9, 10),
      ],
      { longest: 5, later: 2 },
    ],
    [
      'a byte in a head',
      ['HTTP/1.1 403 ', evilBytes.subarray(3, 4), '\r\n\r\n'],
      { longest: 1, later: 1 },
    ],
  ])('%s', (_, parts, leak) => {
    const bytes = parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part))
    expect(findLeak(Buffer.concat(bytes))).toEqual(leak)
  })
})

describe('a client that forgets nothing', () => {
  let server: HostileServer
  beforeEach(async () => {
    server = await startHostileServer()
    server.on('/bad', serve(evilBytes))
    server.on('/no', status(403))
  })
  afterEach(() => server.close())

  test('tells what a server that lets everything through gave it', async () => {
    const tap = new Wiretap(server.port)
    await tap.ask('/no')
    await tap.ask('/bad')
    await tap.ask('/bad', [], 'HEAD')
    expect(tap.tell()).toEqual({
      longest: evilBytes.length,
      later: 0,
      answers: '2 x 200, 1 x 403',
      connections: 3,
      line: 'Forbidden',
    })
  })
})
