/** Where and with what it was measured. */

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { join } from 'node:path'

export interface Machine {
  readonly date: string
  readonly command: string
  readonly cores: number
  readonly model: string
  readonly memoryGb: number
  readonly kernel: string
  /** Average load of the last minute when the run began: what else the machine was doing. */
  readonly load: string
  readonly versions: Readonly<Record<string, string>>
}

export const checkout = join(import.meta.dirname, '..', '..')

/** `script`: as it is called, without its options. */
export function describeMachine(script = 'npm run bench'): Machine {
  const processors = cpus()
  return {
    date: new Date().toISOString(),
    command: [script, ...renderOptions()].join(' '),
    cores: processors.length,
    model: processors[0]?.model ?? 'unknown',
    memoryGb: Math.round(totalmem() / 1024 ** 3),
    kernel: release(),
    load: (loadavg()[0] ?? 0).toFixed(2),
    versions: {
      node: process.versions.node,
      nginx: askVersion('nginx', '-v'),
      wrk: askVersion('wrk', '-v'),
      pip: askVersion('python3', '-m', 'pip', '--version'),
      python: askVersion('python3', '--version'),
      ...packageVersions(),
    },
  }
}

function renderOptions(): string[] {
  const options = process.argv.slice(2)
  return options.length === 0 ? [] : ['--', ...options]
}

function askVersion(command: string, ...args: readonly string[]): string {
  const { stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` },
  })
  if (error !== undefined) return 'not installed'
  return /\d+\.\d+(?:\.\d+)?/.exec(`${stdout}${stderr}`)?.[0] ?? 'unknown'
}

function packageVersions(): Record<string, string> {
  const names = ['undici', 'tuf-js', '@tufjs/models']
  const own = readVersion(join(checkout, 'package.json'))
  const others = names.map((name) => [
    name,
    readVersion(join(checkout, 'node_modules', name, 'package.json')),
  ])
  return { tufgate: own, ...(Object.fromEntries(others) as Record<string, string>) }
}

function readVersion(path: string): string {
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version
}
