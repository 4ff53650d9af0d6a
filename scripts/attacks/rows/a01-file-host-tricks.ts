/**
 * A1a, continued: what else a file host may try to have other bytes, or other names, taken for the
 * signed ones: other statuses, redirects, headers that say what the file is, one answer behind another.
 */

import { gzipSync } from 'node:zlib'
import {
  inOrder,
  redirect,
  serve,
  serveUntilClose,
  type Behaviour,
} from '../../../test/support/hostile-server.ts'
import type { Attack } from '../attack.ts'
import { buildEvil } from '../genuine.ts'
import { mustInstall, mustRefuse } from '../judge.ts'
import { stageOffer, type Offer } from '../offer.ts'

type Row = Pick<Offer, 'name' | 'project' | 'answer' | 'judge' | 'turn' | 'waitS'>

const otherDigest = mustRefuse({ code: 'DIGEST_MISMATCH' })
const noAnswer = mustRefuse({ code: 'BAD_STATUS' })

const rows: readonly Row[] = [
  {
    name: 'an evil wheel as a part (206) that nobody asked for',
    project: 'foo-a1a-part',
    waitS: 20,
    answer: (_, project) => answerAs(206, buildEvil(project, '1.1').bytes),
    judge: noAnswer,
  },
  {
    name: 'an evil wheel as 203, from a cache that changes things',
    project: 'foo-a1a-203',
    waitS: 20,
    answer: (_, project) => answerAs(203, buildEvil(project, '1.1').bytes),
    judge: noAnswer,
  },
  {
    name: 'a redirect to an evil wheel on the same host',
    project: 'foo-a1a-moved',
    turn: ({ trial }, project) =>
      trial.index.on(`/evil/${project}`, serve(buildEvil(project, '1.1').bytes)),
    answer: (_, project) => redirect(`/evil/${project}`),
    judge: otherDigest,
  },
  {
    name: 'the genuine file, packed with gzip',
    project: 'foo-a1a-gzip',
    waitS: 20,
    answer: (honest) => serve(gzipSync(honest), { 'content-encoding': 'gzip' }),
    judge: noAnswer,
  },
  {
    name: 'the genuine file under the name of an evil release (Content-Disposition)',
    project: 'foo-a1a-named',
    answer: (honest, project) =>
      serve(honest, {
        'content-disposition': `attachment; filename="${buildEvil(project, '9.9').filename}"`,
        'content-type': 'application/zip',
      }),
    judge: mustInstall(),
  },
  {
    name: 'an evil wheel without a length, until the connection ends',
    project: 'foo-a1a-untold',
    answer: (_, project) => serveUntilClose(buildEvil(project, '1.1').bytes),
    judge: otherDigest,
  },
  {
    name: 'a second answer, evil, behind the genuine one',
    project: 'foo-a1a-behind',
    answer: (honest, project) => serveTwice(honest, buildEvil(project, '1.1').bytes),
    judge: mustInstall(),
  },
  {
    name: 'an evil wheel once, the genuine one ever after',
    project: 'foo-a1a-once',
    answer: (honest, project) => inOrder(serve(buildEvil(project, '1.1').bytes), serve(honest)),
    judge: otherDigest,
  },
]

/** One pip is enough: the page is honest, and what differs is what the proxy makes of the answer. */
export const fileHostTricks: readonly Attack[] = rows.map((row) => ({
  ...stageOffer({ ...row, row: 'A1a', what: 'file' }),
  pips: 'machine',
}))

function answerAs(code: number, bytes: Uint8Array): Behaviour {
  const { length } = bytes
  const headers = { 'content-length': length, 'content-range': `bytes 0-${length - 1}/${length}` }
  return (_, response) => void response.writeHead(code, headers).end(bytes)
}

/** For whoever asks next on the same connection. */
function serveTwice(first: Uint8Array, second: Uint8Array): Behaviour {
  return (_, { socket }) => {
    const heads = [first, second].map(
      ({ length }) => `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`,
    )
    socket?.write(
      Buffer.concat([Buffer.from(heads[0] ?? ''), first, Buffer.from(heads[1] ?? ''), second]),
    )
  }
}
