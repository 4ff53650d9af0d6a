/** What `tufgate verify` is tried on: a mirror with wheels for every scheme, and environments that a real pip filled. */

import { cp, lstat, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { buildSdist } from '../support/build-sdist.ts'
import { buildWheel } from '../support/build-wheel.ts'
import { cleanEnvironment, runCommand, runProgram, type Finished } from '../support/program.ts'
import { buildSchemeWheel } from '../support/scheme-wheel.ts'
import { Trial } from './trial.ts'

export const whole = buildSchemeWheel('whole', '1.0')
export const plain = buildWheel({ name: 'plain', version: '2.0', code: 'plain = 1\n' })

const keepAll = { preserveTimestamps: true, recursive: true, verbatimSymlinks: true }

export interface Receipt {
  readonly result: string
  readonly environment: { readonly interpreters?: readonly string[] }
  readonly counts: Readonly<Record<string, number>>
  readonly distributions: readonly Readonly<Record<string, unknown>>[]
  readonly notVerified: readonly { path: string; class: string; reason?: string }[]
}

export interface Examined {
  readonly code: number | null
  readonly receipt: Receipt
}

export interface InstalledTrial {
  readonly trial: Trial
  /** Of the settings of the proxy. */
  readonly config: string
  /** With `whole` and `plain`. */
  readonly venv: string
  readonly site: string
  pipInstall(target: string, ...args: readonly string[]): Promise<void>
  /** The same from the proxy. */
  pipInstallVerified(target: string, ...args: readonly string[]): Promise<void>
  makeVenv(name: string, ...requirements: readonly string[]): Promise<string>
  verify(...args: readonly string[]): Promise<Finished>
  examine(env: string, ...args: readonly string[]): Promise<Examined>
  /** Does it, looks, and puts everything back as it was, times included. */
  attack(change: () => Promise<void>, path: string, ...args: readonly string[]): Promise<Examined>
  close(): Promise<void>
}

export async function startInstalledTrial(): Promise<InstalledTrial> {
  const trial = await Trial.create()
  trial.publish('whole', [whole])
  trial.publish('plain', [plain])
  trial.publish('raw', [buildSdist({ name: 'raw', version: '1.0' })])
  await trial.sync()
  const proxy = await trial.startProxy()
  const { config } = await trial.writeSettings({ state: proxy.state })
  const pipInstall: InstalledTrial['pipInstall'] = async (target, ...args) => {
    const env = cleanEnvironment({ PIP_CONFIG_FILE: '/dev/null', HOME: trial.folder })
    const settings = ['--no-input', '--no-cache-dir', '--disable-pip-version-check']
    const python = ['-m', 'pip', '--python', join(target, 'bin/python'), ...settings]
    const done = await runCommand('python3', [...python, 'install', ...args], { env })
    expect(done, done.stderr).toMatchObject({ code: 0 })
  }
  const pipInstallVerified: InstalledTrial['pipInstallVerified'] = (target, ...args) =>
    pipInstall(target, '--index-url', `${proxy.origin}/simple/`, ...args)
  const makeVenv: InstalledTrial['makeVenv'] = async (name, ...requirements) => {
    const path = join(trial.folder, name)
    const made = await runCommand('python3', ['-m', 'venv', '--without-pip', path])
    expect(made).toMatchObject({ code: 0 })
    await pipInstallVerified(path, ...requirements)
    return path
  }
  const verify: InstalledTrial['verify'] = (...args) =>
    runProgram('verify', '--config', config, ...args)
  const examine: InstalledTrial['examine'] = async (env, ...args) => {
    const { code, stdout, stderr } = await verify('--env', env, '--json', ...args)
    expect(stderr).toBe('')
    return { code, receipt: JSON.parse(stdout) as Receipt }
  }
  const venv = await makeVenv('venv', 'whole', 'plain')
  const print = 'import sys; print("%d.%d" % sys.version_info[:2])'
  const { stdout: version } = await runCommand(join(venv, 'bin/python'), ['-c', print])
  return {
    trial,
    config,
    venv,
    site: join(venv, `lib/python${version.trim()}/site-packages`),
    pipInstall,
    pipInstallVerified,
    makeVenv,
    verify,
    examine,
    attack: async (change, path, ...args) => {
      const kept = join(trial.folder, 'kept')
      const existed = (await lstat(path).catch(() => undefined)) !== undefined
      if (existed) await cp(path, kept, keepAll)
      try {
        await change()
        return await examine(venv, ...args)
      } finally {
        await rm(path, { recursive: true, force: true })
        if (existed) await rename(kept, path)
      }
    },
    close: () => trial.close(),
  }
}
