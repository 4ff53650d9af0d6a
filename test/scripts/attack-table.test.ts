/** SECURITY.md names every attack, and for each one the tests that hold it: they have to be there. */

import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { allAttacks } from '../../scripts/attacks/all-attacks.ts'

interface Line {
  readonly row: string
  readonly attack: string
  /** Part of the title of a test, and the file that it stands in. */
  readonly tests: readonly { readonly title: string; readonly file: string }[]
}

/** The attacks that the design names; whatever else the laboratory has comes on top. */
const named = [
  'A1a',
  'A1b',
  'A1c',
  ...Array.from({ length: 13 }, (_, at) => `A${at + 2}`),
  ...Array.from({ length: 8 }, (_, at) => `A${at + 16}`),
]

const lines = readTable()

function readTable(): Line[] {
  const text = readFileSync('SECURITY.md', 'utf8')
  const [, table = ''] = /<!-- attacks: begin -->\n([^]*?)<!-- attacks: end -->/.exec(text) ?? []
  return table
    .split('\n')
    .filter((line) => /^\| [A-Z]\d/.test(line))
    .map((line) => {
      const [, row = '', attack = '', , , heldBy = ''] = line.split(/(?<!\\)\|/)
      const links = heldBy.matchAll(/\[([^\]]+)\]\(([^)]+)\)/g)
      const tests = Array.from(links, ([, title = '', file = '']) => ({ title, file }))
      return { row: row.trim(), attack: attack.trim(), tests }
    })
}

test('each attack has one row', () => {
  const rows = lines.map(({ row }) => row)
  expect(rows).toEqual([...new Set(rows)])
  expect(named.filter((row) => !rows.includes(row))).toEqual([])
})

test('each row of the laboratory is in the table, and each row of the table in the laboratory', () => {
  const rows = new Set(allAttacks.map(({ row }) => row))
  expect([...rows].toSorted()).toEqual(lines.map(({ row }) => row).toSorted())
})

test('each named attack has a part in the quick run, which every change goes through', () => {
  const quick = new Set(allAttacks.filter(({ isCore }) => isCore).map(({ row }) => row))
  expect(named.filter((row) => !quick.has(row))).toEqual([])
})

test('each limit that the laboratory shows is owned up to under "What stays open", by the name of its row', () => {
  const [, open = ''] =
    /^# What stays open\n([^]*)/m.exec(readFileSync('SECURITY.md', 'utf8')) ?? []
  const limited = new Set(
    allAttacks.filter(({ limit }) => limit !== undefined).map(({ row }) => row),
  )
  expect([...limited].filter((row) => !new RegExp(`\\b${row}\\b`).test(open))).toEqual([])
})

describe.each(lines)('$row: $attack', ({ tests }) => {
  test('is held by tests, and they are there', () => {
    expect(tests.length).toBeGreaterThan(0)
    for (const { title, file } of tests) {
      expect(file).toMatch(/^test\/.*\.ts$/)
      expect({ file, isThere: existsSync(file) }).toEqual({ file, isThere: true })
      expect({ file, title, isIn: readFileSync(file, 'utf8').includes(title) }).toEqual({
        file,
        title,
        isIn: true,
      })
    }
  })
})
