/** What was refused, as SARIF 2.1.0 (OASIS): a rule for each code, with what it can mean and what to do. */

import { escapeInvisible } from '../audit/line.ts'
import { toPrintable } from '../base/bytes.ts'
import type { CodeExplanation, Step } from '../explain/code-explanation.ts'
import { findExplanation } from '../explain/find-explanation.ts'
import { fingerprint, renderArtifactPath } from './artifact-path.ts'
import { describeSubject, type SessionVerdict } from './sections.ts'
import type { RefusedItem, SessionSummary } from './session-summary.ts'

export interface SarifOptions extends SessionVerdict {
  /** Of this program. */
  readonly version: string
}

/** GitHub shows 5000 of a run. */
const maxResults = 5000
const maxLength = 1000

const schema =
  'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json'

/** Ends in a line feed. */
export function renderSarif(summary: SessionSummary, { version, problems }: SarifOptions): string {
  const items = summary.refused.items.slice(0, maxResults)
  const codes = [...new Set(items.map(({ code }) => code))]
  const ruleOf = new Map(codes.map((code, at) => [code, at]))
  const rules = codes.map((code) =>
    renderRule(
      code,
      items.find((item) => item.code === code),
    ),
  )
  const run = {
    tool: { driver: { name: 'tufgate', version, rules } },
    invocations: [
      {
        executionSuccessful: problems.length === 0,
        toolExecutionNotifications: problems.map((problem) => ({
          level: 'error',
          message: { text: toMessage(problem) },
        })),
      },
    ],
    results: items.map((item) => renderResult(item, ruleOf.get(item.code) ?? 0)),
  }
  return `${escapeInvisible(JSON.stringify({ $schema: schema, version: '2.1.0', runs: [run] }))}\n`
}

function renderRule(code: string, { trust = 'signed' }: Partial<RefusedItem> = {}): object {
  const explanation = findExplanation(code, trust)
  const { rule, meaning } = explanation
  return {
    id: toPrintable(code, 64),
    shortDescription: { text: toMessage(rule) },
    fullDescription: { text: toMessage([rule, ...meaning].join(' ')) },
    help: { text: renderHelp(explanation) },
    defaultConfiguration: { level: 'error' },
    properties: { tags: ['security', 'supply-chain'], 'security-severity': '8.0' },
  }
}

function renderHelp({ rule, clause, meaning, next }: CodeExplanation): string {
  return [
    `${rule}${clause === undefined ? '' : ` (${clause})`}`,
    'It can mean:',
    ...meaning.map((line) => `- ${line}`),
    'What to do:',
    ...next.user.map(renderStep),
    'Whoever runs the proxy:',
    ...next.operator.map(renderStep),
  ]
    .map(toMessage)
    .join('\n')
}

function renderStep({ text, command }: Step): string {
  return `- ${text}${command === undefined ? '' : ` ${command}`}`
}

function renderResult(item: RefusedItem, ruleIndex: number): object {
  const { code, project, file, reason, expected, found, id, count } = item
  return {
    ruleId: toPrintable(code, 64),
    ruleIndex,
    level: 'error',
    message: { text: toMessage(`${describeSubject(item)}: ${reason}`) },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: renderArtifactPath(item) },
          region: { startLine: 1 },
        },
        logicalLocations: [
          {
            name: toPrintable(file ?? project, maxLength),
            fullyQualifiedName: toPrintable(`${project}/${file ?? ''}`, maxLength),
            kind: 'resource',
          },
        ],
      },
    ],
    occurrenceCount: count,
    partialFingerprints: { 'tufgateRefusal/v1': fingerprint(item) },
    properties: {
      ...(id !== undefined && { requestId: toPrintable(id, 64) }),
      ...(expected !== undefined && { expected: toPrintable(expected, maxLength) }),
      ...(found !== undefined && { found: toPrintable(found, maxLength) }),
    },
  }
}

/** SARIF 3.11.5 and 3.11.6: in a plain text too, `{0}` is a placeholder and `[a](b)` a link. */
function toMessage(raw: string): string {
  return toPrintable(raw, maxLength)
    .replaceAll(/[[{]/g, '(')
    .replaceAll(/[\]}]/g, ')')
    .replaceAll('\\', '/')
}
