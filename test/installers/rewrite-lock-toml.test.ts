import * as fc from 'fast-check'
import { stringify } from 'smol-toml'
import { describe, expect, test } from 'vitest'
import { scanTomlStrings } from '../../src/installers/rewrite-lock-toml.ts'

function scan(text: string): { key: string; outerKey: string; table: string; text: string }[] {
  return Array.from(scanTomlStrings(text), ({ start, end, key, outerKey, table }) => ({
    key,
    outerKey,
    table,
    text: text.slice(start, end),
  }))
}

describe('the strings of a TOML file', () => {
  test('are told with their keys, however deep', () => {
    const text = [
      'a = "1" # "no"',
      '[t]',
      "b.c = '2'",
      'd = [ "3", { e = "4", f = ["5"] }, "6" ]',
      '"q u" = { x = 1, y = "7" }',
      '[[l."m n"]]',
      'z = """',
      'no = "no"',
      '"""',
      'g = "8\\"#"',
      'h = 1979-05-27T07:32:00Z',
      'i = "9"',
    ].join('\n')
    expect(scan(text)).toEqual([
      { key: 'a', outerKey: 'a', table: '', text: '1' },
      { key: 'b.c', outerKey: 'b.c', table: 't', text: '2' },
      { key: 'd', outerKey: 'd', table: 't', text: '3' },
      { key: 'e', outerKey: 'd', table: 't', text: '4' },
      { key: 'f', outerKey: 'd', table: 't', text: '5' },
      { key: 'd', outerKey: 'd', table: 't', text: '6' },
      { key: 'y', outerKey: 'q u', table: 't', text: '7' },
      { key: 'g', outerKey: 'g', table: 'l.m n', text: String.raw`8\"#` },
      { key: 'i', outerKey: 'i', table: 'l.m n', text: '9' },
    ])
  })

  test('are all that the parser finds, and no others', () => {
    const key = fc.stringMatching(/^[a-z]{1,4}$/)
    const leaf = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.array(fc.string(), { maxLength: 3 }),
    )
    const { value } = fc.letrec<{ value: unknown; table: Record<string, unknown> }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        leaf,
        tie('table'),
        fc.array(tie('table'), { maxLength: 2 }),
      ),
      table: fc.dictionary(key, tie('value'), { maxKeys: 4 }),
    }))
    fc.assert(
      fc.property(fc.dictionary(key, value, { maxKeys: 4 }), (document) => {
        const found = scan(stringify(document)).map(({ text }) => JSON.parse(`"${text}"`) as string)
        expect(found.toSorted(compare)).toEqual(listStrings(document).toSorted(compare))
      }),
    )
  })

  test('are found in a text that goes on for long, in time that grows with it', () => {
    const line = '{ url = "https://x.example/a", hash = "sha256:00" },\n'
    expect(scan(`wheels = [\n${line.repeat(50_000)}]\n`)).toHaveLength(100_000)
  })
})

function compare(left: string, right: string): number {
  if (left === right) return 0
  return left < right ? -1 : 1
}

function listStrings(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null
    ? Object.values(value).flatMap(listStrings)
    : []
}
