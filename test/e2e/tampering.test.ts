/**
 * The index and its file host turn hostile after the mirror has seen them. Real pip goes through a
 * wire that keeps every byte it got, a raw client asks beside it; then disk and log are looked at.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { join } from 'node:path'
import { buildWheel, sha256 } from '../support/build-wheel.ts'
import { matching } from '../support/expecting.ts'
import { createPipEnvironment, hasPip, warnWithoutPip } from '../support/pip.ts'
import type { PipEnvironment } from '../support/pip.ts'
import type { Finished } from '../support/program.ts'
import { startRelay, type RecordingRelay } from '../support/recording-relay.ts'
import { attacks, buildVictim, evilCode, type Refusal, type Victim } from './attacks.ts'
import { pathOf, recordAnswer } from '../support/proxy-witness.ts'
import { readLog, requireCleanVault } from './observe.ts'
import { Trial, type TrialProxy } from './trial.ts'

warnWithoutPip()

describe.runIf(hasPip)('against a hostile index and file host,', () => {
  let trial: Trial
  let environment: PipEnvironment

  beforeAll(async () => {
    trial = await Trial.create()
    environment = await createPipEnvironment(join(trial.folder, 'venv'))
  }, 120_000)

  afterAll(() => trial.close())

  describe('files are refused before a byte of them leaves:', () => {
    let proxy: TrialProxy
    let relay: RecordingRelay
    const victims = attacks.map((attack, at) => buildVictim(`e2e-victim-${at + 1}`, attack))

    beforeAll(async () => {
      for (const [at, victim] of victims.entries()) {
        trial.publish(victim.project, victim.files)
        if (attacks[at]?.isHtml === true) trial.serveHtmlPage(victim.project, victim.files)
      }
      const evilProject = buildWheel({ name: 'e2e-evil', version: '1.0', code: evilCode })
      trial.publish('e2e-evil', [evilProject])
      expect(await trial.sync()).toMatchObject({ exitCode: 0 })
      const settings = '[limits]\nmin-rate-over = "1s"\nunsized-file = "1 MB"'
      proxy = await trial.startProxy({ settings })
      relay = await startRelay(proxy.port)
      for (const [at, { file, turn }] of attacks.entries()) {
        const victim = victims[at]!
        const { filename, bytes } = victim.newest
        if (file !== undefined) trial.index.on(`/files/${filename}`, file(bytes, victim.project))
        turn?.(trial, victim)
      }
    }, 120_000)

    afterAll(async () => {
      await relay.close()
      await proxy.stop()
    })

    describe.each(attacks.map((attack, at) => ({ ...attack, victim: victims[at]! })))(
      '$name:',
      ({ refused, victim }) => {
        let install: Finished
        let raw: { readonly status: number; readonly body: Buffer }

        beforeAll(async () => {
          const target =
            pathOf(trial, victim.project, victim.newest.filename) + (refused?.suffix ?? '')
          ;[install, raw] = await Promise.all([
            environment.pip('install', '--index-url', `${relay.origin}/simple/`, victim.project),
            recordAnswer(proxy.port, target),
          ])
        }, 60_000)

        test(
          refused === undefined
            ? 'pip installs the newest genuine release'
            : 'pip installs nothing, and shows the reason',
          async () => {
            const list = await environment.pip('list', '--format', 'freeze')
            const installed = list.stdout.split('\n').filter((line) => !line.startsWith('pip=='))
            const names = installed.map((line) => line.split('==')[0])
            expect(names).not.toContain('e2e-evil')
            if (refused === undefined) {
              expect(install).toMatchObject({ code: 0 })
              expect(installed).toContain(`${victim.project}==1.1`)
            } else {
              expect(install.code).toBe(1)
              requireReason(install.stderr, refused)
              expect(names).not.toContain(victim.project)
            }
          },
          60_000,
        )

        test('no client holds a byte of a bad file', () => {
          const held = [raw, ...filesIn(relay, victim.project)]
          for (const { status, body } of held) {
            if (status !== 200) expect(JSON.parse(String(body))).toMatchObject({ status })
            else expect(genuineDigests(victim)).toContain(sha256(body))
          }
          expect(raw.status).toBe(refused?.status ?? 200)
        })

        test('nothing bad is in the vault, and nothing half', () => requireCleanVault(proxy))

        test('the audit log says what was expected and what was found', async () => {
          const lines = await readLog(proxy, '--project', victim.project)
          if (refused === undefined) {
            expect(lines.filter(({ kind }) => kind === 'refused')).toEqual([])
            return
          }
          const { filename, bytes, metadata } = victim.newest
          const signed = refused.suffix === undefined ? bytes : metadata!
          expect(lines.find(({ kind }) => kind === 'refused')).toMatchObject({
            file: `${filename}${refused.suffix ?? ''}`,
            code: refused.code,
            expected: matching(refused.expected ?? new RegExp(`^${sha256(signed)}$`)),
            found: matching(refused.found),
            id: matching(/^r-/),
            trust: { root: 1 },
          })
          expect(lines.find(({ kind, file }) => kind === 'released' && file === filename)).toBe(
            undefined,
          )
        })
      },
    )
  })
})

function genuineDigests({ files }: Victim): string[] {
  return files.flatMap(({ bytes, metadata }) => [
    sha256(bytes),
    ...(metadata === undefined ? [] : [sha256(metadata)]),
  ])
}

function filesIn(relay: RecordingRelay, project: string) {
  return relay.answers().filter(({ path }) => path.startsWith(`/files/${project}/`))
}

function requireReason(stderr: string, { status, reason }: Refusal): void {
  const line = stderr.split('\n').find((one) => one.includes('tufgate: ')) ?? ''
  expect(line).toMatch(new RegExp(`${status} (?:Client|Server) Error: `))
  expect(line).toMatch(reason)
  expect(line).toMatch(/\(r-[0-9a-z]+\)/)
}
