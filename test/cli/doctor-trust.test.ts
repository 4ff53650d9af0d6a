import { appendFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { examine } from '../../src/cli/doctor/doctor-examination.ts'
import { readSettings } from '../../src/cli/read-settings.ts'
import type { Finding } from '../../src/doctor/finding.ts'
import { Trial } from '../e2e/trial.ts'
import { buildWheel } from '../support/build-wheel.ts'
import { findClosedPort } from './hostile-address.ts'
import { Machine } from './doctor-fixture.ts'

const day = 86_400_000
const wheel = buildWheel({ name: 'greeting', version: '1.0' })

let trial: Trial
let machine: Machine
let config: string
let state: string
/** Nobody is there. */
let silent: string

beforeAll(async () => {
  trial = await Trial.create()
  trial.publish('greeting', [wheel])
  await trial.sync()
  machine = await Machine.create()
  // A proxy was there and is gone: what it trusted lies in its state.
  const proxy = await trial.startProxy()
  await fetch(`${proxy.origin}/simple/greeting/`)
  await proxy.stop()
  silent = `http://127.0.0.1:${await findClosedPort()}`
  const settings = `listen = ["${silent.slice('http://'.length)}"]`
  ;({ config } = await trial.writeSettings({ settings, state: proxy.state }))
  ;({ state } = proxy)
}, 60_000)

afterAll(async () => {
  await machine.remove()
  await trial.close()
})

async function look(now = Date.now(), file = config): Promise<readonly Finding[]> {
  const { findings } = await examine({
    folder: machine.project,
    settings: readSettings(file, {}),
    stateHome: state,
    environment: machine.environment,
    isOnline: true,
    now,
  })
  return findings.filter(({ code }) => code !== 'proxy-not-running')
}

async function codes(now?: number, file?: string): Promise<string[]> {
  return (await look(now, file)).map(({ severity, code }) => `${severity} ${code}`)
}

/** Everything below it. */
async function describeAll(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return Promise.all(
    entries.map(async (entry) => {
      const path = join(entry.parentPath, entry.name)
      return entry.isFile() ? `${path} ${(await readFile(path)).toString('base64')}` : path
    }),
  )
}

/** Undone afterwards. */
async function withFile<T>(path: string, content: Uint8Array, work: () => Promise<T>): Promise<T> {
  const before = await readFile(path)
  await writeFile(path, content)
  try {
    return await work()
  } finally {
    await writeFile(path, before)
  }
}

beforeEach(() => trial.servePage('', { meta: { 'api-version': '1.4' }, projects: [] }))

describe('the signed list of a mirror', () => {
  test('that is good now is no finding', async () => {
    expect(await look()).toEqual([])
  })

  test('is looked at without a trace in the state or in the mirror', async () => {
    const before = [...(await describeAll(state)), ...(await describeAll(trial.published))]
    await look()
    await look(Date.now() + 400 * day)
    expect([...(await describeAll(state)), ...(await describeAll(trial.published))]).toEqual(before)
  })

  test('is told of before it expires', async () => {
    const text = await readFile(join(trial.published, 'metadata/timestamp.json'), 'utf8')
    const { signed } = JSON.parse(text) as { readonly signed: { readonly expires: string } }
    const found = await look(Date.parse(signed.expires) - 60_000)
    expect(found[0]).toMatchObject({ severity: 'warning', code: 'expires-soon' })
    expect(found[0]?.what).toMatch(/^trial: the time stamp of the signed list expires in 1 min/)
  })

  test('is told of when it has expired', async () => {
    const found = await look(Date.now() + 2 * day)
    expect(found[0]).toMatchObject({ severity: 'problem', code: 'mirror-refused' })
    expect(found[0]?.what).toContain('timestamp version')
  })

  test('is told of when its root has', async () => {
    expect(await codes(Date.now() + 400 * day)).toContain('problem expired')
  })

  test('that is older than what was trusted here is refused', async () => {
    const older = await readFile(join(trial.published, 'metadata/timestamp.json'))
    trial.publish('greeting', [wheel, buildWheel({ name: 'greeting', version: '1.1' })])
    await trial.sync()
    const proxy = await trial.startProxy({ state })
    await fetch(`${proxy.origin}/simple/greeting/`)
    await proxy.stop()
    expect(await look()).toEqual([])
    const path = join(trial.published, 'metadata/timestamp.json')
    const found = await withFile(path, older, () => look())
    expect(found).toMatchObject([{ code: 'mirror-refused', severity: 'problem' }])
    expect(found[0]?.what).toContain('timestamp went back from version')
  })

  test('that is damaged, or signed by nobody, is refused', async () => {
    const path = join(trial.published, 'metadata/timestamp.json')
    const text = (await readFile(path, 'utf8')).replace(/"sig":"..../, '"sig":"0000')
    expect(await withFile(path, Buffer.from(text), () => codes())).toEqual([
      'problem mirror-refused',
    ])
    expect(await withFile(path, Buffer.from('{'), () => codes())).toEqual([
      'problem mirror-refused',
    ])
  })

  test('cannot be had where the mirror is gone', async () => {
    const gone = await trial.writeSettings({ mirror: `${silent}/mirror/`, state })
    expect(await codes(undefined, gone.config)).toEqual(['problem mirror-unreachable'])
  })
})

describe('the index', () => {
  test('is told of when it does not answer', async () => {
    const text = (await readFile(config, 'utf8')).replace(trial.indexUrl, `${silent}/simple/`)
    const file = await machine.write('silent.toml', text)
    const found = await look(undefined, file)
    expect(found.map(({ code }) => code)).toEqual(['index-unreachable', 'not-asked'])
  })

  test('bears witness against the clock of this machine', async () => {
    const wrong = new Date(Date.now() + 3 * 3_600_000).toUTCString()
    trial.index.on('/simple/', (_request, response) => {
      response.writeHead(200, { date: wrong }).end()
    })
    const found = await look()
    expect(found).toMatchObject([{ severity: 'problem', code: 'clock-wrong', place: 'the clock' }])
    expect(found[0]?.what).toMatch(/^this machine is 2 h behind 127\.0\.0\.1:/)
  })
})

async function findAuditFolder(): Promise<string> {
  const folders = await readdir(state)
  return join(state, folders.find((name) => /^[0-9a-f]{64}$/.test(name)) ?? '', 'audit')
}

describe('what the proxy has left', () => {
  test('is told of where the audit log was changed', async () => {
    const folder = await findAuditFolder()
    const name = (await readdir(folder)).toSorted().at(-1) ?? ''
    const path = join(folder, name)
    const lines = (await readFile(path, 'utf8')).split('\n')
    const changed = [lines[0]?.replace('"start"', '"stop"'), ...lines.slice(1)].join('\n')
    const found = await withFile(path, Buffer.from(changed), () => look())
    expect(found).toMatchObject([
      { severity: 'warning', code: 'audit-broken', mend: `tufgate audit verify --log ${folder}` },
    ])
    expect(found[0]?.what).toContain(`changed in ${name}, line 1`)
  })

  test('is told of where the log ends in the middle of a line', async () => {
    const folder = await findAuditFolder()
    const path = join(folder, (await readdir(folder)).toSorted().at(-1) ?? '')
    const before = await readFile(path)
    await appendFile(path, '{"v":1,')
    try {
      expect(await codes()).toEqual(['warning audit-broken'])
    } finally {
      await writeFile(path, before)
    }
  })

  test('is no finding where there is no state yet', async () => {
    const other = machine.path('no-state')
    const { findings } = await examine({
      folder: machine.project,
      settings: readSettings(config, {}),
      stateHome: other,
      environment: machine.environment,
      isOnline: true,
      now: Date.now(),
    })
    expect(findings.map(({ code }) => code)).toEqual(['proxy-not-running'])
    await expect(readdir(other)).rejects.toThrow('ENOENT')
  })

  test('is told of where an authority for interception is damaged', async () => {
    const folder = join(state, 'authority')
    await mkdir(folder, { mode: 0o700 })
    await writeFile(join(folder, '0123456789abcdef.json'), '{}', { mode: 0o600 })
    try {
      expect(await codes()).toEqual(['problem authority-unreadable'])
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
