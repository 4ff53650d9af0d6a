import { expect, test } from 'vitest'
import { renderCodeQuality } from '../../src/report/code-quality.ts'
import { renderCommand, renderWorkflowCommands } from '../../src/report/workflow-commands.ts'
import { hostileNames, summarizeHostile } from './hostile-names.ts'
import { entry, refused, summarize } from './session-support.ts'

/** As the runner of GitHub Actions reads a line. */
function parse(line: string): { command: string; properties: string; data: string } | undefined {
  const [, command = '', properties = '', data = ''] =
    /^::([^\s:]+)(?: ([^:]*(?::(?!:)[^:]*)*))?::(.*)$/.exec(line) ?? []
  return command === '' ? undefined : { command, properties, data }
}

test.each(hostileNames)('%j begins no command of its own', (name) => {
  const command = renderCommand('error', name, name)
  expect(command).toMatch(/^[\x20-\x7e]*$/)
  expect(command).not.toContain('##')
  const parsed = parse(command)
  expect(parsed?.command).toBe('error')
  // One property: neither a comma nor a colon in it begins another one.
  expect(parsed?.properties).toMatch(/^title=[^:,]*$/)
})

test('what stands for a line feed is ours alone', () => {
  expect(renderCommand('error', 'a:b,c', '100% %0A::x\nnext')).toBe(
    '::error title=a%3Ab%2Cc::100%25 %250A::x%0Anext',
  )
})

test('shows the most important, so many as GitHub does', async () => {
  const lines = renderWorkflowCommands(await summarizeHostile(), { problems: ['it died'] })
  expect(lines[0]).toBe('::error title=tufgate::it died')
  expect(lines.filter((line) => line.startsWith('::error'))).toHaveLength(10)
  expect(lines.filter((line) => line.startsWith('::warning'))).toHaveLength(10)
  expect(lines.filter((line) => line.startsWith('::notice'))).toHaveLength(1)
  expect(lines).toHaveLength(21)
})

test('says what was refused, could not be had and is hidden', async () => {
  const summary = await summarize(
    refused('DENIED', { project: 'bad', file: 'bad-1.0.whl', message: 'the policy says no' }),
    refused('UNREACHABLE', { project: 'far', message: 'nobody answers' }),
    entry('hidden', { project: 'young', message: 'policy hides young-2.0.whl' }),
  )
  expect(renderWorkflowCommands(summary, { problems: [] })).toEqual([
    '::error title=tufgate refused bad-1.0.whl::the policy says no (DENIED, r-1)',
    '::warning title=tufgate could not get project far::nobody answers (UNREACHABLE, r-1)',
    '::warning title=tufgate hides files of young::policy hides young-2.0.whl',
    '::notice title=tufgate::no file handed out, 1 refused, 1 could not be had, files of 1 project hidden by policy',
  ])
})

test('a Code Quality report has what GitLab demands of each entry', async () => {
  const text = renderCodeQuality(await summarizeHostile())
  expect(text).toMatch(/^[\x20-\x7e]*\n$/)
  const report = JSON.parse(text) as Record<string, unknown>[]
  expect(report.length).toBeGreaterThan(hostileNames.length)
  for (const { description, check_name: name, fingerprint, severity, location } of report) {
    expect(description).toMatch(/^tufgate: /)
    expect(name).toMatch(/^tufgate\//)
    expect(fingerprint).toMatch(/^[0-9a-f]{64}$/)
    expect(['critical', 'minor']).toContain(severity)
    const { path, lines } = location as { path: string; lines: { begin: number } }
    expect(path).toMatch(/^(?:simple|request)\/(?!\.\.?(?:\/|$))/)
    expect(lines.begin).toBe(1)
  }
  expect(new Set(report.map(({ fingerprint }) => fingerprint)).size).toBe(report.length)
})
