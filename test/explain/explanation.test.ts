import { describe, expect, test } from 'vitest'
import { explainEntry, explainRequest, type LoggedEvent } from '../../src/explain/explanation.ts'
import { renderExplanation } from '../../src/explain/render-explanation.ts'

const time = Date.parse('2026-11-20T12:00:00Z')
const trust = { root: 3, timestamp: 41, snapshot: 40, role: 'bins-0a', record: 'd'.repeat(64) }
const refused: LoggedEvent = {
  kind: 'refused',
  time,
  id: 'r-eo64k2m5',
  client: '127.0.0.1',
  request: 'GET /files/foo/files.pythonhosted.org/packages/ab/foo-1.1-py3-none-any.whl',
  project: 'foo',
  file: 'foo-1.1-py3-none-any.whl',
  code: 'DIGEST_MISMATCH',
  message: 'sha256 of foo-1.1-py3-none-any.whl is not the signed one',
  expected: 'a'.repeat(64),
  found: 'b'.repeat(64),
  next: 'Do not install it.',
  trust,
}

describe('a refusal', () => {
  test('is told with who, when, what, the rule, and what the list says', () => {
    expect(explainEntry(refused)).toMatchObject({
      outcome: 'refused',
      title: 'Refused: foo-1.1-py3-none-any.whl',
      asked: refused.request,
      who: '127.0.0.1',
      when: '2026-11-20T12:00:00Z',
      happened: refused.message,
      advice: 'Do not install it.',
      clause: 'TUF 5.7.3, PEP 458',
      expected: 'a'.repeat(64),
      found: 'b'.repeat(64),
      restsOn: `signed list in the versions root 3, timestamp 41, snapshot 40; the project is listed in its part "bins-0a"; sha256 of the project's record: ${'d'.repeat(64)}`,
    })
  })

  test('names the project in the commands, and says which words are to be put in', () => {
    const { next, placeholders } = explainEntry(refused)
    expect(next.map(({ command }) => command)).toContain(
      'tufgate mirror verify-files MIRROR --project foo',
    )
    expect(placeholders).toEqual(['MIRROR: the folder of the mirror'])
  })

  test('of a host names the host in the commands', () => {
    const { next } = explainEntry({ ...refused, code: 'UNREACHABLE' })
    expect(next.map(({ command }) => command)).toContain(
      'curl -sSI https://files.pythonhosted.org/',
    )
  })

  test.each([
    ['foo; rm -rf ~', 'GET /files/foo/$(reboot)/x/foo.whl'],
    ['--index-url=http://evil.test', 'GET /files/foo/-oevil/x/foo.whl'],
    ['$(reboot)', 'GET /files/foo/a b/x/foo.whl'],
    ["x' reboot '", 'GET /files/foo/`id`/x/foo.whl'],
  ])('puts no hostile name into a command that somebody may copy: %s', (project, request) => {
    const all = ['DIGEST_MISMATCH', 'UNREACHABLE', 'DENIED'].flatMap(
      (code) => explainEntry({ ...refused, code, project, request }).next,
    )
    for (const { command = '' } of all) {
      expect(command).not.toContain(project)
      expect(command).not.toMatch(/[$`]|reboot|evil/)
    }
  })

  test('of first use speaks of neither signatures nor verification', () => {
    const entry = {
      ...refused,
      message: 'sha256 of foo-1.1-py3-none-any.whl is not the one of first use',
      trust: { ...trust, kind: 'first-use' as const },
    }
    for (const kind of ['refused', 'released', 'page', 'hidden'] as const) {
      const text = renderExplanation(explainEntry({ ...entry, kind }))
      expect(text.replace('tufgate audit verify', '')).not.toMatch(/\b(?:signed|verif|signature)/i)
      expect(text).toContain('first-use record')
    }
  })

  test('without a known code is a fault of the program', () => {
    expect(explainEntry({ ...refused, code: 'BUG' }).rule).toContain('nobody foresaw')
    expect(explainEntry({ kind: 'refused', time }).title).toBe('Refused: a request')
  })
})

test('what is refused by decision is told with another version to ask for', () => {
  const denied = {
    ...refused,
    code: 'DENIED',
    message: 'the policy denies foo==1.1',
    expected: `sha256:${'a'.repeat(64)}`,
  }
  const { found: _found, ...entry } = denied
  const { next, compared } = explainEntry(entry)
  expect(next[0]?.command).toBe("pip install 'foo!=1.1'")
  expect(compared).toEqual([['listed', `sha256:${'a'.repeat(64)}`]])
})

test.each([
  ['foo-1.1.tar.gz', "pip install 'foo!=1.1'"],
  ['foo_bar-2.0.post1+local-py3-none-any.whl', "pip install 'foo!=2.0.post1+local'"],
  ["foo-1'$(reboot).tar.gz", "pip install 'foo!=VERSION'"],
  ['foo-1!2.0.tar.gz', "pip install 'foo!=VERSION'"],
  ['foo.exe', "pip install 'foo!=VERSION'"],
])('the version of %s comes from its name, or not at all', (file, command) => {
  const { next } = explainEntry({ ...refused, code: 'REMOVED', file })
  expect(next[0]?.command).toBe(command)
})

describe('several lines of one request', () => {
  const page: LoggedEvent = { ...refused, kind: 'page', bytes: 400 }
  const hidden: LoggedEvent = {
    ...refused,
    kind: 'hidden',
    code: 'TOO_YOUNG',
    message: 'too young',
  }

  test('are one explanation: of what was refused or hidden, with the others beside it', () => {
    const { outcome, also } = explainRequest([page, hidden])!
    expect(outcome).toBe('hidden')
    expect(also).toEqual([
      '2026-11-20T12:00:00Z page DIGEST_MISMATCH: sha256 of foo-1.1-py3-none-any.whl is not the signed one',
    ])
    expect(explainRequest([page, refused, hidden])?.outcome).toBe('refused')
  })

  test('of which there are none have no explanation', () => {
    expect(explainRequest([])).toBeUndefined()
  })
})

describe('a delivery', () => {
  const digest = `sha256:${'c'.repeat(64)}`
  const { next: _next, code: _code, message: _message, ...asked } = refused
  const released: LoggedEvent = {
    ...asked,
    kind: 'released',
    expected: digest,
    found: digest,
    bytes: 9,
  }

  test('of a file is proven by what it was compared with', () => {
    const explanation = explainEntry(released, [], { LOG: "/it's/audit" })
    expect(explanation.outcome).toBe('delivered')
    expect(explanation.rule).toMatch(/the one in the signed list\. It was\.$/)
    expect(explanation.next.map(({ command }) => command)).toContain(
      String.raw`tufgate audit verify --log '/it'\''s/audit'`,
    )
    expect(renderExplanation(explanation)).toContain(`compared ${digest}`)
  })

  test('of a page, of our own pages, and of what only passed, are different things', () => {
    const page = { ...asked, kind: 'page' } as const
    expect(explainEntry(page).rule).toContain('signed record')
    expect(explainEntry({ kind: 'page', time, request: 'GET /-/' }).rule).toContain('about itself')
    expect(explainEntry({ ...page, code: 'PASSED_UNVERIFIED' }).meaning[0]).toContain('not checked')
  })
})

describe('as text', () => {
  test('is narrow, but for commands and digests, which are there to be copied', () => {
    for (const line of renderExplanation(explainEntry(refused)).split('\n')) {
      if (!/tufgate |[0-9a-f]{64}/.test(line)) expect(line.length).toBeLessThanOrEqual(88)
    }
  })

  test('cannot control a terminal', () => {
    const text = renderExplanation(
      explainEntry({
        ...refused,
        message: '\u001b[31m\u202e\r\nfake',
        file: 'a\u009b2J',
        client: '\u0007',
      }),
    )
    expect(text).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u)
    expect(text).not.toMatch(/^fake/m)
  })

  test('tells how many equal requests one line stands for', () => {
    const text = renderExplanation(
      explainEntry({
        ...refused,
        count: 80,
        since: '2026-11-20T11:59:00.000Z',
        ids: ['r-aaaaaaaa'],
      }),
    )
    expect(text).toContain('times    80')
    expect(text.replaceAll(/\s+/g, ' ')).toContain('stands for 80 equal events')
  })
})
