import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { realDisk, type PartDisk } from '../../src/audit/part-file.ts'
import { verifyAudit } from '../../src/audit/verifier.ts'
import { matching } from '../support/expecting.ts'
import { collect, listFiles, makeLogFolder, openLog, readLinesOf } from './audit-support.ts'

/** A disk that can be told to fail: at the next creation, write, sync or cut. */
function makeFailingDisk(): { disk: PartDisk; state: { fails: string } } {
  const state = { fails: '' }
  const failIf = (step: string): void => {
    if (state.fails.includes(step))
      throw Object.assign(new Error(`ENOSPC at ${step}`), { code: 'ENOSPC' })
  }
  const disk: PartDisk = {
    create: async (path) => {
      failIf('create')
      const file = await realDisk.create(path)
      return {
        ...file,
        append: async (bytes) => {
          if (state.fails.includes('half')) await file.append(bytes.subarray(0, bytes.length / 2))
          failIf('half')
          failIf('append')
          await file.append(bytes)
        },
        sync: async () => {
          failIf('sync')
          await file.sync()
        },
      }
    },
    cut: async (path, length) => {
      failIf('cut')
      await realDisk.cut(path, length)
    },
  }
  return { disk, state }
}

describe('a disk that fails', () => {
  test.each(['append', 'half', 'sync', 'append create', 'half cut', 'half cut create sync'])(
    'rejects what it could not write, and heals with the disk: %s',
    async (fails) => {
      const folder = makeLogFolder()
      const { disk, state } = makeFailingDisk()
      const { log } = await openLog(folder, { disk })
      await log.append({ kind: 'page', project: 'before' })
      state.fails = fails
      for (let at = 0; at < 3; at += 1) {
        await expect(log.append({ kind: 'refused', project: `during${at}` })).rejects.toMatchObject(
          {
            code: 'AUDIT_FAILED',
            facts: { found: 'ENOSPC' },
          },
        )
      }
      state.fails = ''
      await log.append({ kind: 'page', project: 'after' })
      await log.close()
      expect(
        (await collect(folder)).map(({ kind, project, count }) => project ?? count ?? kind),
      ).toEqual(['start', 'before', 3, 'after', 'stop'])
      expect((await verifyAudit(folder, { head: log.head() })).findings).toEqual([])
    },
  )

  test.each(['append', 'half', 'half cut'])(
    'however often it fails: %s, leaves no heap of empty files, which would push the older log out',
    async (fails) => {
      const folder = makeLogFolder()
      const { log: before } = await openLog(folder)
      await before.append({ kind: 'refused', project: 'evidence' })
      await before.close()
      const { disk, state } = makeFailingDisk()
      const { log } = await openLog(folder, { disk })
      state.fails = fails
      for (let at = 0; at < 50; at += 1) {
        await expect(log.append({ kind: 'refused', project: `p${at}` })).rejects.toThrow()
      }
      expect(listFiles(folder).length).toBeLessThanOrEqual(3)
      state.fails = ''
      await log.close()
      expect((await collect(folder)).map(({ project }) => project)).toContain('evidence')
      expect((await verifyAudit(folder, { head: log.head() })).findings).toEqual([])
    },
  )

  test('is known at the start', async () => {
    const { disk, state } = makeFailingDisk()
    state.fails = 'append'
    await expect(openLog(makeLogFolder(), { disk })).rejects.toMatchObject({ code: 'AUDIT_FAILED' })
  })

  test('does not let a refusal hide behind a count', async () => {
    const folder = makeLogFolder()
    const { disk, state } = makeFailingDisk()
    const { log } = await openLog(folder, { disk })
    const refusal = { kind: 'refused', code: 'DENIED' } as const
    for (let at = 0; at < 12; at += 1) await log.append(refusal)
    state.fails = 'sync'
    await expect(log.append({ kind: 'page' })).rejects.toMatchObject({ code: 'AUDIT_FAILED' })
    await expect(log.append(refusal)).rejects.toMatchObject({ code: 'AUDIT_FAILED' })
    state.fails = ''
    await log.append(refusal)
    await log.close()
    const counts = (await collect(folder)).flatMap(({ count }) => count ?? [])
    // Two that failed, told at the recovery; two behind a count.
    expect(counts).toEqual([2, 2])
  })

  test('and counts that could not be written are told as a number too', async () => {
    const folder = makeLogFolder()
    const { disk, state } = makeFailingDisk()
    const { log } = await openLog(folder, { disk })
    for (let at = 0; at < 15; at += 1) await log.append({ kind: 'refused', code: 'DENIED' })
    state.fails = 'sync'
    await expect(log.flush()).rejects.toMatchObject({ code: 'AUDIT_FAILED' })
    state.fails = ''
    await log.close()
    expect((await collect(folder)).flatMap(({ count }) => count ?? [])).toEqual([5])
  })

  test('a log file that somebody deletes is noticed at the next line', async () => {
    const folder = makeLogFolder()
    const { log } = await openLog(folder)
    rmSync(join(folder, listFiles(folder)[0] ?? ''))
    await expect(log.append({ kind: 'page', project: 'a' })).rejects.toThrow('was deleted')
    await log.append({ kind: 'page', project: 'b' })
    await log.close()
    expect(await collect(folder, { project: 'b' })).toHaveLength(1)
    // The start line went with the file, and the log says that something is missing.
    expect((await verifyAudit(folder)).unproven.join()).toContain(
      'no line of the log says who took them',
    )
  })

  test('a queue that grows without end is refused', async () => {
    const folder = makeLogFolder()
    const gate = Promise.withResolvers<undefined>()
    let isGated = false
    const disk: PartDisk = {
      ...realDisk,
      create: async (path) => {
        const file = await realDisk.create(path)
        return {
          ...file,
          sync: () => (isGated ? gate.promise.then(() => file.sync()) : file.sync()),
        }
      },
    }
    const { log } = await openLog(folder, { disk })
    isGated = true
    const outcomes: Promise<string>[] = []
    for (let at = 0; at < 20_000; at += 1) {
      const append = log.append({ kind: 'page', project: `p${at}` })
      outcomes.push(
        append.then(
          () => 'written',
          () => 'refused',
        ),
      )
    }
    gate.resolve(undefined)
    const all = await Promise.all(outcomes)
    const refused = all.filter((outcome) => outcome === 'refused').length
    expect(refused).toBeGreaterThan(1000)
    await log.close()
    const lost = (await collect(folder, { kinds: ['warning'] })).reduce(
      (sum, { count = 0 }) => sum + count,
      0,
    )
    expect(lost).toBe(refused)
    expect((await collect(folder, { kinds: ['page'] })).length).toBe(20_000 - refused)
  })
})

describe('the next start', () => {
  test('cuts the torn last line of a dead process, and tells of it', async () => {
    const folder = makeLogFolder()
    const { log } = await openLog(folder)
    await log.append({ kind: 'page', project: 'foo' })
    const [file = ''] = listFiles(folder)
    const whole = readFileSync(join(folder, file))
    writeFileSync(join(folder, file), Buffer.concat([whole, Buffer.from('{"v":1,"seq":3,"ti')]))
    const next = await openLog(folder)
    expect(readFileSync(join(folder, file)).equals(whole)).toBe(true)
    const [warning] = await collect(folder, { kinds: ['warning'] })
    expect(warning?.message).toBe(
      `the last line of ${file} was torn by a crash and was cut: 18 bytes`,
    )
    expect((await verifyAudit(folder)).findings).toEqual([])
    await next.log.close()
  })

  test('does not wait for a FIFO in the place of a part, nor follow a link out of its folder', async () => {
    const folder = makeLogFolder()
    const { log } = await openLog(folder)
    await log.close()
    const [part = ''] = listFiles(folder)
    const foreign = join(makeLogFolder(), 'foreign')
    writeFileSync(foreign, 'whole\nwithout a line feed')
    rmSync(join(folder, part))
    symlinkSync(foreign, join(folder, part))
    await expect(openLog(folder)).rejects.toMatchObject({ code: 'AUDIT_FAILED' })
    expect(readFileSync(foreign, 'utf8')).toBe('whole\nwithout a line feed')
    rmSync(join(folder, part))
    execFileSync('mkfifo', [join(folder, part)])
    await expect(openLog(folder)).rejects.toMatchObject({
      code: 'AUDIT_FAILED',
      message: matching(/is not a file/),
    })
    expect(await collect(folder)).toEqual([])
  })

  test('does not touch the chain of a living process', async () => {
    const folder = makeLogFolder()
    const { log } = await openLog(folder)
    const [file = ''] = listFiles(folder)
    const path = join(folder, file)
    writeFileSync(path, '{"v":1,"se', { flag: 'a' })
    const before = readFileSync(path)
    const next = await openLog(folder, { isAlive: () => true })
    expect(readFileSync(path).equals(before)).toBe(true)
    await next.log.close()
    await log.close()
  })

  test('names the newest line of the chain before', async () => {
    const folder = makeLogFolder()
    const first = await openLog(folder)
    await first.log.append({ kind: 'page' })
    await first.log.close()
    const { chain, seq, digest } = first.log.head()
    const second = await openLog(folder, { now: Date.UTC(2027, 0, 1) })
    expect(readLinesOf(folder).at(-1)).toMatchObject({
      kind: 'start',
      previous: `${chain}:${seq}:${digest}`,
    })
    await second.log.close()
  })
})
