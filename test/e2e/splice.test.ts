/**
 * Attacks on an answer that has begun: the file host is slow, so that the headers and a few bytes
 * leave before the whole is verified. What a client puts together from several answers counts.
 */

import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { padTo, buildSdist } from '../support/build-sdist.ts'
import { buildWheel, sha256 } from '../support/build-wheel.ts'
import { having, matching } from '../support/expecting.ts'
import { inOrder, serve, stall, type Behaviour } from '../support/hostile-server.ts'
import {
  createPipEnvironment,
  hasPip,
  warnWithoutPip,
  type PipEnvironment,
} from '../support/pip.ts'
import { RawClient } from '../support/raw-client.ts'
import { startRelay, type RecordingRelay } from '../support/recording-relay.ts'
import { buildEvilSdist, evilCode, longSetup } from './attacks.ts'
import { pathOf, recordAnswer } from '../support/proxy-witness.ts'
import { readLog, requireCleanVault } from './observe.ts'
import { Trial, type TrialProxy } from './trial.ts'

warnWithoutPip()

/** What may leave before the whole is verified. */
const maxUnverifiedBytes = 48

/** `head`, then nothing; once `cut` resolves the connection ends in order (FIN). */
function cutWhen(cut: Promise<void>, bytes: Uint8Array, kept: number): Behaviour {
  return (request, response, earlier) => {
    stall(bytes, kept)(request, response, earlier)
    void cut.then(() => response.socket?.end())
  }
}

/** The same file with its first bytes changed, as a resuming client would keep them. */
function changeHead(bytes: Uint8Array): Buffer {
  const changed = Buffer.from(bytes)
  changed.fill(0x45, 0, maxUnverifiedBytes)
  return changed
}

describe.runIf(hasPip)('an answer that began before the file was verified', () => {
  let trial: Trial
  let proxy: TrialProxy
  let relay: RecordingRelay
  let environment: PipEnvironment
  const spliced = buildWheel({ name: 'e2e-spliced', version: '1.0' })
  const piped = buildWheel({ name: 'e2e-piped', version: '1.0' })
  const padded = buildSdist({ name: 'e2e-padded', version: '1.0', setup: longSetup })
  const late = buildWheel({ name: 'e2e-late', version: '1.0', code: evilCode })

  beforeAll(async () => {
    trial = await Trial.create()
    trial.publish('e2e-spliced', [spliced])
    trial.publish('e2e-piped', [piped])
    trial.publish('e2e-padded', [padded])
    trial.publish('e2e-late', [late])
    expect(await trial.sync()).toMatchObject({ exitCode: 0 })
    proxy = await trial.startProxy({ settings: 'hold-for = "300ms"' })
    relay = await startRelay(proxy.port)
    environment = await createPipEnvironment(join(trial.folder, 'venv'))
  }, 120_000)

  afterAll(async () => {
    await relay.close()
    await trial.close()
  })

  function install(project: string) {
    return environment.pip('install', '--index-url', `${relay.origin}/simple/`, project)
  }

  /** Of files of the project, and what pip held of them. */
  function answersToPip(project: string) {
    return relay.answers().filter(({ path }) => path.startsWith(`/files/${project}/`))
  }

  test('A17: a client that resumes behind a tampered beginning gets the whole genuine file', async () => {
    const cut = Promise.withResolvers<void>()
    const bad = changeHead(spliced.bytes)
    const file = inOrder(cutWhen(cut.promise, bad, 100), serve(spliced.bytes))
    trial.index.on(`/files/${spliced.filename}`, file)
    const target = pathOf(trial, 'e2e-spliced', spliced.filename)
    const client = await RawClient.open(proxy.port)
    client.ask(target)
    const first = Buffer.from(await client.bodyBytes(1))
    const head = client.received.toString('latin1').split('\r\n\r\n')[0] ?? ''
    cut.resolve()
    expect(await client.ended()).toBe('fin')
    const held = Buffer.from(await client.bodyBytes(1))
    client.close()

    expect(head).toMatch(/^HTTP\/1\.1 200 /)
    expect(head).toContain(`Content-Length: ${spliced.bytes.length}`)
    expect(first[0]).toBe(bad[0])
    expect(held.length).toBeLessThanOrEqual(maxUnverifiedBytes)
    // Nothing that a client could resume with.
    expect(head).not.toMatch(/^(?:etag|last-modified|accept-ranges):/im)
    const range = `Range: bytes=${held.length}-`
    for (const condition of [
      ['User-Agent: pip/26.2.1 {}'],
      ['If-Range: "sha256-0"'],
      [`If-Range: ${new Date().toUTCString()}`],
    ]) {
      const resumed = await recordAnswer(proxy.port, target, [range, ...condition])
      expect(resumed.status).toBe(200)
      expect(sha256(resumed.body)).toBe(spliced.sha256)
    }
    await requireCleanVault(proxy)
  })

  test('A17: pip does not put a tampered beginning before the genuine rest', async () => {
    const cut = Promise.withResolvers<void>()
    const bad = changeHead(piped.bytes)
    const file = inOrder(cutWhen(cut.promise, bad, 100), serve(piped.bytes))
    trial.index.on(`/files/${piped.filename}`, file)
    const installing = install('e2e-piped')
    await relay.waitFor(({ path, body }) => path.endsWith(piped.filename) && body.length > 0)
    cut.resolve()
    const { code } = await installing
    const [begun, ...others] = answersToPip('e2e-piped').filter(({ path }) => path.endsWith('.whl'))
    expect(begun).toMatchObject({ status: 200 })
    expect(begun?.body.length).toBeLessThanOrEqual(maxUnverifiedBytes)
    for (const { body } of others) expect(sha256(body)).toBe(piped.sha256)
    // pip 26 asks again by itself; before that, a second run finds the verified file.
    if (code !== 0) expect((await environment.pip('list')).stdout).not.toContain('e2e-piped')
    expect(await install('e2e-piped')).toMatchObject({ code: 0 })
    await requireCleanVault(proxy)
  }, 60_000)

  test('A16: a small evil sdist, padded to the genuine length and stopped short', async () => {
    const { length } = padded.bytes
    const stop = Promise.withResolvers<void>()
    const evil = padTo(buildEvilSdist('e2e-padded'), length)
    trial.index.on(`/files/${padded.filename}`, cutWhen(stop.promise, evil, length - 1))
    const target = pathOf(trial, 'e2e-padded', padded.filename)
    const running = Promise.all([install('e2e-padded'), recordAnswer(proxy.port, target)])
    await relay.waitFor(({ path, body }) => path.endsWith(padded.filename) && body.length > 0)
    stop.resolve()
    const [installed, raw] = await running
    expect(installed.code).not.toBe(0)
    expect(`${installed.stdout}${installed.stderr}`).not.toContain('evil')
    for (const { status, body } of [raw, ...answersToPip('e2e-padded')]) {
      if (status === 200) expect(body.length).toBeLessThanOrEqual(maxUnverifiedBytes)
      else expect(JSON.parse(String(body))).toMatchObject({ status: 504, code: 'BROKEN_OFF' })
    }
    await requireCleanVault(proxy)
    expect(await readLog(proxy, '--project', 'e2e-padded', '--kind', 'refused')).toContainEqual(
      having({
        file: padded.filename,
        code: 'BROKEN_OFF',
        found: matching(/./),
      }),
    )
  }, 60_000)

  test('a file that turns out bad ends with FIN after a few bytes, and the next request hears why', async () => {
    const checked = Promise.withResolvers<void>()
    const bad = Buffer.from(late.bytes)
    bad[bad.length - 1] = (bad.at(-1) ?? 0) ^ 1
    const file: Behaviour = (_, response) => {
      response.writeHead(200, { 'content-length': bad.length })
      response.write(bad.subarray(0, 100))
      void checked.promise.then(() => response.end(bad.subarray(100)))
    }
    trial.index.on(`/files/${late.filename}`, file)
    const target = pathOf(trial, 'e2e-late', late.filename)
    const client = await RawClient.open(proxy.port)
    client.ask(target)
    await client.bodyBytes(1)
    checked.resolve()
    expect(await client.ended()).toBe('fin')
    const held = await client.bodyBytes(1)
    expect(held.length).toBeLessThanOrEqual(maxUnverifiedBytes)
    client.close()
    const next = await recordAnswer(proxy.port, target, ['Range: bytes=1-'])
    expect(next.status).toBe(403)
    expect(next.headers).toMatch(/^HTTP\/1\.1 403 Refused by tufgate: sha256 of e2e_late\S+ is not/)
    await requireCleanVault(proxy)
    const lines = await readLog(proxy, '--project', 'e2e-late', '--kind', 'refused')
    expect(lines[0]).toMatchObject({
      code: 'DIGEST_MISMATCH',
      expected: late.sha256,
      found: sha256(bad),
    })
  })
})
