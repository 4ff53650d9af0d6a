import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { realDisk, type PartDisk } from '../../src/audit/part-file.ts'
import { verifyAudit } from '../../src/audit/verifier.ts'
import { collect, listFiles, makeLogFolder, openLog } from './audit-support.ts'

describe('a log', () => {
  test('begins with start, ends with stop, and binds each line to the one before', async () => {
    const folder = makeLogFolder()
    const { log } = await openLog(folder, { start: { message: 'tufgate 1.0' } })
    await log.append({ kind: 'released', project: 'foo', bytes: 12, ms: 3 })
    await log.close({ message: 'bye' })
    const [file = ''] = listFiles(folder)
    const lines = readFileSync(join(folder, file), 'utf8').trimEnd().split('\n')
    const entries = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(entries.map(({ kind, seq, v }) => [kind, seq, v])).toEqual([
      ['start', 1, 1],
      ['released', 2, 1],
      ['stop', 3, 1],
    ])
    expect(entries[0]).toMatchObject({
      message: 'tufgate 1.0',
      prev: '0'.repeat(64),
      time: '2026-01-02T03:04:05.000Z',
    })
    expect(entries[1]).toMatchObject({ project: 'foo', bytes: 12, ms: 3 })
    expect(entries[2]?.['prev']).toBe(
      createHash('sha256')
        .update(lines[1] ?? '')
        .digest('hex'),
    )
    expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600)
    expect(log.head()).toEqual({
      chain: file.replace(/\.\d+\.jsonl$/, ''),
      seq: 3,
      digest: createHash('sha256')
        .update(lines[2] ?? '')
        .digest('hex'),
    })
  })

  test('acknowledges a line only when it is on disk', async () => {
    const folder = makeLogFolder()
    const steps: string[] = []
    const disk: PartDisk = {
      ...realDisk,
      create: async (path) => {
        const file = await realDisk.create(path)
        return {
          ...file,
          append: (bytes) => (steps.push('append'), file.append(bytes)),
          sync: async () => {
            await file.sync()
            steps.push('synced')
          },
        }
      },
    }
    const { log } = await openLog(folder, { disk })
    steps.length = 0
    await log.append({ kind: 'refused', code: 'DENIED' }).then(() => steps.push('acknowledged'))
    expect(steps).toEqual(['append', 'synced', 'acknowledged'])
    await log.close()
  })

  test('writes a thousand lines that come at once with a handful of syncs', async () => {
    let syncs = 0
    const disk: PartDisk = {
      ...realDisk,
      create: async (path) => {
        const file = await realDisk.create(path)
        return { ...file, sync: () => ((syncs += 1), file.sync()) }
      },
    }
    const folder = makeLogFolder()
    const { log } = await openLog(folder, { disk })
    const events = Array.from(
      { length: 1000 },
      (_, at) => ({ kind: 'page', project: `p${at}` }) as const,
    )
    await Promise.all(events.map((event) => log.append(event)))
    expect(syncs).toBeLessThan(5)
    await log.close()
    expect((await collect(folder, { kinds: ['page'] })).map(({ project }) => project)).toEqual(
      events.map(({ project }) => project),
    )
  })

  test('refuses what comes after close', async () => {
    const { log } = await openLog(makeLogFolder())
    await log.close()
    await log.close()
    await expect(log.append({ kind: 'page' })).rejects.toMatchObject({ code: 'AUDIT_FAILED' })
  })

  test('goes on in the next file when one is full, in one chain', async () => {
    const folder = makeLogFolder()
    const { log } = await openLog(folder, { maxFileBytes: 1000 })
    for (let at = 0; at < 20; at += 1) await log.append({ kind: 'page', project: `p${at}` })
    await log.close()
    expect(listFiles(folder).length).toBeGreaterThan(3)
    expect(await verifyAudit(folder)).toMatchObject({
      findings: [],
      chains: [{ firstSeq: 1, isStopped: true }],
    })
  })

  test('lets the oldest files go within the disk budget, says so, and the rest verifies', async () => {
    const folder = makeLogFolder()
    const first = await openLog(folder, { maxFileBytes: 1000, maxTotalBytes: 5000 })
    for (let at = 0; at < 60; at += 1) await first.log.append({ kind: 'page', project: `p${at}` })
    await first.log.close()
    const sizes = listFiles(folder).map((file) => statSync(join(folder, file)).size)
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(7000)
    const verdict = await verifyAudit(folder)
    expect(verdict.findings).toEqual([])
    expect(verdict.chains[0]?.firstSeq).toBeGreaterThan(1)
    expect(verdict.unproven.join()).toContain('the disk budget took them')
    const removed = (await collect(folder, { kinds: ['warning'] })).flatMap(
      (entry) => entry.removed ?? [],
    )
    expect(removed.length).toBeGreaterThan(0)
  })

  test('never lets the running file of another living process go', async () => {
    const folder = makeLogFolder()
    const quiet = await openLog(folder, { isAlive: () => true })
    const busy = await openLog(folder, {
      isAlive: () => true,
      maxFileBytes: 1000,
      maxTotalBytes: 3000,
    })
    for (let at = 0; at < 40; at += 1) await busy.log.append({ kind: 'page', project: `p${at}` })
    await quiet.log.append({ kind: 'page', project: 'quiet' })
    expect(await collect(folder, { project: 'quiet' })).toHaveLength(1)
    await quiet.log.close()
    await busy.log.close()
  })
})

describe('the text of a line', () => {
  test('is cut, stays on one line, and cannot move a cursor or turn text around', async () => {
    const folder = makeLogFolder()
    const { log } = await openLog(folder)
    const evil =
      '\n{"v":1}\r\u001b[2J\u0000\u2028\u2029\u202e\u2066\u200b\ufeff\u009b\u007f\ud800"\\'
    await log.append({
      kind: 'refused',
      file: evil,
      message: 'x'.repeat(5000),
      request: `GET /${'a'.repeat(9000)}`,
    })
    await log.close()
    const text = readFileSync(join(folder, listFiles(folder)[0] ?? ''), 'utf8')
    expect(text.trimEnd().split('\n')).toHaveLength(3)
    expect(text).not.toMatch(/[^\x20-\x7e\n]/)
    const [entry] = await collect(folder, { kinds: ['refused'] })
    expect(entry?.file).toBe(evil)
    expect(entry?.message).toBe(`${'x'.repeat(1021)}...`)
    expect(entry?.request).toHaveLength(2048)
  })

  test('has no queries and no credentials', async () => {
    const folder = makeLogFolder()
    const { log } = await openLog(folder)
    await log.append({
      kind: 'warning',
      request: 'GET /simple/foo/?token=secret',
      message: 'cannot reach https://user:secret@host/path and //secret@other/x',
    })
    await log.close()
    const text = readFileSync(join(folder, listFiles(folder)[0] ?? ''), 'utf8')
    expect(text).not.toContain('secret')
    expect(text).toContain('https://host/path')
  })

  test('leaves out numbers that JSON has not', async () => {
    const folder = makeLogFolder()
    const { log } = await openLog(folder)
    await log.append({
      kind: 'page',
      bytes: Number.NaN,
      ms: Infinity,
      trust: { root: 3, timestamp: 41, role: 'bins-0a' },
    })
    await log.close()
    const [entry] = await collect(folder, { kinds: ['page'] })
    expect(entry).not.toHaveProperty('bytes')
    expect(entry).not.toHaveProperty('ms')
    expect(entry?.trust).toEqual({ root: 3, timestamp: 41, role: 'bins-0a' })
  })
})

describe('repeats', () => {
  const refusal = { kind: 'refused', code: 'DENIED', project: 'foo', client: '127.0.0.1' } as const

  test('are written ten times in a minute, then counted', async () => {
    const folder = makeLogFolder()
    const { log, clock } = await openLog(folder)
    const appended = new Map<string, number>()
    for (let at = 0; at < 25; at += 1) {
      const outcome = await log.append({ ...refusal, id: `r-${at}` })
      appended.set(outcome, (appended.get(outcome) ?? 0) + 1)
    }
    expect([...appended]).toEqual([
      ['written', 10],
      ['counted', 15],
    ])
    expect(await collect(folder, { kinds: ['refused'] })).toHaveLength(10)
    clock.now += 60_000
    await log.append({ kind: 'page' })
    const counted = await collect(folder, { kinds: ['refused'] })
    expect(counted).toHaveLength(11)
    expect(counted[10]).toMatchObject({ ...refusal, count: 15, since: '2026-01-02T03:04:05.000Z' })
    await log.append(refusal)
    expect(await collect(folder, { kinds: ['refused'] })).toHaveLength(12)
    await log.close()
  })

  test('hide no bytes: small passages in front do not make the large ones behind them disappear', async () => {
    const folder = makeLogFolder()
    const { log } = await openLog(folder)
    const passed = { kind: 'page', code: 'PASSED_UNVERIFIED', found: 'evil.test:443' } as const
    for (let at = 0; at < 20; at += 1) {
      await log.append({ ...passed, message: 'a tunnel to evil.test:443' })
      const message = `the tunnel to evil.test:443 has ended: ${at} bytes there`
      await log.append({ ...passed, message, bytes: at < 5 ? 1 : 1_000_000 })
    }
    await log.close()
    const lines = (await collect(folder)).filter(({ code }) => code === passed.code)
    expect(lines.reduce((sum, { bytes = 0 }) => sum + bytes, 0)).toBe(15_000_005)
    expect(lines.at(-1)).toMatchObject({ found: 'evil.test:443', count: 30, bytes: 15_000_000 })
    expect(lines.at(-1)).not.toHaveProperty('message')
  })

  test('are counted at close and at flush', async () => {
    const folder = makeLogFolder()
    const { log } = await openLog(folder)
    for (let at = 0; at < 12; at += 1) await log.append(refusal)
    await log.flush()
    for (let at = 0; at < 13; at += 1) await log.append(refusal)
    await log.close()
    const counts = (await collect(folder, { kinds: ['refused'] })).flatMap(
      ({ count }) => count ?? [],
    )
    expect(counts).toEqual([2, 3])
  })

  test('are counted when their minute is over, even if nothing else happens', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const folder = makeLogFolder()
    const { log, clock } = await openLog(folder)
    for (let at = 0; at < 12; at += 1) await log.append(refusal)
    clock.now += 60_000
    vi.advanceTimersByTime(60_000)
    await log.append({ kind: 'page' })
    expect((await collect(folder)).flatMap(({ count }) => count ?? [])).toEqual([2])
    await log.close()
  })

  test('are counted and written anew after a clock that went back, which would never end their minute', async () => {
    const folder = makeLogFolder()
    const { log, clock } = await openLog(folder)
    const event = { kind: 'refused', code: 'DENIED', project: 'foo' } as const
    for (let at = 0; at < 12; at += 1) await log.append(event)
    clock.now -= 365 * 86_400_000
    await log.append({ ...event, message: 'after the jump' })
    const lines = await collect(folder)
    expect(lines.filter(({ count }) => count === 2)).toHaveLength(1)
    expect(lines.at(-1)).toMatchObject({ message: 'after the jump' })
    await log.close()
  })

  test('of different clients, files or codes are not the same', async () => {
    const folder = makeLogFolder()
    const { log } = await openLog(folder)
    for (let at = 0; at < 12; at += 1) {
      await log.append({ ...refusal, client: `10.0.0.${at}` })
      await log.append({ ...refusal, file: `f${at}` })
    }
    expect(await collect(folder, { kinds: ['refused'] })).toHaveLength(24)
    await log.close()
  })

  test('from ten thousand addresses do not fill the memory, and none is lost', async () => {
    const folder = makeLogFolder()
    const { log } = await openLog(folder)
    const appends: Promise<unknown>[] = []
    for (let at = 0; at < 10_000; at += 1)
      appends.push(log.append({ ...refusal, client: `c${at}` }))
    await Promise.all(appends)
    await log.close()
    expect(await collect(folder, { kinds: ['refused'] })).toHaveLength(10_000)
  })

  test('of names that a client thinks up do not push the older log out', async () => {
    const folder = makeLogFolder()
    const { log } = await openLog(folder)
    const appends: Promise<unknown>[] = []
    for (let at = 0; at < 5000; at += 1) {
      appends.push(log.append({ ...refusal, code: 'NOT_FOUND', project: `nobody-${at}` }))
      if (at < 3)
        appends.push(log.append({ ...refusal, code: 'NOT_FOUND', client: `10.0.0.${at}` }))
      // What stands in a signed record is told one by one, however much it is.
      if (at < 1500) appends.push(log.append({ ...refusal, file: `foo-${at}.whl` }))
    }
    await Promise.all(appends)
    await log.close()
    const refused = await collect(folder, { kinds: ['refused'] })
    expect(refused.filter(({ code }) => code === 'DENIED')).toHaveLength(1500)
    const invented = refused.filter(({ code }) => code === 'NOT_FOUND')
    expect(invented).toHaveLength(1000 + 3 + 1)
    expect(invented.at(-1)).toMatchObject({ count: 4000, client: refusal.client })
    expect(invented.at(-1)).not.toHaveProperty('project')
  })
})
