/** Lines of the audit log and of the mirror's journal, and the checks of their chains. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeUtf8, encodeUtf8, type Bytes } from '../../../src/base/bytes.ts'
import { isMalformed } from '../../../src/base/decode.ts'
import { sha256Hex } from '../../../src/base/digest.ts'
import { parseJson } from '../../../src/base/strict-json.ts'
import { parseEntry } from '../../../src/audit/entry.ts'
import { parseHead, renderHead } from '../../../src/audit/head.ts'
import { noLineBefore, renderBody, renderLine } from '../../../src/audit/line.ts'
import { parsePartName } from '../../../src/audit/part-name.ts'
import { readAudit } from '../../../src/audit/reader.ts'
import { searchAudit } from '../../../src/audit/search.ts'
import { verifyAudit } from '../../../src/audit/verifier.ts'
import { findExplanation } from '../../../src/explain/find-explanation.ts'
import {
  parseJournalHead,
  readSignedHead,
  renderJournalHead,
  parseJournalLine,
  verifyJournal,
} from '../../../src/mirror/journal-check.ts'
import { parseJournalFile } from '../../../src/mirror/journal-files.ts'
import { noEntryBefore, renderEntry } from '../../../src/mirror/journal.ts'
import { renderCodeQuality } from '../../../src/report/code-quality.ts'
import { renderJunit } from '../../../src/report/junit.ts'
import { renderSarif } from '../../../src/report/sarif.ts'
import { renderSummaryMarkdown } from '../../../src/report/summary-markdown.ts'
import { renderWorkflowCommands } from '../../../src/report/workflow-commands.ts'
import { renderSummaryText } from '../../../src/report/summary-text.ts'
import { summarizeSession, type SessionSummary } from '../../../src/report/session-summary.ts'
import { readText, requireRule, requireSame, type FuzzTarget } from '../target.ts'

const chain = '20260102T030405000Z_1.1.n1_0123abcd'
const part = `${chain}.000001.jsonl`
const time = '2026-01-02T03:04:05.000Z'

function buildLog(): string {
  const bodies = [
    renderBody({ kind: 'start', message: 'began' }, { chain }),
    renderBody({
      kind: 'released',
      project: 'foo',
      file: 'foo-1.0.zip',
      bytes: 7,
      ms: 3,
      id: 'a1',
    }),
    renderBody(
      { kind: 'refused', code: 'EXPIRED', project: 'foo', message: 'is expired', request: 'GET /' },
      { count: 3, since: time, ids: ['b2'] },
    ),
    renderBody({ kind: 'stop' }),
  ]
  let prev = noLineBefore
  return bodies
    .map((body, at) => {
      const line = renderLine({ seq: at + 1, time, prev }, body)
      prev = sha256Hex(encodeUtf8(line))
      return `${line}\n`
    })
    .join('')
}

let folder = ''

const audit: FuzzTarget = {
  name: 'audit-log',
  rule: 'a log is read, summed up and checked, whatever it holds; only the one that was written is whole',
  seeds: () => [buildLog()],
  words: ['"kind":"released"', '"seq":2', '"prev":"', '\n', '"previous":"x:1:y"', '"count":1e9'],
  share: 0.2,
  open: async () => {
    folder = mkdtempSync(join(tmpdir(), 'tufgate-fuzz-'))
    return async () => rmSync(folder, { recursive: true, force: true })
  },
  run: async (input) => {
    writeFileSync(join(folder, part), input)
    const { findings } = await verifyAudit(folder)
    const summary = await summarizeSession(readAudit(folder))
    renderSummaryText(summary)
    requireReports(summary)
    await searchAudit(folder, { project: 'foo', ids: ['b2'] }, 1_000_000)
    const isWhole = findings.length === 0
    if (isWhole) requireRule(isPrefix(input), 'a changed log passes for whole')
    return isWhole ? 'whole' : 'changed'
  },
}

/** What programs read of it: JSON, and commands of one line each. */
function requireReports(summary: SessionSummary): void {
  const problems = [...summary.refused.items].map(({ reason }) => reason)
  JSON.parse(renderSarif(summary, { version: '1.0.0', problems }))
  JSON.parse(renderCodeQuality(summary))
  renderSummaryMarkdown(summary, { problems })
  const xml = renderJunit(summary, { problems })
  requireRule(!/[^\P{Cc}\t\n\r\u0080-\u009f]|[\ufffe\uffff]/u.test(xml), 'no XML 1.0')
  for (const line of renderWorkflowCommands(summary, { problems })) {
    requireRule(/^::(?:error|warning|notice) title=[ -~]*$/.test(line), 'another command')
  }
}

/** A chain may end anywhere between two lines, and proves nothing about the one after its last. */
function isPrefix(input: Bytes): boolean {
  const [text, good] = [readText(input), buildLog()]
  if (good.startsWith(text)) return true
  const lines = text.split('\n').filter((line) => line !== '')
  const before = lines.slice(0, -1).join('\n')
  return good.startsWith(before) && lines.length <= 4
}

const entry: FuzzTarget = {
  name: 'audit-entry',
  rule: 'a line is an entry, or nothing',
  seeds: () => buildLog().split('\n').slice(0, 4),
  words: [
    '"v":2',
    '"kind":"',
    '"trust":{}',
    '__proto__',
    renderHead({ chain, seq: 1, digest: noLineBefore }),
  ],
  run: (input) => {
    const text = readText(input)
    const head = parseHead(text)
    if (head !== undefined) requireSame(parseHead(renderHead(head)), head, 'another head')
    parsePartName(text)
    const found = parseEntry(input, chain)
    if (found === undefined) return 'nothing'
    findExplanation(found.code ?? '')
    return 'entry'
  },
}

function buildJournal(): string {
  const first = {
    sequence: 1,
    time: Date.parse('2026-01-02T03:04:05Z'),
    prev: noEntryBefore.sha256,
    kind: 'new-project',
    project: 'foo',
    detail: '{"files":1}',
  }
  const line = renderEntry(first)
  const second = { ...first, sequence: 2, prev: sha256Hex(encodeUtf8(line)), kind: 'yanked' }
  return `${line}\n${renderEntry(second)}\n`
}

const journal: FuzzTarget = {
  name: 'journal',
  rule: 'a line of the journal reads the same once it is written again, and no other has its digest',
  seeds: () => [buildJournal()],
  words: ['"kind":"entries-missing"', '"sequence":2', '"prev":"', '\n', '"time":"'],
  run: (input) => {
    parseJournalHead(readText(input.subarray(0, 100)))
    const entries = parseJournalFile(input)
    const { findings } = verifyJournal(entries, [])
    for (const one of entries) {
      if (one.kind === 'entries-missing') continue
      const again = parseJournalLine(encodeUtf8(renderEntry(one)))
      requireSame({ ...again, sha256: '' }, { ...one, sha256: '' }, 'another entry')
    }
    decodeUtf8(input)
    return findings.length === 0 ? 'whole' : 'changed'
  },
}

const signedHead: FuzzTarget = {
  name: 'journal-head',
  rule: 'the head that a timestamp signs reads the same once it is written again',
  seeds: () => [JSON.stringify({ journal: { sequence: 7, sha256: 'a1'.repeat(32) }, signed: 'x' })],
  words: ['"journal":{', '"sequence":0', '"sha256":"'],
  isRefusal: isMalformed,
  run: (input) => {
    const head = readSignedHead(parseJson(input))
    if (head === undefined) return 'none'
    requireSame(parseJournalHead(renderJournalHead(head)), head, 'another head')
    return 'read'
  },
}

export const logTargets: readonly FuzzTarget[] = [audit, entry, journal, signedHead]
