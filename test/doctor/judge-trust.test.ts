import { describe, expect, test } from 'vitest'
import { countFindings, groupFindings, isClean, type Finding } from '../../src/doctor/finding.ts'
import { judgeProxies, type ProxyAnswer } from '../../src/doctor/judge-proxy.ts'
import {
  judgeAudit,
  judgeAuthority,
  judgeCache,
  judgeDisk,
  judgeFile,
  judgePythons,
  type FileFacts,
} from '../../src/doctor/judge-state.ts'
import { judgeClock, judgeTrust, type TrustFacts } from '../../src/doctor/judge-trust.ts'

const now = Date.parse('2026-06-01T00:00:00Z')
const hour = 3_600_000
const day = 24 * hour

const index: TrustFacts = {
  name: 'pypi',
  url: 'https://pypi.org/simple/',
  mirrors: [],
  expiries: [],
}

function judgeRole(role: string, leftMs: number, livedMs?: number): string[] {
  const expires = now + leftMs
  const signed = livedMs === undefined ? {} : { signedAt: now - livedMs }
  const found = judgeTrust({ ...index, expiries: [{ role, expires, ...signed }] }, now)
  return found.map(({ severity, code }) => `${severity} ${code}`)
}

describe('a signed list', () => {
  test.each([
    ['root', 40 * day, []],
    ['root', 29 * day, ['warning expires-soon']],
    ['root', -1, ['problem expired']],
    ['targets', 15 * day, []],
    ['targets', 13 * day, ['warning expires-soon']],
    ['bins', 13 * day, ['warning expires-soon']],
    ['snapshot', 2 * day, []],
    ['snapshot', 20 * hour, ['warning expires-soon']],
    ['deny', 20 * hour, ['warning expires-soon']],
  ])('that is %s is told when %i ms are left', (role, leftMs, expected) => {
    expect(judgeRole(role, leftMs)).toEqual(expected)
  })

  test('that is signed every day is late in the last quarter of its life', () => {
    expect(judgeRole('timestamp', 12 * hour, 12 * hour)).toEqual([])
    expect(judgeRole('timestamp', 5 * hour, 19 * hour)).toEqual(['warning expires-soon'])
    expect(judgeRole('timestamp', 20 * 60_000, 40 * 60_000)).toEqual([])
  })

  test('is spoken of in words for those who do not know its parts', () => {
    const [found] = judgeTrust(
      { ...index, expiries: [{ role: 'root', expires: now + 3 * day }] },
      now,
    )
    expect(found).toMatchObject({
      place: 'indexes and mirrors',
      what: 'pypi: the root, which says whose signatures count, expires in 3 d (2026-06-04T00:00:00Z)',
      why: 'What has expired is refused: no page can be read then, and nothing installed.',
    })
  })

  test('that cannot be had is a problem, and so is one that is refused', () => {
    const failed = (code: string): Finding[] =>
      judgeTrust({ ...index, refreshFailure: { code, message: 'm', next: 'n' } }, now)
    expect(failed('UNREACHABLE')).toMatchObject([
      { severity: 'problem', code: 'mirror-unreachable', what: 'pypi: m', mend: 'n' },
    ])
    expect(failed('VERSION_ROLLBACK')).toMatchObject([{ code: 'mirror-refused' }])
    const broken = { code: 'CONFIG_INVALID', message: 'the pinned root /r is not there' }
    expect(judgeTrust({ ...index, broken }, now)).toMatchObject([{ code: 'trust-unreadable' }])
    const indexFailure = { code: 'TIMED_OUT', message: 'm' }
    expect(judgeTrust({ ...index, indexFailure }, now)).toMatchObject([
      { code: 'index-unreachable' },
    ])
  })
})

describe('the clock', () => {
  test('is wrong when it differs from a witness by more than 5 minutes', () => {
    expect(judgeClock([{ source: 'pypi.org', errorMs: 4 * 60_000 }])).toEqual([])
    expect(judgeClock([{ source: 'pypi.org', errorMs: -2 * hour }])).toMatchObject([
      { severity: 'problem', code: 'clock-wrong', what: 'this machine is 2 h behind pypi.org' },
    ])
    expect(judgeClock([{ source: 'm', errorMs: 2 * day }])[0]?.what).toBe(
      'this machine is 2 d ahead of m',
    )
  })
})

const judgeAnswers = (...answers: ProxyAnswer[]): string[] =>
  judgeProxies({
    probed: answers.map((answer, at) => ({ origin: `http://127.0.0.1:${at + 1}`, answer })),
    version: '1.0',
    configFlag: ' --config t.toml',
  }).map(({ severity, code }) => `${severity} ${code}`)

describe('the proxy', () => {
  test('runs on one of its addresses, or does not', () => {
    expect(judgeAnswers({ kind: 'silent' }, { kind: 'ready', version: '1.0' })).toEqual([])
    expect(judgeAnswers({ kind: 'silent' }, { kind: 'silent' })).toEqual([
      'problem proxy-not-running',
    ])
  })

  test('does not have its port, has nothing to hand out, or is of another version', () => {
    expect(judgeAnswers({ kind: 'foreign', detail: 'x' })).toEqual(['problem port-taken'])
    expect(judgeAnswers({ kind: 'not-ready', problems: ['no list'], version: '1.0' })).toEqual([
      'problem proxy-not-ready',
    ])
    expect(judgeAnswers({ kind: 'ready', version: '0.9' })).toEqual(['note other-version'])
  })
})

const judgeFacts = (facts: Partial<FileFacts>): string[] =>
  judgeFile({
    path: '/s/x',
    use: 'state',
    isFolder: true,
    mode: 0o40700,
    isOwn: true,
    ...facts,
  }).map(({ code, mend }) => `${code}: ${mend}`)

describe('files of tufgate', () => {
  test('are for their owner', () => {
    expect(judgeFacts({})).toEqual([])
    expect(judgeFacts({ mode: 0o40755 })).toEqual([])
    expect(judgeFacts({ use: 'key', isFolder: false, mode: 0o100600 })).toEqual([])
  })

  test('are a problem where others can write them, or read a secret', () => {
    expect(judgeFacts({ mode: 0o40770 })).toEqual(['writable-by-others: chmod 700 /s/x'])
    expect(judgeFacts({ use: 'key', isFolder: false, mode: 0o100640 })).toEqual([
      'readable-by-others: chmod 600 /s/x, and replace what it holds: others may have read it',
    ])
    expect(judgeFacts({ isOwn: false })).toEqual(['other-owner: chown -R "$(id -u)" /s/x'])
  })
})

describe('the machine', () => {
  test('has room on its disk, or too little', () => {
    expect(judgeDisk({ path: '/s', freeBytes: 5e9 })).toEqual([])
    expect(judgeDisk({ path: '/s', freeBytes: 5e8 })).toMatchObject([{ severity: 'warning' }])
    expect(judgeDisk({ path: '/s', freeBytes: 5e7 })).toMatchObject([
      { severity: 'problem', what: '47 MiB are free where /s lies' },
    ])
  })

  test('has a whole audit log that can be written', () => {
    expect(judgeAudit({ folder: '/a', problems: [], isWritable: true })).toEqual([])
    expect(judgeAudit({ folder: '/a', problems: ['torn'], isWritable: false })).toMatchObject([
      { code: 'audit-broken', mend: 'tufgate audit verify --log /a' },
      { code: 'audit-not-writable', severity: 'problem' },
    ])
  })

  test('has an authority for interception that lasts', () => {
    expect(judgeAuthority({ path: '/c', expires: now + 30 * day }, now)).toEqual([])
    expect(judgeAuthority({ path: '/c', expires: now + day }, now)).toMatchObject([
      { code: 'authority-expires-soon', severity: 'warning' },
    ])
    expect(judgeAuthority({ path: '/c', expires: now }, now)).toMatchObject([
      { code: 'authority-expired' },
    ])
  })

  test('has caches from before, which matter where an installer looks into them', () => {
    const cache = { installer: 'pip', path: '/c', clear: 'pip cache purge' } as const
    expect(judgeCache({ ...cache, use: 'now' })).toMatchObject({
      severity: 'warning',
      mend: 'pip cache purge',
    })
    expect(judgeCache({ ...cache, use: 'elsewhere' })).toMatchObject({ severity: 'note' })
  })

  test('may have several Pythons', () => {
    const python = { path: '/usr/bin/python3', prefix: '/usr' }
    expect(judgePythons({ pythons: [python] })).toEqual([])
    expect(judgePythons({ pythons: [python, { path: '/v', prefix: '/v' }] })).toMatchObject([
      { severity: 'note', code: 'several-pythons' },
    ])
  })
})

const buildFinding = (severity: Finding['severity'], place: string, line?: number): Finding => ({
  severity,
  code: 'c',
  place,
  what: 'w',
  why: 'y',
  ...(line !== undefined && { line }),
})

describe('findings', () => {
  test('are grouped by place, the worst first', () => {
    const groups = groupFindings([
      buildFinding('note', 'a'),
      buildFinding('warning', 'b', 9),
      buildFinding('problem', 'c', 5),
      buildFinding('warning', 'b', 2),
      buildFinding('problem', 'c', 1),
      buildFinding('note', 'c'),
    ])
    expect(groups.map(({ place, findings }) => [place, findings.map(({ line }) => line)])).toEqual([
      ['c', [1, 5, undefined]],
      ['b', [2, 9]],
      ['a', [undefined]],
    ])
  })

  test('are clean where there are notes alone', () => {
    expect(isClean(countFindings([buildFinding('note', 'a')]))).toBe(true)
    expect(isClean(countFindings([buildFinding('warning', 'a')]))).toBe(false)
  })
})
