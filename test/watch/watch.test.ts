import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { UpstreamError } from '../../src/base/errors.ts'
import { openMirrorIndex } from '../../src/cli/mirror/mirror-index.ts'
import { openMirror, readMirror } from '../../src/mirror/open-mirror.ts'
import { readWatchRecord } from '../../src/watch/health-file.ts'
import { judgeHealth, type Health } from '../../src/watch/health.ts'
import { watchMirror, type WatchOptions } from '../../src/watch/watch.ts'
import { dayMs, hourMs, MirrorFixture } from '../mirror/mirror-fixture.ts'

const minuteMs = 60_000

let mirror: MirrorFixture
let log: string[]
beforeEach(async () => {
  mirror = await MirrorFixture.create()
  await mirror.init()
  await mirror.putPage('foo', ['foo-1.0.tar.gz'])
  await mirror.sync({ projects: ['foo'] })
  log = []
})
afterEach(() => mirror.remove())

/** Runs until the time is up; `onSleep` is told each time that the watch has nothing to do. */
async function watch(
  forMs: number,
  options: Partial<WatchOptions> = {},
  onSleep: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const stop = new AbortController()
  const end = mirror.now + forMs
  await watchMirror({
    ...mirror.context,
    openIndex: openMirrorIndex,
    readRound: () => ({}),
    syncEveryMs: 10 * minuteMs,
    signal: stop.signal,
    sleep: async (milliseconds) => {
      await onSleep()
      mirror.now += milliseconds
      if (mirror.now >= end) stop.abort()
    },
    log: (level, message) => {
      log.push(`${new Date(mirror.now).toISOString().slice(11, 16)} ${level} ${message}`)
    },
    version: '1.2.3',
    ...options,
  })
}

function health(): Promise<Health> {
  const record = readWatchRecord(mirror.directory)
  return readMirror(mirror.directory, (memory) =>
    judgeHealth(memory, record, { now: mirror.now, directory: mirror.directory }),
  )
}

async function urgencyOf(name: string): Promise<string | undefined> {
  return (await health()).roles.find(({ role }) => role === name)?.urgency
}

function failingIndex(isDown: () => boolean): WatchOptions['openIndex'] {
  return async (address) => {
    const port = await openMirrorIndex(address)
    return {
      ...port,
      fetchPage: (...request) =>
        isDown()
          ? Promise.reject(new UpstreamError('UNREACHABLE', 'the index is down'))
          : port.fetchPage(...request),
    }
  }
}

describe('a watch', () => {
  test('syncs at once, then on its interval, and renews in between', async () => {
    await watch(65 * minuteMs)
    expect(log.filter((line) => line.includes('synced'))).toHaveLength(7)
    expect(log[0]).toBe(
      `12:00 info watching ${mirror.directory}: sync every 10 min, renew every 1 h`,
    )
    expect(log.at(-1)).toContain('stopped')
    expect((await mirror.readMetadata('timestamp')).version).toBe(9)
  })

  test('tries again later and later while the index is down, and says so', async () => {
    await watch(90 * minuteMs, { openIndex: failingIndex(() => true) })
    const tries = log
      .filter((line) => line.includes('tried again'))
      .map((line) => /again in (.*)$/.exec(line)?.[1])
    expect(tries.slice(0, 7)).toEqual([
      '30 s',
      '1 min',
      '2 min',
      '4 min',
      '8 min',
      '10 min',
      '10 min',
    ])
    expect(log.some((line) => line.includes('sync has failed'))).toBe(true)
  })

  test('goes on by itself once the index is back', async () => {
    let isDown = true
    await watch(30 * minuteMs, { openIndex: failingIndex(() => isDown) }, () => {
      isDown = log.length < 8
      return Promise.resolve()
    })
    const { watch: record } = await health()
    expect(record?.sync).toMatchObject({ failuresInARow: 0 })
    expect(log.filter((line) => line.includes('the mirror is ok')).length).toBeLessThanOrEqual(1)
  })

  test('waits while another process works on the mirror, which is no failure', async () => {
    const other = await openMirror(mirror.directory, mirror.context)
    await watch(5 * minuteMs)
    await other.close()
    expect(log[1]).toMatch(/info .*mirror\.lock is held by process \d+/)
    expect(log[1]).toContain('sync is tried again in 30 s')
    expect((await health()).watch?.sync).toMatchObject({ failuresInARow: 0 })
    await watch(5 * minuteMs)
    expect((await health()).watch?.sync.lastSuccess).toBeDefined()
  })

  test('lets other processes work on the mirror between its rounds', async () => {
    await watch(20 * minuteMs, {}, async () => {
      const other = await openMirror(mirror.directory, mirror.context)
      await other.close()
    })
    expect(log.filter((line) => line.includes('error'))).toEqual([])
  })

  test('ends in the middle of a sync, and what it had seen is published by the next one', async () => {
    const names = Array.from({ length: 40 }, (_, at) => `p${at}`)
    for (const name of names) await mirror.putPage(name, [`${name}-1.0.tar.gz`])
    const stop = new AbortController()
    let pages = 0
    await watch(hourMs, {
      readRound: () => ({ all: true }),
      signal: stop.signal,
      openIndex: async (address) => {
        const port = await openMirrorIndex(address)
        return {
          ...port,
          fetchPage: (...request) => {
            pages += 1
            if (pages === 20) stop.abort()
            return port.fetchPage(...request)
          },
        }
      },
    })
    expect(pages).toBeLessThan(40)
    expect(log.at(-2)).toContain('sync stopped while it looked at the index')
    expect((await mirror.readMetadata('timestamp')).version).toBe(2)
    expect(await mirror.sync({ all: true })).toMatchObject({ failed: 0 })
    expect(await mirror.findRecord('p39')).toBeDefined()
  })

  test('survives a clock that is set back: nothing is signed, and it is said', async () => {
    await watch(11 * minuteMs)
    mirror.now -= 3 * hourMs
    log.length = 0
    await watch(11 * minuteMs)
    const refused = log.find((line) => line.includes('The clock says'))
    expect(refused).toMatch(/error The clock says .*, which is before the last signature/)
    expect(refused).toContain('--accept-clock')
  })

  test('does not sleep for days where the clock went back while it slept', async () => {
    const stop = new AbortController()
    let isBack = false
    await watch(3 * hourMs, { signal: stop.signal }, () => {
      if (!isBack) mirror.now -= 2 * dayMs
      isBack = true
      if (log.some((line) => line.includes('before the last'))) stop.abort()
      return Promise.resolve()
    })
    // Both are due at once: when they really were nobody knows any more.
    expect(log.filter((line) => line.includes('The clock says'))).toHaveLength(2)
  })

  test('refuses a folder without a mirror before its first round', async () => {
    await expect(watch(hourMs, { directory: mirror.root })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    })
  })
})

describe('the health of a mirror', () => {
  test('is ok, with every role, while all goes well', async () => {
    let seen: unknown
    await watch(15 * minuteMs, {}, async () => {
      seen ??= JSON.parse(await readFile(join(mirror.directory, 'health.json'), 'utf8'))
    })
    expect(seen).toMatchObject({
      v: 1,
      state: 'ok',
      problems: [],
      held: 0,
      indexSeenAt: '2026-03-01T12:00:00Z',
      watch: {
        version: '1.2.3',
        isStopped: false,
        sync: {
          lastSuccess: '2026-03-01T12:00:00Z',
          nextDue: '2026-03-01T12:10:00Z',
          failuresInARow: 0,
        },
      },
    })
    expect((seen as { roles: object[] }).roles).toHaveLength(9)
  })

  test('is a warning once the watch was stopped, and failing when it died without a word', async () => {
    await watch(15 * minuteMs)
    expect(await health()).toMatchObject({
      state: 'warning',
      problems: [{ message: 'the watch was stopped 0 s ago' }],
    })
    const path = join(mirror.directory, 'health.json')
    const text = await readFile(path, 'utf8')
    await writeFile(path, text.replace('"isStopped": true', '"isStopped": false'))
    mirror.now += 20 * minuteMs
    expect((await health()).state).toBe('ok')
    mirror.now += 20 * minuteMs
    expect(await health()).toMatchObject({
      state: 'failing',
      problems: [
        {
          message: expect.stringContaining('the watch has done nothing since it was due') as string,
        },
      ],
    })
  })

  test('fails when the index was not seen for max-unseen, and warns at half of it', async () => {
    mirror.now += 13 * hourMs
    expect((await health()).problems).toContainEqual(
      expect.objectContaining({
        urgency: 'warning',
        message: 'the index was last seen 13 h ago; after 1 d nothing is renewed',
      }),
    )
    mirror.now += 12 * hourMs
    expect((await health()).problems).toContainEqual(
      expect.objectContaining({
        urgency: 'failing',
        message: expect.stringContaining('last seen 1 d ago') as string,
      }),
    )
  })

  test('fails while the clock is before the last signature', async () => {
    mirror.now -= 4 * minuteMs
    expect((await health()).state).toBe('ok')
    mirror.now -= 2 * hourMs
    expect(await health()).toMatchObject({
      state: 'failing',
      problems: [{ message: 'the clock says 2026-03-01T09:56:00Z, 2 h before the last signature' }],
    })
  })

  test('knows when a renewal is late, before anything has expired', async () => {
    mirror.now += 14 * hourMs
    expect(await urgencyOf('timestamp')).toBe('ok')
    mirror.now += 2 * hourMs
    expect(await urgencyOf('timestamp')).toBe('warning')
    mirror.now += 3 * hourMs
    expect(await urgencyOf('timestamp')).toBe('failing')
  })

  test('warns of offline roles 60 days before, and fails in their last week', async () => {
    const start = mirror.now
    for (const [days, urgency] of [
      [304, 'ok'],
      [306, 'warning'],
      [357, 'warning'],
      [359, 'failing'],
    ] as const) {
      mirror.now = start + days * dayMs
      expect(await urgencyOf('root')).toBe(urgency)
    }
  })

  test('does not trust a health.json that somebody damaged', async () => {
    for (const text of ['', '{', '{"v": 1}', '{"v": 99}', '{"v":1,"watch":{"version":1}}']) {
      await writeFile(join(mirror.directory, 'health.json'), text)
      expect(readWatchRecord(mirror.directory)).toBe('damaged')
      expect(await health()).toMatchObject({
        state: 'warning',
        problems: [{ message: 'health.json cannot be read' }],
      })
    }
  })
})
