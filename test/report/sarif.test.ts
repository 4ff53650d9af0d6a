import { expect, test } from 'vitest'
import { explanations } from '../../src/explain/find-explanation.ts'
import { renderSarif } from '../../src/report/sarif.ts'
import { hostileNames, summarizeHostile } from './hostile-names.ts'
import { refused, summarize } from './session-support.ts'

interface Message {
  readonly text: string
}

interface Sarif {
  readonly $schema: string
  readonly version: string
  readonly runs: readonly {
    readonly tool: {
      readonly driver: {
        readonly name: string
        readonly version: string
        readonly rules: readonly {
          readonly id: string
          readonly shortDescription: Message
          readonly fullDescription: Message
          readonly help: Message
        }[]
      }
    }
    readonly invocations: readonly {
      readonly executionSuccessful: boolean
      readonly toolExecutionNotifications: readonly { readonly message: Message }[]
    }[]
    readonly results: readonly {
      readonly ruleId: string
      readonly ruleIndex: number
      readonly level: string
      readonly message: Message
      readonly locations: readonly {
        readonly physicalLocation: {
          readonly artifactLocation: { readonly uri: string }
          readonly region: { readonly startLine: number }
        }
      }[]
      readonly occurrenceCount: number
      readonly partialFingerprints: Readonly<Record<string, string>>
    }[]
  }[]
}

async function renderHostile(): Promise<Sarif> {
  const options = { version: '1.2.3', problems: [...hostileNames] }
  return JSON.parse(renderSarif(await summarizeHostile(), options)) as Sarif
}

test('has what the schema of SARIF 2.1.0 and GitHub demand, whatever stands in it', async () => {
  const { $schema, version, runs } = await renderHostile()
  // 3.13.2, 3.13.3, 3.13.4
  expect(version).toBe('2.1.0')
  expect(URL.canParse($schema)).toBe(true)
  expect(runs).toHaveLength(1)
  for (const { tool, results } of runs) {
    expect(tool.driver).toMatchObject({ name: 'tufgate', version: '1.2.3' })
    const ids = tool.driver.rules.map(({ id }) => id)
    for (const { shortDescription, fullDescription, help } of tool.driver.rules) {
      for (const { text } of [shortDescription, fullDescription, help]) expect(text).not.toBe('')
    }
    for (const { ruleId, ruleIndex, level, message, locations, ...rest } of results) {
      // 3.27.7: where both are there they must agree.
      expect(ids[ruleIndex]).toBe(ruleId)
      expect(level).toBe('error')
      expect(message.text).not.toBe('')
      expect(rest.occurrenceCount).toBeGreaterThan(0)
      expect(rest.partialFingerprints['tufgateRefusal/v1']).toMatch(/^[0-9a-f]{64}$/)
      expect(locations).toHaveLength(1)
      for (const { physicalLocation } of locations) {
        expect(physicalLocation.region.startLine).toBe(1)
        requireInside(physicalLocation.artifactLocation.uri)
      }
    }
  }
})

/** A relative reference that stays in the checkout. */
function requireInside(uri: string): void {
  expect(uri).toMatch(/^(?:[A-Za-z0-9_.!~*'()-]|%[0-9A-F]{2}|\/)+$/)
  expect(new URL(uri, 'https://host.example/a/b/c/').pathname).toMatch(
    /^\/a\/b\/c\/(?:simple|request)\/[^/]/,
  )
}

test('a message holds neither a link nor a placeholder, and no character that is not seen', async () => {
  const { runs } = await renderHostile()
  const texts = runs.flatMap(({ tool, results, invocations }) => [
    ...results.map(({ message }) => message.text),
    ...tool.driver.rules.flatMap(({ shortDescription, help }) => [
      shortDescription.text,
      help.text,
    ]),
    ...invocations.flatMap(({ toolExecutionNotifications }) =>
      toolExecutionNotifications.map(({ message }) => message.text),
    ),
  ])
  expect(texts.length).toBeGreaterThan(3 * hostileNames.length)
  for (const text of texts) expect(text).toMatch(/^[^[\]{}\\]*$/)
  const whole = renderSarif(await summarizeHostile(), { version: '1', problems: [] })
  expect(whole).toMatch(/^[\x20-\x7e]*\n$/)
})

test('a rule says what it means and what to do', async () => {
  const summary = await summarize(
    refused('DIGEST_MISMATCH', { project: 'demo', file: 'demo-1.0.whl' }),
  )
  const { runs } = JSON.parse(renderSarif(summary, { version: '1', problems: [] })) as Sarif
  const [rule] = runs[0]?.tool.driver.rules ?? []
  expect(rule?.shortDescription.text).toBe(explanations.DIGEST_MISMATCH.rule)
  expect(rule?.help.text).toContain('It can mean:\n- ')
  expect(rule?.help.text).toContain('What to do:\n- ')
})

test('the words of first use are of first use', async () => {
  const trust = { kind: 'first-use', root: 1 } as const
  const summary = await summarize(refused('DIGEST_MISMATCH', { file: 'demo-1.0.whl', trust }))
  const sarif = renderSarif(summary, { version: '1', problems: [] })
  expect(sarif).not.toContain('in the signed list')
})

async function isSuccessful(problems: readonly string[]): Promise<boolean | undefined> {
  const { runs } = JSON.parse(renderSarif(await summarize(), { version: '1', problems })) as Sarif
  return runs[0]?.invocations[0]?.executionSuccessful
}

test('a session that failed was not successful', async () => {
  expect(await isSuccessful([])).toBe(true)
  expect(await isSuccessful(['the proxy died'])).toBe(false)
})

async function findFingerprint(id: string, file: string): Promise<string | undefined> {
  const summary = await summarize(refused('DENIED', { project: 'demo', file, id }))
  const { runs } = JSON.parse(renderSarif(summary, { version: '1', problems: [] })) as Sarif
  return runs[0]?.results[0]?.partialFingerprints['tufgateRefusal/v1']
}

test('the same refusal has the same fingerprint in the next session', async () => {
  const first = await findFingerprint('r-1', 'a.whl')
  expect(await findFingerprint('r-2', 'a.whl')).toBe(first)
  expect(await findFingerprint('r-1', 'b.whl')).not.toBe(first)
})
