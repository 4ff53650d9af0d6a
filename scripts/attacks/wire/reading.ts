/** Ways to ask for a part of a file, or only about it, before anybody knows that it is the right one. */

import { serve } from '../../../test/support/hostile-server.ts'
import type { RawClient } from '../../../test/support/raw-client.ts'
import { sha256 } from '../../../test/support/build-wheel.ts'
import type { Bench } from './bench.ts'
import type { WireRow } from './wire-row.ts'
import type { Wiretap } from './wiretap.ts'

const partial = [
  'Range: bytes=0-',
  'Range: bytes=0-0',
  'Range: bytes=10-20',
  'Range: bytes=48-',
  'Range: bytes=19999-',
  'Range: bytes=20000-',
  'Range: bytes=18446744073709551615-',
  'range: BYTES=1-2',
]

const severalParts = [
  'Range: bytes=-1',
  'Range: bytes=-48',
  'Range: bytes=-19999',
  'Range: bytes=-99999999999999999999',
  'Range: bytes=-0',
  'Range: bytes=0-1,4-5',
  'Range: bytes=0-0,-1',
  'Range: bytes=0-,0-,0-,0-',
  'Range: lines=0-1',
  'Range: bytes=9-1',
]

export const reading: readonly WireRow[] = [
  {
    row: 'W1',
    name: 'HEAD, also of a file that is still being fetched',
    files: 4,
    send: async (bench, tap) => {
      await tap.ask(bench.path(0), [], 'HEAD')
      await tap.ask(bench.path(1), ['Range: bytes=0-99'], 'HEAD')
      await tap.ask(bench.path(2), ['If-None-Match: *'], 'HEAD')
      const release = bench.holdBack(3)
      await tap.ask(bench.path(3), [], 'HEAD')
      // As a GET does: what would be its body must not come.
      const get = await begin(tap, bench.path(3))
      release()
      await tap.hear(get)
      await tap.ask(bench.path(3), [], 'HEAD')
    },
    expected: { answers: '2 x 200, 4 x 403', asked: 4, codes: ['DIGEST_MISMATCH'] },
  },
  {
    row: 'W2',
    name: 'Range',
    files: partial.length,
    send: (bench, tap) => askEach(bench, tap, partial),
    expected: { answers: '8 x 403', asked: 8, codes: ['DIGEST_MISMATCH'] },
  },
  {
    row: 'W3',
    name: 'Range, suffix and several ranges of a file that is still being fetched',
    isCore: true,
    files: 1,
    send: async (bench, tap) => {
      const release = bench.holdBack(0)
      const headers = [...partial, ...severalParts].map((header) => [header])
      const clients = await Promise.all(
        [[], ...headers].map((header) => begin(tap, bench.path(0), header)),
      )
      release()
      await Promise.all(clients.map((client) => tap.hear(client)))
      await tap.ask(bench.path(0), ['Range: bytes=48-'])
      return [tellMarks(clients)]
    },
    expected: {
      answers: '18 x 200, 1 x 400, 1 x 403',
      asked: 1,
      codes: ['DIGEST_MISMATCH'],
      notes: ['none of 19 beginnings could be resumed'],
    },
  },
  {
    row: 'W4',
    name: 'suffix and several ranges',
    files: severalParts.length,
    send: (bench, tap) => askEach(bench, tap, severalParts),
    expected: { answers: '10 x 403', asked: 10, codes: ['DIGEST_MISMATCH'] },
  },
  {
    row: 'W5',
    name: 'resume with If-Range: a genuine rest behind an evil beginning, and the other way round',
    files: 2,
    send: async (bench, tap) => {
      const genuine = bench.project.files.map(({ bytes }) => bytes)
      const digests = genuine.map(sha256)
      const resumes = digests.map((digest) => listResumes(digest))
      const release = bench.holdBack(0)
      const clients = await Promise.all(
        [[], ...(resumes[0] ?? [])].map((lines) => begin(tap, bench.path(0), lines)),
      )
      release()
      await Promise.all(clients.map((client) => tap.hear(client)))
      for (const lines of resumes[0] ?? []) await tap.ask(bench.path(0), lines)
      bench.turn(1, serve(genuine[1] ?? Buffer.alloc(0)))
      const rests: Buffer[] = []
      for (const lines of resumes[1] ?? []) rests.push(await tap.ask(bench.path(1), lines))
      return [tellRests(rests, digests[1] ?? '')]
    },
    expected: {
      answers: '10 x 200, 1 x 206, 2 x 400, 6 x 403',
      asked: 2,
      codes: ['DIGEST_MISMATCH'],
      notes: ['1 of 6 resumed, with the ETag of the verified file; 4 got the whole, 1 neither'],
    },
  },
  {
    row: 'W6',
    name: 'If-None-Match and others: is a 304 to be had for a file that is refused?',
    files: 7,
    send: async (bench, tap) => {
      const digests = bench.project.files.map(({ bytes }) => sha256(bytes))
      const conditions = [
        () => 'If-None-Match: *',
        (digest: string) => `If-None-Match: "sha256-${digest}"`,
        (digest: string) => `If-None-Match: W/"sha256-${digest}"`,
        (digest: string) => `If-None-Match: "x", "sha256-${digest}", "y"`,
        () => 'If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT',
        (digest: string) => `If-Match: "sha256-${digest}"`,
      ]
      for (const [at, condition] of conditions.entries())
        await tap.ask(bench.path(at), [condition(digests[at] ?? '')])
      const release = bench.holdBack(6)
      const clients = await Promise.all(
        conditions.map((condition) => begin(tap, bench.path(6), [condition(digests[6] ?? '')])),
      )
      release()
      await Promise.all(clients.map((client) => tap.hear(client)))
    },
    expected: { answers: '6 x 200, 6 x 403', asked: 7, codes: ['DIGEST_MISMATCH'] },
  },
]

/** Until the first byte of the body is there. */
export async function begin(
  tap: Wiretap,
  target: string,
  headers: readonly string[] = [],
): Promise<RawClient> {
  const client = await tap.open()
  client.ask(target, ['Connection: close', ...headers])
  await client.bodyBytes(1)
  return client
}

/** One after the other, each of a file that nobody has asked for before. */
async function askEach(bench: Bench, tap: Wiretap, headers: readonly string[]): Promise<void> {
  for (const [at, header] of headers.entries()) await tap.ask(bench.path(at), [header])
}

function listResumes(digest: string): readonly (readonly string[])[] {
  const range = 'Range: bytes=48-'
  return [
    // As wget does, which takes what it has off the whole; and as pip does, which begins again.
    [range],
    [range, 'User-Agent: pip/26.2.1 {}'],
    [range, 'If-Range: "x"'],
    [range, `If-Range: W/"sha256-${digest}"`],
    [range, 'If-Range: Fri, 01 Jan 2100 00:00:00 GMT'],
    [range, `If-Range: "sha256-${digest}"`],
  ]
}

/** What a client would need to put something behind what it has. */
function tellMarks(clients: readonly RawClient[]): string {
  const heads = clients.map(
    ({ received }) => received.toString('latin1').split('\r\n\r\n')[0] ?? '',
  )
  const count = heads.filter((head) =>
    /^(?:etag|last-modified|accept-ranges|content-range):/im.test(head),
  ).length
  return `${count === 0 ? 'none' : count} of ${heads.length} beginnings could be resumed`
}

function tellRests(answers: readonly Buffer[], digest: string): string {
  const bodies = answers.map((answer) => answer.subarray(answer.indexOf('\r\n\r\n') + 4))
  const whole = bodies.filter((body) => sha256(body) === digest).length
  const rests = answers.filter((answer) => answer.toString('latin1', 9, 12) === '206').length
  const neither = answers.length - rests - whole
  return `${rests} of ${answers.length} resumed, with the ETag of the verified file; ${whole} got the whole, ${neither} neither`
}
