import * as fc from 'fast-check'
import { parse, stringify } from 'smol-toml'
import { describe, expect, test } from 'vitest'
import { locateToml, type TomlPath } from '../../src/installers/toml-lines.ts'
import { parseTomlFile } from '../../src/installers/toml-node.ts'

function lineOf(text: string, ...path: TomlPath): number {
  parse(text)
  return locateToml(text)(path)
}

describe('the lines of a TOML text', () => {
  test('are those of keys, below headers, with comments between them', () => {
    const text = '# one\n[tool.uv]\n\n# [tool.uv]\nindex-url = "x" # index-url\n'
    expect(lineOf(text, 'tool', 'uv')).toBe(2)
    expect(lineOf(text, 'tool', 'uv', 'index-url')).toBe(5)
  })

  test('are those of the elements of a list, however it is written', () => {
    const text = 'a = ["x", "y"]\nb = [\n  "p", # "q"\n  # "r",\n  [1, 2],\n  "s",\n]\n'
    expect(lineOf(text, 'a', 1)).toBe(1)
    expect(lineOf(text, 'b', 0)).toBe(3)
    expect(lineOf(text, 'b', 1, 1)).toBe(5)
    expect(lineOf(text, 'b', 2)).toBe(6)
  })

  test('are those of inline tables, and of each of several tables of one name', () => {
    const text = [
      '[[tool.poetry.source]]',
      'name = "a"',
      'url = "http://a/"',
      '[[tool.poetry.source]]',
      'name = "b"',
      'url = "http://b/"',
      '[tool.poetry.source.more]',
      'x = { y = { z = 1 }, w = [ { v = 2 } ] }',
    ].join('\n')
    expect(lineOf(text, 'tool', 'poetry', 'source', 0, 'url')).toBe(3)
    expect(lineOf(text, 'tool', 'poetry', 'source', 1, 'url')).toBe(6)
    expect(lineOf(text, 'tool', 'poetry', 'source', 1, 'more', 'x', 'w', 0, 'v')).toBe(8)
  })

  test.each([
    ['"""', 'a = """\n[[b]]\nurl = "x"\n\\"""" \nc = 1'],
    ["'''", "a = '''\n[b]\nurl = \"x\"\n''''\nc = 1"],
  ])('are not led astray by what stands in texts of several lines: %s', (_, text) => {
    expect(lineOf(text, 'c')).toBe(text.split('\n').length)
    expect(lineOf(text, 'url')).toBe(0)
  })

  test('are found for quoted and dotted keys', () => {
    const text = 'a."b.c".\'d e\' = 1\n["x y".z]\n"\\u0071" = [ "]", \'[\', "#" ]\nr = 2\n'
    expect(lineOf(text, 'a', 'b.c', 'd e')).toBe(1)
    expect(lineOf(text, 'x y', 'z', 'q', 2)).toBe(3)
    expect(lineOf(text, 'x y', 'z', 'r')).toBe(4)
  })

  test('are those of Windows files too, and of one that begins with a mark', () => {
    expect(lineOf('a = 1\r\n\r\nb = [\r\n1,\r\n2]\r\n', 'b', 1)).toBe(5)
  })

  test('are known of every value of any document', () => {
    const key = fc.string({ minLength: 1, maxLength: 6, unit: 'grapheme-ascii' })
    const { tree } = fc.letrec((tie) => ({
      tree: fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
      value: fc.oneof(
        { maxDepth: 3 },
        fc.string({ unit: 'grapheme-ascii' }),
        fc.integer(),
        fc.boolean(),
        fc.array(fc.string({ unit: 'grapheme-ascii' }), { maxLength: 3 }),
        fc.array(tie('tree'), { minLength: 1, maxLength: 3 }),
        tie('tree'),
      ),
    }))
    fc.assert(
      fc.property(tree, (document) => {
        const text = stringify(document)
        const findLine = locateToml(text)
        const lines = text.split('\n')
        for (const [path, value] of listLeaves(parse(text), [])) {
          const line = lines[findLine(path) - 1] ?? ''
          expect(line, JSON.stringify(path)).toContain(stringify({ v: value }).trim().slice(4))
        }
      }),
      { numRuns: 300 },
    )
  })

  test('take time in proportion to the text', () => {
    const text = `a = [\n${'  { b = "c", d = [1, 2] },\n'.repeat(50_000)}]\n`
    expect(locateToml(text)(['a', 49_999, 'd', 1])).toBe(50_001)
  })
})

function listLeaves(value: unknown, path: TomlPath): [TomlPath, unknown][] {
  if (Array.isArray(value)) return value.flatMap((item, at) => listLeaves(item, [...path, at]))
  if (typeof value !== 'object' || value === null) return [[path, value]]
  return Object.entries(value).flatMap(([key, member]) => listLeaves(member, [...path, key]))
}

describe('a TOML file that is no TOML', () => {
  test('is told with its line', () => {
    expect(() => parseTomlFile('a = 1\nb = = 2\n')).toThrow(/^line 2: /)
  })

  test('is refused where one name is 20,000 tables deep, before a gigabyte of paths is made of it', () => {
    const deep = `[tool.poetry${'.dy'.repeat(20_000)}]\na = 1\n`
    expect(() => parseTomlFile(deep)).toThrow('tables within tables, more than 100 deep')
    expect(parseTomlFile(`[a${'.b'.repeat(90)}]\nc = 1\n`).get('a').isThere).toBe(true)
  })
})
