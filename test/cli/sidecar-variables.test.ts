import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import {
  renderClosed,
  renderVariables,
  type VariableFormat,
  type Variables,
} from '../../src/cli/session/render-variables.ts'

const hostile = [
  'plain',
  '',
  'it\'s $(touch owned) `touch owned` "x" \\ ;& | > < * ? ~ # !',
  '%0A::error::x',
  'a=b=c',
  '-n',
  '\u2018; touch owned; \u2019',
]

function render(format: VariableFormat, variables: Variables): string {
  return renderVariables(format, variables, () => 'END')
}

test.each([...hostile, 'two\nlines\n::error::x'])('a shell gets %j as it is', (value) => {
  const script = render('sh', { set: { TUFGATE_VALUE: value }, unset: ['TUFGATE_GONE'] })
  const { stdout, stderr } = spawnSync(
    'sh',
    ['-c', `${script}printf %s "$TUFGATE_VALUE\${TUFGATE_GONE-}"`],
    { encoding: 'utf8', env: { TUFGATE_GONE: 'there', PATH: process.env['PATH'] } },
  )
  expect({ stdout, stderr }).toEqual({ stdout: value, stderr: '' })
})

test('PowerShell gets each kind of quote doubled, for each of them ends a word', () => {
  const set = { A: "it's $x `n \u2018a\u2019 \u201ab\u201b" }
  expect(render('powershell', { set, unset: ['B'] })).toBe(
    'Remove-Item -ErrorAction Ignore Env:B\n' +
      "$env:A = 'it''s $x `n \u2018\u2018a\u2019\u2019 \u201a\u201ab\u201b\u201b'\n",
  )
})

test('a file of GitHub takes several lines as a here document with a word that nobody can guess', () => {
  const set = { A: 'x=y', B: 'one\nEOF\nC=injected' }
  expect(render('github', { set, unset: ['D'] })).toBe(
    'D=\nA=x=y\nB<<END\none\nEOF\nC=injected\nEND\n',
  )
})

test('a dotenv file of GitLab has a line for each, and takes no line feed', () => {
  expect(render('gitlab', { set: { A: "b 'c'" }, unset: ['D'] })).toBe("D=\nA=b 'c'\n")
  expect(() => render('gitlab', { set: { A: 'b\nC=injected' }, unset: [] })).toThrow(
    'A has several lines: GitLab cannot carry them.',
  )
})

test('JSON is one object', () => {
  const text = render('json', { set: { A: 'b\n"' }, unset: ['C'] })
  expect(JSON.parse(text)).toEqual({ A: 'b\n"', C: '' })
})

test('names that are no names of variables are left out: they could be commands', () => {
  const odd = ['PIP_X; touch owned', 'PIP_A\nB', 'BASH_FUNC_f%%', '1A', '']
  for (const format of ['sh', 'github', 'gitlab', 'powershell'] as const) {
    expect(
      render(format, { set: Object.fromEntries(odd.map((name) => [name, 'x'])), unset: odd }),
    ).toBe('')
  }
})

test('what is set is not taken away first', () => {
  expect(render('sh', { set: { A: 'x' }, unset: ['A'] })).toBe('export A=x\n')
})

test('without a proxy a shell fails, and its installers have nobody to ask', () => {
  const closed = { set: { PIP_INDEX_URL: 'http://127.0.0.1:1/' }, unset: [] }
  const script = renderClosed('sh', closed, "it's off; touch owned")
  const { status, stdout, stderr } = spawnSync(
    'sh',
    ['-c', 'eval "$0"; echo "$? $PIP_INDEX_URL"', script],
    { encoding: 'utf8' },
  )
  expect({ status, stdout, stderr }).toEqual({
    status: 0,
    stdout: '1 http://127.0.0.1:1/\n',
    stderr: "it's off; touch owned\n",
  })
  expect(renderClosed('powershell', closed, "it's off")).toBe(
    "$env:PIP_INDEX_URL = 'http://127.0.0.1:1/'\nthrow 'it''s off'\n",
  )
  // The exit code ends the step that writes a file.
  expect(renderClosed('github', closed, 'off') + renderClosed('json', closed, 'off')).toBe('')
})
