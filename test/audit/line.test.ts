import { assert, property, string } from 'fast-check'
import { expect, test } from 'vitest'
import { parseEntry } from '../../src/audit/entry.ts'
import { maxLineBytes, noLineBefore, renderBody, renderLine } from '../../src/audit/line.ts'
import {
  buildChainId,
  buildPartName,
  parsePartName,
  readChainStart,
} from '../../src/audit/part-name.ts'

const position = { seq: 1, time: '2026-01-02T03:04:05.000Z', prev: noLineBefore }

test('any text comes back from a line that is printable and one line', () => {
  assert(
    property(string({ unit: 'binary', maxLength: 200 }), (text) => {
      const line = renderLine(position, renderBody({ kind: 'refused', file: text, message: text }))
      expect(line).not.toMatch(/[\p{Cc}\u202a-\u202e\u2028\u2029]/u)
      const entry = parseEntry(Buffer.from(line), 'c')
      // Credentials of addresses are taken out; nothing else is.
      if (!text.includes('@')) expect(entry).toMatchObject({ file: text, message: text })
    }),
  )
})

test('no line is longer than a reader reads, whatever stands in it', () => {
  const long = '\u202e'.repeat(100_000)
  const event = {
    kind: 'refused',
    id: long,
    client: long,
    request: long,
    project: long,
    file: long,
    expected: long,
    found: long,
    code: long,
    message: long,
    trust: { root: 1, role: long, record: long },
  } as const
  const removed = Array.from(
    { length: 100 },
    (_, at) => buildPartName(`20260102T030405000Z_${'1'.repeat(80)}_00112233`, at).file,
  )
  for (const extras of [{}, { removed: removed.slice(0, 50) }]) {
    expect(Buffer.byteLength(renderLine(position, renderBody(event, extras)))).toBeLessThan(
      maxLineBytes,
    )
  }
  const body = renderBody({ kind: 'warning', message: 'the disk budget' }, { removed })
  expect(Buffer.byteLength(renderLine(position, body))).toBeLessThan(maxLineBytes)
})

test('file names of the log are read as they were built, and no other name is', () => {
  const time = Date.UTC(2026, 0, 2, 3, 4, 5, 678)
  const chain = buildChainId(time, '12.34.n1b2')
  const name = buildPartName(chain, 7)
  expect(name.file).toMatch(/^20260102T030405678Z_12\.34\.n1b2_[0-9a-f]{8}\.000007\.jsonl$/)
  expect(parsePartName(name.file)).toEqual({ ...name, owner: '12.34.n1b2' })
  expect(readChainStart(chain)).toBe(time)
  for (const file of [
    'x.jsonl',
    `${name.file}.gz`,
    `../${name.file}`,
    name.file.replace('000007', '0000007'),
  ]) {
    expect(parsePartName(file)).toBeUndefined()
  }
})
