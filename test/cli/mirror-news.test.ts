import { beforeEach, describe, expect, test } from 'vitest'
import { UpstreamError, VerifyError, type TufgateError } from '../../src/base/errors.ts'
import { MirrorNews } from '../../src/cli/serve/mirror-news.ts'
import { RefusalNotes } from '../../src/cli/serve/refusal-notes.ts'
import type { PageDecision } from '../../src/policy/decide.ts'
import type { RecordFile } from '../../src/simple/record.ts'

const source = 'http://127.0.0.1:8700/'
const trust = { root: 1 }
const down = new UpstreamError(
  'UNREACHABLE',
  `${source}metadata/2.root.json: could not connect (connect ECONNREFUSED)`,
  { next: 'Look at the network.' },
)

let now = 0
let lines: string[] = []
let news: MirrorNews
let notes: RefusalNotes
beforeEach(() => {
  now = Date.parse('2026-03-01T12:00:00Z')
  lines = []
  const log = (level: string, message: string): void => void lines.push(`${level} ${message}`)
  news = new MirrorNews('pypi', log, () => now)
  notes = new RefusalNotes(log, () => now)
})

function fail(error: TufgateError = down, at: 'refresh' | 'fetch' = 'refresh'): void {
  news.tell({ kind: 'failed', at, failure: { source, error }, isServing: true, trust })
}

describe('a mirror that is down', () => {
  test('is told once with its place once, then at most once a minute, and when it is back', () => {
    for (let second = 0; second <= 120; second += 10) {
      fail(down, second % 20 === 0 ? 'refresh' : 'fetch')
      now += 10_000
    }
    news.tell({ kind: 'refreshed', source, trust })
    expect(lines).toEqual([
      `warning pypi: mirror ${source}metadata/2.root.json: could not connect (connect ECONNREFUSED)\n  Look at the network.`,
      `warning pypi: mirror ${source}: still so (7 times in 1 min)`,
      `warning pypi: mirror ${source}: still so (13 times in 2 min)`,
      `debug pypi: checked ${source}: root 1`,
      `info pypi: mirror ${source}: reachable again after 2 min`,
    ])
  })

  test('and then lies is told as the new thing that it is', () => {
    fail()
    fail(new VerifyError('VERSION_ROLLBACK', 'timestamp went back', { role: 'timestamp' }))
    now += 1000
    news.tell({ kind: 'refreshed', source, trust })
    expect(lines.slice(1)).toEqual([
      `warning pypi: mirror ${source}: timestamp went back`,
      `debug pypi: checked ${source}: root 1`,
      `info pypi: mirror ${source}: in order again after 1 s`,
    ])
  })

  test('is told anew where it came back in between', () => {
    fail()
    news.tell({ kind: 'refreshed', source, trust })
    fail()
    expect(lines.filter((line) => line.includes('could not connect'))).toHaveLength(2)
  })
})

describe('A3: a list that is nearly over, and no newer one', () => {
  const hourMs = 3_600_000

  test('is told once an hour, with what comes of it', () => {
    for (let left = 5 * hourMs; left > 3 * hourMs; left -= 60_000) {
      news.tell({ kind: 'refreshed', source, trust, leftMs: left })
      now += 60_000
    }
    const warnings = lines.filter((line) => line.startsWith('warning'))
    expect(warnings).toEqual([
      `warning pypi: mirror ${source}: it has nothing newer, and the list expires in 5 h\nThen everything is refused. Ask whoever runs the mirror whether it is renewed.`,
      `warning pypi: mirror ${source}: it has nothing newer, and the list expires in 4 h\nThen everything is refused. Ask whoever runs the mirror whether it is renewed.`,
    ])
  })

  test('is not told of one that is renewed in time', () => {
    news.tell({ kind: 'refreshed', source, trust })
    expect(lines).toEqual([`debug pypi: checked ${source}: root 1`])
  })
})

describe('a project that is not signed', () => {
  test('is told once a minute with the way out, and that of pip itself only for debugging', () => {
    notes.noteAbsent('blinker', 'signed')
    notes.noteAbsent('blinker', 'signed')
    notes.noteAbsent('pip', 'signed')
    now += 60_000
    notes.noteAbsent('blinker', 'signed')
    const line =
      'info blinker is not in the signed list. On the mirror: tufgate mirror sync FOLDER --project blinker'
    expect(lines).toEqual([line, expect.stringMatching(/^debug pip is not/), line])
  })

  test('is not told of any more where a client makes up names', () => {
    for (let at = 0; at < 5000; at += 1) notes.noteAbsent(`made-up-${at}`, 'signed')
    expect(lines).toHaveLength(256)
  })
})

describe('a refusal', () => {
  const refused = {
    kind: 'refused',
    id: 'r-w2t4pa5q',
    project: 'six',
    file: 'six-1.17.0-py2.py3-none-any.whl',
    code: 'DIGEST_MISMATCH',
    message: 'sha256 is not the signed one',
  } as const

  test('of a file is told once a minute, with the id by which the log knows it', () => {
    notes.noteRefusal(refused)
    notes.noteRefusal({ ...refused, id: 'r-aaaaaaaa' })
    now += 60_000
    notes.noteRefusal(refused)
    const line =
      'warning refused six-1.17.0-py2.py3-none-any.whl: sha256 is not the signed one (r-w2t4pa5q)'
    expect(lines).toEqual([line, line])
  })

  test('that a client brought about, or the disk, or the network, is not told', () => {
    for (const code of ['NOT_FOUND', 'BAD_REQUEST', 'RANGE_NOT_SATISFIABLE', 'AUDIT_FAILED'])
      notes.noteRefusal({ ...refused, code })
    for (const code of ['UNREACHABLE', 'BUG']) notes.noteRefusal({ ...refused, code })
    expect(lines).toEqual([])
  })

  test('for which the list is to blame is told once a minute for all projects, with the way out', () => {
    const expired = { ...refused, code: 'EXPIRED', message: 'timestamp version 2 expired 1 h ago' }
    notes.noteRefusal({ ...expired, next: 'Check that the mirror is reachable and renewed.' })
    notes.noteRefusal({ ...expired, project: 'blinker' })
    notes.noteRefusal({ ...expired, code: 'CLOCK_WRONG', message: 'the clock is wrong' })
    expect(lines).toEqual([
      'warning refused six: timestamp version 2 expired 1 h ago (r-w2t4pa5q)\n  Check that the mirror is reachable and renewed.',
      'warning refused six: the clock is wrong (r-w2t4pa5q)',
    ])
  })

  test('is told although a client makes up names, and cannot fill standard error', () => {
    for (let at = 0; at < 5000; at += 1) notes.noteAbsent(`made-up-${at}`, 'signed')
    for (let at = 0; at < 5000; at += 1) notes.noteRefusal({ ...refused, file: `six-${at}.tar.gz` })
    expect(lines.filter((line) => line.startsWith('warning refused'))).toHaveLength(256)
  })

  test('cannot turn the text of a line around', () => {
    notes.noteRefusal({ ...refused, file: '\u202ewhl.exe' })
    expect(lines.join()).not.toContain('\u202e')
  })
})

const hide = (code: 'NOT_PINNED' | 'TOO_YOUNG', ...files: readonly string[]): PageDecision => ({
  rulings: new Map(
    files.map((filename) => [
      { filename } as RecordFile,
      { kind: 'hide', code, reason: 'so it is' } as const,
    ]),
  ),
  outcome: 'x',
  isWhollyHidden: true,
})

describe('a project of which policy leaves nothing', () => {
  test('by pins is told once a minute, with what to do', () => {
    notes.noteWhollyHidden('attrs', hide('NOT_PINNED', 'a.whl', 'b.whl'), 'pins.txt')
    notes.noteWhollyHidden('attrs', hide('NOT_PINNED', 'a.whl', 'b.whl'), 'pins.txt')
    expect(lines).toEqual([
      'warning attrs: none of its 2 files is in pins.txt; add them with tufgate pins export, or take --pins away',
    ])
  })

  test('by the minimum age is told with the time when that ends', () => {
    const until = Date.parse('2026-03-03T00:00:00Z')
    notes.noteWhollyHidden('attrs', { ...hide('TOO_YOUNG', 'a.whl'), until })
    expect(lines).toEqual([
      'warning attrs: its 1 file is younger than min-age allows, until 2026-03-03T00:00:00Z; except = ["attrs"] under [policy] takes the project out of it',
    ])
  })
})

test('a host that the settings do not name is told with the line to add, other failures are not', () => {
  notes.noteFailedDownload('foo', down)
  notes.noteFailedDownload('foo', new UpstreamError('HOST_REFUSED', 'no', { next: 'add this' }))
  expect(lines).toEqual(['warning foo: no\n  add this'])
})

test('says once a minute that a client does not trust the local authority, and what to do', () => {
  const refusal = {
    kind: 'refused',
    code: 'FORWARD_REFUSED',
    message: 'the client does not trust the local authority, which vouched for pypi.org',
    next: 'give the client its certificate: tufgate ca export',
  } as const
  for (let at = 0; at < 300; at += 1) {
    notes.noteRefusal({ ...refusal, message: `no tunnel to host-${at}.test`, id: 'r-bbbbbbbb' })
  }
  lines.length = 0
  now += 60_000

  notes.noteRefusal({ ...refusal, id: 'r-aaaaaaaa' })
  notes.noteRefusal({ ...refusal, id: 'r-cccccccc' })

  expect(lines).toEqual([
    'warning refused: the client does not trust the local authority, which vouched for pypi.org (r-aaaaaaaa)\n  give the client its certificate: tufgate ca export',
  ])
})
