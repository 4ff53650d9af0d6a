import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isNotModified, isRangeWanted } from '../../src/proxy/conditional.ts'
import { createOwnHosts } from '../../src/proxy/own-hosts.ts'
import { parseRange } from '../../src/proxy/range.ts'
import { createRequestIds } from '../../src/proxy/request-id.ts'

describe('Range', () => {
  test.each([
    ['bytes=0-9', { start: 0, end: 9 }],
    ['bytes=90-', { start: 90, end: 99 }],
    ['bytes=90-5000', { start: 90, end: 99 }],
    ['bytes=-10', { start: 90, end: 99 }],
    ['bytes=-5000', { start: 0, end: 99 }],
    ['Bytes=5-5', { start: 5, end: 5 }],
    ['bytes=99999999999999999999999-', 'unsatisfiable'],
    ['bytes=100-', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=0-1,5-6', 'whole'],
    ['bytes=5-2', 'whole'],
    ['bytes=-', 'whole'],
    ['bytes=a-b', 'whole'],
    ['bytes=0-1-2', 'whole'],
    ['lines=0-1', 'whole'],
    ['', 'whole'],
    [undefined, 'whole'],
  ] as const)('%s of 100 bytes', (raw, expected) => {
    expect(parseRange(raw, 100)).toEqual(expected)
  })

  test('of an empty file nothing can be had', () => {
    expect(parseRange('bytes=0-', 0)).toBe('unsatisfiable')
    expect(parseRange('bytes=-1', 0)).toBe('unsatisfiable')
  })

  test('never leaves the file', () => {
    const text = fc.oneof(
      fc.string(),
      fc.tuple(fc.nat(), fc.nat()).map(([a, b]) => `bytes=${a}-${b}`),
      fc.bigInt({ min: 0n }).map((a) => `bytes=-${a}`),
    )
    fc.assert(
      fc.property(text, fc.nat(), (raw, size) => {
        const range = parseRange(raw, size)
        if (typeof range === 'string') return
        expect(range.start).toBeGreaterThanOrEqual(0)
        expect(range.end).toBeGreaterThanOrEqual(range.start)
        expect(range.end).toBeLessThan(size)
      }),
    )
  })
})

describe('conditions', () => {
  test.each([
    ['"abc"', true],
    ['W/"abc"', true],
    ['"x", "abc"', true],
    ['*', true],
    ['"abcd"', false],
    ['abc', false],
    ['', false],
    [undefined, false],
  ])('If-None-Match %s', (raw, expected) => {
    expect(isNotModified(raw, '"abc"')).toBe(expected)
  })

  test.each([
    [undefined, true],
    ['"abc"', true],
    ['W/"abc"', false],
    ['"other"', false],
    ['Fri, 20 Nov 2026 12:00:00 GMT', false],
  ])('If-Range %s', (raw, expected) => {
    expect(isRangeWanted(raw, '"abc"')).toBe(expected)
  })
})

describe('own hosts', () => {
  const isOwn = createOwnHosts(['Tufgate.internal', 'build:8080'])

  test.each([
    ['localhost', true],
    ['LOCALHOST:9999', true],
    ['127.0.0.1:3141', true],
    ['[::1]:3141', true],
    ['tufgate.internal', true],
    ['tufgate.internal:80', true],
    ['build:8080', true],
    ['build', false],
    ['build:8081', false],
    ['10.0.0.5:3141', true],
    ['10.0.0.6:3141', false],
    ['evil.test', false],
    ['localhost.evil.test', false],
    ['evil.test:3141', false],
    ['user@localhost', false],
    ['localhost:', false],
    ['localhost:123456', false],
    ['localhost/', false],
    ['localhost,evil.test', false],
    ['', false],
    ['constructor', false],
  ])('%s', (authority, expected) => {
    expect(isOwn(authority, '::ffff:10.0.0.5')).toBe(expected)
  })

  test('an IPv6 address of the connection is ours', () => {
    expect(isOwn('[fd00::5]:3141', 'fd00::5')).toBe(true)
    expect(isOwn('[fd00::6]:3141', 'fd00::5')).toBe(false)
  })
})

test('request ids are short, printable and not given twice', () => {
  const next = createRequestIds()
  const ids = Array.from({ length: 50_000 }, next)
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids.every((id) => /^r-[a-z2-7]{8}$/.test(id))).toBe(true)
})
