/** A5: more than anybody can take, from the file host or as a page: without an end, or unpacked. */

import { gzipSync } from 'node:zlib'
import { jsonType, renderJsonPage } from '../../../test/e2e/trial.ts'
import {
  endless,
  endlessHeaders,
  endlessInterim,
  redirect,
  serve,
  type Behaviour,
} from '../../../test/support/hostile-server.ts'
import type { Attack } from '../attack.ts'
import { buildReleases } from '../index-attack.ts'
import { mustInstall, mustRefuse } from '../judge.ts'
import { stageOffer, type Offer } from '../offer.ts'

/** Nothing has no end on this machine. */
const offeredBytes = 300_000_000
const htmlType = { 'content-type': 'text/html' }

type Row = Pick<
  Offer,
  'name' | 'project' | 'pips' | 'answer' | 'judge' | 'isCore' | 'waitS' | 'isMemoryTold' | 'more'
>

const tooLong = mustRefuse({
  code: 'LENGTH_MISMATCH',
  line: /Refused by tufgate: the length of \S+ is not the signed one/,
})

const files: readonly Row[] = [
  {
    name: 'a file without end',
    project: 'foo-a5-file',
    isCore: true,
    isMemoryTold: true,
    answer: (honest) => endless(honest, offeredBytes, {}),
    judge: tooLong,
  },
  {
    name: 'a file without end, where the index never told a size',
    project: 'foo-a5-unsized',
    pips: 'machine',
    more: ({ trial }) => trial.serveHtmlPage('foo-a5-unsized', buildReleases('foo-a5-unsized')),
    answer: (honest) => endless(honest, offeredBytes, {}),
    judge: mustRefuse({ code: 'TOO_LARGE', line: /is longer than 1000000 bytes/ }),
  },
  {
    name: 'a file that announces 300 MB',
    project: 'foo-a5-announced',
    pips: 'machine',
    answer: (honest) => endless(honest, offeredBytes),
    judge: tooLong,
  },
  {
    name: 'a file that is one byte longer than the signed one',
    project: 'foo-a5-byte',
    pips: 'machine',
    answer: (honest) => serve(Buffer.concat([honest, Buffer.from('a')])),
    judge: tooLong,
  },
  {
    name: 'a file behind headers without end',
    project: 'foo-a5-headers',
    pips: 'machine',
    waitS: 30,
    answer: () => endlessHeaders(),
    judge: mustRefuse({ code: 'BAD_STATUS' }),
  },
  {
    name: 'a file behind interim answers (100) without end',
    project: 'foo-a5-interim-100',
    waitS: 40,
    answer: () => endlessInterim(100, 50),
    judge: mustRefuse({ code: 'BROKEN_OFF' }),
  },
  {
    name: 'a file behind interim answers (103) without end',
    project: 'foo-a5-interim-103',
    pips: 'machine',
    waitS: 40,
    answer: () => endlessInterim(103, 50),
    judge: mustRefuse({ code: 'BROKEN_OFF' }),
  },
  {
    name: 'a file that unpacks to 256 MB',
    project: 'foo-a5-gzip',
    pips: 'machine',
    waitS: 20,
    isMemoryTold: true,
    answer: (honest) => serve(pack(honest), { 'content-encoding': 'gzip' }),
    judge: mustRefuse({ code: 'BAD_STATUS' }),
  },
  {
    name: 'a file behind redirects without end',
    waitS: 20,
    project: 'foo-a5-redirect',
    pips: 'machine',
    answer: () => (_, response, earlier) => redirect(`?again=${earlier}`)(_, response, earlier),
    judge: mustRefuse({ code: 'BAD_STATUS', line: /redirects more than 5 times/ }),
  },
]

const pages: readonly Omit<Row, 'judge'>[] = [
  {
    name: 'a page without end',
    project: 'foo-a5-page',
    waitS: 20,
    isMemoryTold: true,
    answer: () => flow(4_000_000),
  },
  {
    name: 'a page that unpacks to 256 MB',
    project: 'foo-a5-page-gzip',
    isMemoryTold: true,
    answer: (_, project) => servePadded(project),
  },
  {
    name: 'a page behind headers without end',
    project: 'foo-a5-page-headers',
    pips: 'machine',
    waitS: 20,
    answer: () => endlessHeaders(),
  },
  {
    name: 'a page behind interim answers (100) without end',
    project: 'foo-a5-page-interim',
    pips: 'machine',
    waitS: 20,
    answer: () => endlessInterim(100, 50),
  },
]

export const endlessData: readonly Attack[] = [
  ...files.map((row) => stageOffer({ ...row, row: 'A5', what: 'file' })),
  ...pages.map((row) => stageOffer({ ...row, row: 'A5', what: 'page', judge: mustInstall() })),
]

/** HTML without end, at a speed that keeps no processor busy. */
function flow(bytesPerSecond: number): Behaviour {
  return (_request, response) => {
    const block = Buffer.alloc(bytesPerSecond / 10, 'a')
    response.writeHead(200, htmlType)
    const timer = setInterval(() => response.write(block), 100)
    response.on('close', () => clearInterval(timer))
  }
}

/** An honest page, and spaces behind it, which JSON allows. */
function servePadded(project: string): Behaviour {
  const page = JSON.stringify(renderJsonPage(project, buildReleases(project)))
  return serve(pack(Buffer.from(page)), { 'content-encoding': 'gzip', ...jsonType })
}

/** `start`, and 256 MB of spaces: what is packed one after the other is one to a reader (RFC 1952 2.2). */
function pack(start: Uint8Array): Buffer {
  const block = gzipSync(Buffer.alloc(1_000_000, ' '), { level: 9 })
  return Buffer.concat([gzipSync(start), ...Array.from({ length: 256 }, () => block)])
}
