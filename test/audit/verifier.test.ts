import { copyFileSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { ChainCheck } from '../../src/audit/chain-check.ts'
import { renderHead, type AuditHead } from '../../src/audit/head.ts'
import { buildPartName } from '../../src/audit/part-name.ts'
import { parseHead, verifyAudit } from '../../src/audit/verifier.ts'
import { listFiles, makeLogFolder, openLog } from './audit-support.ts'

describe('one chain in one file', () => {
  let folder = ''
  let path = ''
  let head: AuditHead

  beforeEach(async () => {
    folder = makeLogFolder()
    const { log } = await openLog(folder)
    for (let at = 0; at < 8; at += 1) await log.append({ kind: 'page', project: `p${at}` })
    await log.close()
    head = log.head()
    path = join(folder, listFiles(folder)[0] ?? '')
  })

  function change(edit: (lines: string[]) => string[]): void {
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
    writeFileSync(path, `${edit(lines).join('\n')}\n`)
  }

  async function findWhat(): Promise<string[]> {
    const { findings } = await verifyAudit(folder)
    return findings.map(({ what, line }) => `${what} ${line}`)
  }

  test('that is nothing but nonsense has a bounded number of findings; the rest is counted', async () => {
    writeFileSync(path, '\n'.repeat(20_000))
    const { findings, unproven } = await verifyAudit(folder)
    expect(findings).toHaveLength(1000)
    expect(unproven.at(-1)).toBe('19000 more findings')
    const check = new ChainCheck('a')
    const part = buildPartName('a_b_c', 1)
    for (let number = 1; number <= 5000; number += 1) {
      check.addLine({ bytes: new Uint8Array(), number, state: 'whole' }, part)
    }
    expect(check.findings).toHaveLength(1000)
    expect(check.findingCount).toBe(5000)
  })

  test('with gaps between all lines, and those that are missing behind them, is checked in time', () => {
    const check = new ChainCheck('a')
    const part = buildPartName('a_b_c', 1)
    const add = (seq: number, number: number): void => {
      const line = `{"v":1,"seq":${seq},"time":"2026-01-02T03:04:05.000Z","prev":"x","kind":"page"}`
      check.addLine({ bytes: Buffer.from(line), number, state: 'whole' }, part)
    }
    for (let at = 1; at <= 40_000; at += 1) add(at * 2, at)
    for (let at = 1; at <= 40_000; at += 1) add(79_999, 40_000 + at)
    check.finish(false)
    expect(check.findings).toHaveLength(1000)
    expect(check.findingCount).toBeGreaterThanOrEqual(80_000)
  })

  test('is whole, and the end is what cannot be proven', async () => {
    const verdict = await verifyAudit(folder)
    expect(verdict).toEqual({
      findings: [],
      chains: [{ head, firstSeq: 1, isStopped: true }],
      unproven: [
        `chain ${head.chain.slice(0, 20)}: lines after line 10 may have been cut off, or the whole chain written anew; only a head that was kept elsewhere (--head) can tell`,
      ],
    })
    expect((await verifyAudit(folder, { head })).unproven).toEqual([])
  })

  test('a changed line is found at its place', async () => {
    change((lines) => lines.map((line) => line.replace('"project":"p3"', '"project":"p4"')))
    const { findings } = await verifyAudit(folder)
    expect(findings).toHaveLength(1)
    expect(findings[0]).toMatchObject({ what: 'changed', file: path.split('/').at(-1), line: 5 })
    expect(findings[0]?.expected).toMatch(/^sha256 [0-9a-f]{64}, says line 6$/)
    expect(findings[0]?.found).toMatch(/^sha256 [0-9a-f]{64}$/)
  })

  test('a changed first line is found', async () => {
    change(([first = '', ...rest]) => [first.replace('"v":1', '"v":2'), ...rest])
    expect(await findWhat()).toContain('changed 1')
  })

  test('a dropped line is found', async () => {
    change((lines) => lines.toSpliced(4, 1))
    expect((await verifyAudit(folder)).findings).toEqual([
      {
        what: 'dropped',
        file: path.split('/').at(-1),
        line: 5,
        expected: 'lines 5 to 5',
        found: 'nothing',
      },
    ])
  })

  test('a dropped first line is found', async () => {
    change((lines) => lines.slice(2))
    expect(await findWhat()).toEqual(['dropped 1'])
  })

  test('an inserted copy of a line is found', async () => {
    change((lines) => lines.toSpliced(6, 0, lines[2] ?? ''))
    expect(await findWhat()).toEqual(['inserted 7'])
  })

  test('an inserted line with a fitting number and digest is found', async () => {
    change((lines) => {
      const next = JSON.parse(lines[5] ?? '') as Record<string, unknown>
      return lines.toSpliced(5, 0, JSON.stringify({ ...next, project: 'never-asked-for' }))
    })
    expect(await findWhat()).not.toEqual([])
  })

  test('two lines in the other order are found', async () => {
    change((lines) => lines.toSpliced(3, 2, lines[4] ?? '', lines[3] ?? ''))
    expect((await findWhat()).join()).toContain('reordered 5')
  })

  test('an empty line and a line that never ends are found', async () => {
    change((lines) => lines.toSpliced(3, 0, ''))
    expect(await findWhat()).not.toEqual([])
    change((lines) => lines.toSpliced(3, 1, 'x'.repeat(1_000_000)))
    const { findings } = await verifyAudit(folder)
    expect(findings.map(({ found }) => found)).toContain('more than 65536 bytes')
  })

  test('a torn line is found, unless its process may still be writing it', async () => {
    writeFileSync(path, '{"v":1,"seq":11', { flag: 'a' })
    expect((await verifyAudit(folder)).findings).toEqual([
      {
        what: 'torn',
        file: path.split('/').at(-1),
        line: 11,
        expected: 'a whole line',
        found: '15 bytes without a line feed',
      },
    ])
    expect((await verifyAudit(folder, { isAlive: () => true })).findings).toEqual([])
  })

  test('a cut-off end is found by a head that was kept elsewhere, and by nothing else', async () => {
    change((lines) => lines.slice(0, 6))
    const alone = await verifyAudit(folder)
    expect(alone.findings).toEqual([])
    expect(alone.unproven.join()).toContain(
      'its process was killed, or the end of the chain was cut off',
    )
    expect((await verifyAudit(folder, { head })).findings).toEqual([
      {
        what: 'head',
        file: '',
        line: 0,
        expected: renderHead(head),
        found: 'the chain ends with line 6: its end was cut off',
      },
    ])
  })

  test('a chain that was rewritten as a whole is found by a head', async () => {
    const other = makeLogFolder()
    const { log } = await openLog(other)
    for (let at = 0; at < 8; at += 1) await log.append({ kind: 'page', project: `q${at}` })
    await log.close()
    const [file = ''] = listFiles(other)
    const forged = readFileSync(join(other, file), 'utf8').replace(log.head().chain, head.chain)
    writeFileSync(path, forged)
    const { findings } = await verifyAudit(folder, { head })
    expect(findings.map(({ what }) => what)).toContain('head')
  })

  test('a file under the name of another chain is found', async () => {
    const name = path.split('/').at(-1) ?? ''
    renameSync(path, join(folder, name.replace(/_[0-9a-f]{8}\./, '_00000000.')))
    expect((await findWhat())[0]).toBe('changed 1')
  })

  test('every flipped bit is found', async () => {
    const good = readFileSync(path)
    for (let at = 0; at < good.length; at += 1) {
      for (let bit = 1; bit < 256; bit *= 2) {
        const bad = Buffer.from(good)
        bad[at] = (bad[at] ?? 0) ^ bit
        if (isWholeInMemory(bad, head))
          expect.unreachable(`bit ${bit} of byte ${at} was flipped unseen`)
      }
    }
    expect(isWholeInMemory(good, head)).toBe(true)
  })

  test('a flipped bit in the file is found', async () => {
    const good = readFileSync(path)
    for (let at = 0; at < good.length; at += 7) {
      const bad = Buffer.from(good)
      bad[at] = (bad[at] ?? 0) ^ (1 << (at % 8))
      writeFileSync(path, bad)
      const { findings } = await verifyAudit(folder, { head })
      if (findings.length === 0) expect.unreachable(`a bit of byte ${at} was flipped unseen`)
    }
  })
})

/** What `verifyAudit` does with one file, without the file: 20,000 times. */
function isWholeInMemory(bytes: Buffer, head: AuditHead): boolean {
  const check = new ChainCheck(head.chain)
  let isHeadThere = false
  let start = 0
  for (let number = 1; start < bytes.length; number += 1) {
    const end = bytes.indexOf(10, start)
    const state = end < 0 ? 'torn' : 'whole'
    const line = bytes.subarray(start, end < 0 ? bytes.length : end)
    const { entry, digest } = check.addLine(
      { bytes: line, number, state },
      buildPartName(head.chain, 1),
    )
    isHeadThere ||= entry?.seq === head.seq && digest === head.digest
    start += line.length + 1
  }
  check.finish(false)
  return isHeadThere && check.findings.length === 0
}

describe('a chain of several files', () => {
  let folder = ''
  let head: AuditHead

  beforeEach(async () => {
    folder = makeLogFolder()
    const { log } = await openLog(folder, { maxFileBytes: 600 })
    for (let at = 0; at < 30; at += 1) await log.append({ kind: 'page', project: `p${at}` })
    await log.close()
    head = log.head()
  })

  test('is whole', async () => {
    expect(await verifyAudit(folder, { head })).toMatchObject({ findings: [], unproven: [] })
  })

  test('a missing part in the middle is found', async () => {
    rmSync(join(folder, listFiles(folder)[2] ?? ''))
    const { findings } = await verifyAudit(folder)
    expect(findings).toMatchObject([
      { what: 'missing part', file: listFiles(folder)[2], line: 1, found: 'nothing' },
    ])
  })

  test('two parts that changed places are found', async () => {
    const [, second = '', third = ''] = listFiles(folder).map((file) => join(folder, file))
    copyFileSync(second, `${folder}/x`)
    copyFileSync(third, second)
    copyFileSync(`${folder}/x`, third)
    const { findings } = await verifyAudit(folder)
    expect(findings.map(({ what }) => what)).toContain('reordered')
  })

  test('missing oldest parts are named as what cannot be proven', async () => {
    rmSync(join(folder, listFiles(folder)[0] ?? ''))
    const verdict = await verifyAudit(folder)
    expect(verdict.findings).toEqual([])
    expect(verdict.unproven.join()).toContain('no line of the log says who took them')
  })
})

async function makeChains(count: number): Promise<{ folder: string; files: string[] }> {
  const folder = makeLogFolder()
  for (let at = 0; at < count; at += 1) {
    const { log } = await openLog(folder, { now: Date.UTC(2026, 0, 1 + at) })
    await log.append({ kind: 'page', project: `p${at}` })
    await log.close()
  }
  return { folder, files: listFiles(folder) }
}

describe('several chains', () => {
  test('bear witness for each other: a cut-off end is found by the next chain', async () => {
    const { folder, files } = await makeChains(2)
    const path = join(folder, files[0] ?? '')
    writeFileSync(
      path,
      `${readFileSync(path, 'utf8').trimEnd().split('\n').slice(0, 2).join('\n')}\n`,
    )
    const { findings } = await verifyAudit(folder)
    expect(findings).toMatchObject([{ what: 'dropped', file: files[1], line: 1 }])
    expect(findings[0]?.found).toContain('its end was cut off')
  })

  test('a chain that is gone altogether is found by the next chain', async () => {
    const { folder, files } = await makeChains(3)
    rmSync(join(folder, files[1] ?? ''))
    expect((await verifyAudit(folder)).findings).toMatchObject([
      { what: 'missing part', file: files[2], line: 1 },
    ])
  })

  test('only the end of the last one is unproven', async () => {
    const { folder } = await makeChains(3)
    expect((await verifyAudit(folder)).unproven).toHaveLength(1)
  })
})

test('a head is CHAIN:SEQ:DIGEST and nothing else', () => {
  const head = { chain: '20260102T030405000Z_12.34.n1b2_0011aabb', seq: 7, digest: 'a'.repeat(64) }
  expect(parseHead(renderHead(head))).toEqual(head)
  for (const text of [
    '',
    'x:1:y',
    `${renderHead(head)}:`,
    renderHead({ ...head, seq: 0 }),
    renderHead({ ...head, digest: 'A' }),
  ]) {
    expect(parseHead(text)).toBeUndefined()
  }
})

describe('the chain of one process among others', () => {
  test('is judged alone, and a word of a later chain about it counts', async () => {
    const folder = makeLogFolder()
    const heads: AuditHead[] = []
    for (const project of ['p1', 'p2', 'p3']) {
      const { log } = await openLog(folder)
      await log.append({ kind: 'page', project })
      await log.close()
      heads.push(log.head())
    }
    const [first, second] = heads
    const path = (head: AuditHead | undefined): string =>
      join(folder, buildPartName(head?.chain ?? '', 1).file)
    const lines = readFileSync(path(first), 'utf8')
    writeFileSync(path(first), lines.replace('p1', 'px'))
    const chain = second?.chain ?? ''
    const verdict = await verifyAudit(folder, { chain })
    expect(verdict.findings).toEqual([])
    expect(verdict.chains).toEqual([{ head: second, firstSeq: 1, isStopped: true }])
    writeFileSync(path(second), readFileSync(path(second), 'utf8').split('\n')[0] ?? '')
    const { findings } = await verifyAudit(folder, { chain })
    expect(findings.map(({ what }) => what)).toEqual(['torn', 'dropped'])
  })

  test('is missing where no file of it is there', async () => {
    const folder = makeLogFolder()
    const { log } = await openLog(folder)
    await log.close()
    const head = { ...log.head(), chain: '20260102T030405000Z_9.1.n1_00000000' }
    const { findings, chains } = await verifyAudit(folder, { chain: head.chain, head })
    expect(chains).toEqual([])
    expect(findings.map(({ what }) => what)).toEqual(['head'])
  })
})
