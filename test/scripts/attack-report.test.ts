/** What the laboratory shows: Markdown, JSON, the terminal, and what it answers to its command line. */

import { spawn } from 'node:child_process'
import { mkdtemp, readdir, rmdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import type { Attack, Observed } from '../../scripts/attacks/attack.ts'
import { help, readOptions } from '../../scripts/attacks/options.ts'
import {
  decideVerdict,
  dropAccidents,
  renderJson,
  renderMarkdown,
  type Report,
} from '../../scripts/attacks/report.ts'
import type { Result } from '../../scripts/attacks/run-attacks.ts'
import { renderDetail, renderSummary, renderTable } from '../../scripts/attacks/terminal.ts'
import { hasPip } from '../support/pip.ts'
import { cleanEnvironment, collect, runCommand } from '../support/program.ts'

const refused: Observed = {
  happened: 'nothing installed',
  exitCode: 1,
  line: 'ERROR: 403 Client Error: Refused by tufgate: not the signed one (r-abcd2345) for url: http://127.0.0.1:4711/files/foo.whl',
  codes: ['DIGEST_MISMATCH'],
  notes: ['1 byte read'],
}
const stopped: Result = {
  row: 'A1b',
  name: 'an evil wheel',
  pip: '26.2.1',
  alone: { ...refused, harm: 'EVIL foo 1.1 installed', codes: [], notes: [], line: '' },
  behind: refused,
  complaints: [],
}
const wrong: Result = { ...stopped, row: 'W1', name: 'a smuggler', complaints: ['no 400'] }
const limit: Result = {
  ...stopped,
  row: 'K2',
  pip: undefined,
  alone: 'no keys',
  behind: { ...refused, harm: 'EVIL foo' },
  limit: 'who has all keys',
}

function reportOf(...results: readonly Result[]): Report {
  const versions = { 'Node.js': '24.0.0', pip: '26.2.1' }
  return { time: '2026-05-04T03:02:01Z', machine: '2 cores', versions, seconds: 12.3, results }
}

/** The lines of tables, but for their heads. */
function rowsOf(markdown: string): string[] {
  return markdown.split('\n').filter((line) => /^\| [AKWF]\d/.test(line))
}

describe('the Markdown of the laboratory', () => {
  test('says what its words mean, where and with what it was made, and has a table for each family', () => {
    const text = renderMarkdown(reportOf(stopped, limit, wrong))
    expect(text).toContain('- **alone**: pip asks the hostile index itself')
    expect(text).toContain('- **behind tufgate**: the same pip')
    expect(text).toContain(
      'Seen on 2026-05-04 by `npm run attacks`, in 12 s, on 2 cores, with Node.js 24.0.0, pip 26.2.1.',
    )
    expect(text.match(/^## .*$/gm)).toEqual([
      '## On what is installed',
      '## With stolen keys',
      '## On the wire',
    ])
    expect(text).toContain('| stopped | 1 |')
    expect(text).toContain('| WRONG | 1 |')
  })

  test('tells both sides, without what differs from run to run', () => {
    expect(rowsOf(renderMarkdown(reportOf(stopped)))).toEqual([
      '| A1b | an evil wheel | 26.2.1 | EVIL foo 1.1 installed (exit 1) | nothing installed (exit 1, DIGEST\\_MISMATCH, 1 byte read): ERROR: 403 Client Error: Refused by tufgate: not the signed one | stopped |',
    ])
  })

  test('says what is wrong, and which limit is known', () => {
    const [known, bad] = rowsOf(renderMarkdown(reportOf(limit, wrong)))
    expect(known).toMatch(/ \| no keys \| .* \| known limit: who has all keys \|$/)
    expect(bad).toMatch(/ \| WRONG: no 400 \|$/)
  })

  test.each([
    ['a pipe ends no cell', 'a | b', 'a \\| b'],
    ['HTML is text', '<img src=x>&amp;', '&lt;img src=x>&amp;amp;'],
    [
      'a link is text',
      '[x](y) `z` *b* _u_ ~~s~~',
      '\\[x\\](y) \\`z\\` \\*b\\* \\_u\\_ \\~\\~s\\~\\~',
    ],
    ['an address is no link', 'see https://evil.test', 'see https&#58;//evil.test'],
    ['a control character is visible', 'a\u001b[2Jb\r\u0000', 'a?\\[2Jb??'],
    ['a line break ends no line', 'a\nb\u2028c', 'a?b?c'],
    ['a backslash escapes nothing', '\\|', '\\\\\\|'],
  ])('%s, whoever said it', (_what, line, expected) => {
    const result = { ...stopped, behind: { ...refused, codes: [], notes: [], line } }
    const [row] = rowsOf(renderMarkdown(reportOf(result)))
    expect(row).toContain(`nothing installed (exit 1): ${expected} | stopped |`)
  })

  test('a line has a length', () => {
    const result = { ...stopped, behind: { ...refused, line: 'x'.repeat(1e6) } }
    expect(renderMarkdown(reportOf(result)).length).toBeLessThan(5000)
  })
})

test('JSON has all that was seen, as it was seen, and the verdict', () => {
  const report = reportOf(stopped, wrong, limit)
  const parsed: unknown = JSON.parse(renderJson(report))
  const results = report.results.map((one) => ({ ...one, verdict: decideVerdict(one) }))
  expect(parsed).toEqual(JSON.parse(JSON.stringify({ ...report, results })))
  expect(parsed).toMatchObject({ results: [{ behind: { line: refused.line } }, {}, {}] })
})

test.each([
  ['http://127.0.0.1:4711/simple/', 'http://127.0.0.1:PORT/simple/'],
  ['localhost:80, [::1]:8080', 'localhost:PORT, [::1]:PORT'],
  ['/tmp/tufgate-attacks-aB3_x9/victims/3', 'FOLDER/victims/3'],
  ["'/tmp/tufgate-attacks-aaaaaa/tufgate-trial-bbbbbb/root'", "'FOLDER/root'"],
  ['4711 bytes at 10:30', '4711 bytes at 10:30'],
])('%s is told as %s', (text, expected) => {
  expect(dropAccidents(text)).toBe(expected)
})

describe('at a terminal', () => {
  test('a table has its columns below each other', () => {
    const [head = '', ...lines] = renderTable([stopped, limit, wrong]).trimEnd().split('\n')
    const at = head.indexOf('verdict')
    expect(lines.map((line) => line.slice(at))).toEqual(['stopped', 'known limit', 'WRONG'])
    expect(lines[0]).toMatch(/^A1b {3}an evil wheel +26\.2\.1 +EVIL foo 1\.1 installed +nothing/)
  })

  test('what is too long is cut, and nothing moves a cursor', () => {
    const name = `\u001b[2J\n${'long '.repeat(50)}`
    const [head = '', line = ''] = renderTable([{ ...stopped, name }]).split('\n')
    expect(line.indexOf('stopped')).toBe(head.indexOf('verdict'))
    expect(line).toContain('?[2J?long')
    expect(renderDetail({ ...stopped, complaints: ['a\u001b[31m\nb'] })).toContain('a?[31m?b')
  })

  test('the details say what is wrong and what was seen on both sides', () => {
    expect(renderDetail(wrong).split('\n')).toEqual([
      'W1   a smuggler [pip 26.2.1]: WRONG',
      '       alone:  EVIL foo 1.1 installed (exit 1)',
      '       behind: nothing installed (exit 1, DIGEST_MISMATCH, 1 byte read): ERROR: 403 Client Error: Refused by tufgate: not the signed one',
      '       WRONG:  no 400',
      '',
    ])
  })

  test('the last line counts', () => {
    expect(renderSummary([stopped, limit, wrong], 61.7)).toBe(
      '3 lines in 62 s: 1 harm pip alone and are stopped, 0 pip resists too, 0 have nothing to compare with, 1 are known limits, 1 wrong.\n',
    )
  })
})

const behind = (): Promise<Observed> => Promise.resolve(refused)

describe('the command line of the laboratory', () => {
  const attack = { pips: 'machine', alone: 'no', behind, judge: () => [] } as const
  const all: readonly Attack[] = [
    { ...attack, row: 'A1a', name: 'one', isCore: true },
    { ...attack, row: 'A1a', name: 'two' },
    { ...attack, row: 'W1', name: 'three' },
  ]
  const namesOf = (...args: readonly string[]): readonly string[] => {
    const asked = readOptions(args, all)
    return 'text' in asked ? [asked.text] : asked.attacks.map(({ name }) => name)
  }

  test('chooses attacks', () => {
    expect(namesOf()).toEqual(['one', 'two', 'three'])
    expect(namesOf('--core')).toEqual(['one'])
    expect(namesOf('--row', 'A1a')).toEqual(['one', 'two'])
    expect(namesOf('--row', 'A1a', '--row', 'W1', '--core')).toEqual(['one'])
  })

  test('looks for the newest pip, but for the quick run and where one is named', () => {
    expect(readOptions([], all)).toMatchObject({ wheels: undefined, isVerbose: false })
    expect(readOptions(['--core', '--verbose'], all)).toMatchObject({ wheels: [], isVerbose: true })
    const wheel = import.meta.filename
    expect(readOptions(['--core', '--pip', wheel], all)).toMatchObject({ wheels: [wheel] })
  })

  test.each([
    [
      'a row that is none',
      ['--row', 'A1a', '--row', 'A99'],
      'No attack is called A99; --list names all.',
    ],
    [
      'a row without a quick part',
      ['--core', '--row', 'W1'],
      'None of these rows has a part in --core.',
    ],
    ['a flag that is none', ['--fast'], "Unknown option '--fast'"],
    ['an argument', ['A1a'], "Unexpected argument 'A1a'"],
    ['a wheel that is not there', ['--pip', 'none.whl'], 'There is no wheel none.whl.'],
    [
      'a folder that is not there',
      ['--json', 'none/x.json'],
      'There is no folder for none/x.json.',
    ],
  ])('refuses %s', (_what, args, message) => {
    const asked = readOptions(args, all)
    expect(asked).toMatchObject({ exitCode: 2 })
    expect('text' in asked && asked.text.startsWith(message), JSON.stringify(asked)).toBe(true)
    expect('text' in asked && asked.text.endsWith(help)).toBe(true)
  })

  test('lists, and helps', () => {
    expect(readOptions(['--list', '--core'], all)).toEqual({ text: 'A1a  one\n', exitCode: 0 })
    expect(readOptions(['--help', '--row', 'X'], all)).toEqual({ text: help, exitCode: 0 })
  })

  const main = join(import.meta.dirname, '..', '..', 'scripts', 'attacks', 'main.ts')

  test('answers as a program', async () => {
    const { code, stdout, stderr } = await runCommand(process.execPath, [main, '--row', 'A99'])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^No attack is called A99; --list names all\.\n\nnpm run attacks/)
  })

  test.runIf(hasPip)('ends at Ctrl-C: no process and no folder is left', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tufgate-ctrl-c-'))
    const run = spawn(process.execPath, [main, '--core', '--row', 'A1b'], {
      env: cleanEnvironment({ TMPDIR: folder }),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const finished = collect(run)
    // It makes an environment for pip, by a process that has a process.
    await vi.waitUntil(async () => (await readdir(folder)).length > 0, 20_000)
    run.kill('SIGINT')
    expect(await finished).toMatchObject({ code: 130, stderr: '' })
    expect(await readdir(folder)).toEqual([])
    await rmdir(folder)
  })
})
