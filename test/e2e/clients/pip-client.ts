/** pip: the one of this machine, and a newer one where a wheel of it is at hand. */

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { runCommand } from '../../support/program.ts'
import {
  isRunnable,
  refusedVictim,
  type Client,
  type ClientProject,
  type Machine,
} from './client.ts'

/** A wheel of another pip, to test with both. */
const newerWheel = process.env['TUFGATE_TEST_NEWER_PIP_WHEEL']

/** Before a virtual environment stands first in PATH. */
const hostPython = spawnSync('python3', ['-c', 'import sys; print(sys.executable)'], {
  encoding: 'utf8',
}).stdout.trim()

export const pip: Client = describePip('pip of this machine', undefined)
/** `undefined` where no wheel is named. */
export const newerPip: Client | undefined =
  newerWheel === undefined ? undefined : describePip(basename(newerWheel), newerWheel)

function describePip(name: string, wheel: string | undefined): Client {
  return {
    name,
    isPresent: isRunnable('python3', ['-m', 'pip', '--version']),
    saysOfHidden: /No matching distribution found for client-new/,
    saysOfHiddenVersion:
      /\(from versions: 1\.0, 1\.1\)[^]*No matching distribution found for client-lib==1\.2/,
    saysOfRefusedSync: refusedVictim,
    open: (machine, requirements) => open(machine, requirements, wheel),
  }
}

async function open(
  machine: Machine,
  requirements: readonly string[],
  wheel: string | undefined,
): Promise<ClientProject> {
  const wanted = join(machine.folder, 'requirements.in')
  const locked = join(machine.folder, 'requirements.txt')
  const report = join(machine.folder, 'report.json')
  const unpacked = wheel === undefined ? undefined : await unpackOnce(wheel, machine)
  const run = (...args: readonly string[]) => {
    const variables = { PIP_INDEX_URL: machine.indexUrl, PIP_NO_INPUT: '1' }
    return unpacked === undefined
      ? machine.run(hostPython, ['-m', 'pip', '--python', machine.python, ...args], variables)
      : machine.run(machine.python, ['-m', 'pip', ...args], { ...variables, PYTHONPATH: unpacked })
  }
  const project: ClientProject = {
    machine,
    require: (next) => writeFile(wanted, `${next.join('\n')}\n`),
    install: () => run('install', '-r', wanted),
    lock: async () => {
      const args = ['--dry-run', '--ignore-installed', '--quiet', '--report', report]
      const finished = await run('install', ...args, '-r', wanted)
      if (finished.code === 0) await writeFile(locked, renderLock(await readFile(report, 'utf8')))
      return finished
    },
    sync: () => run('install', '--require-hashes', '--no-deps', '-r', locked),
    upgrade: () => run('install', '--upgrade', '--upgrade-strategy', 'eager', '-r', wanted),
    readLock: () => readFile(locked, 'utf8'),
    writeLock: (text) => writeFile(locked, text),
  }
  await project.require(requirements)
  return project
}

/** Python runs it from a folder, without its being installed. */
async function unpackOnce(wheel: string, { venv }: Machine): Promise<string> {
  const folder = join(venv, '..', '..', 'newer-pip')
  if (existsSync(folder)) return folder
  const unpacked = await runCommand(hostPython, ['-m', 'zipfile', '-e', wheel, folder])
  if (unpacked.code !== 0) throw new Error(`${wheel}: ${unpacked.stderr}`)
  return folder
}

interface Report {
  readonly install: readonly {
    readonly metadata: { readonly name: string; readonly version: string }
    readonly download_info: {
      readonly archive_info: { readonly hashes: { readonly sha256: string } }
    }
  }[]
}

/** As pip-compile writes it. */
function renderLock(text: string): string {
  const { install } = JSON.parse(text) as Report
  return install
    .map(({ metadata, download_info: { archive_info } }) => {
      const { name, version } = metadata
      return `${name}==${version} --hash=sha256:${archive_info.hashes.sha256}\n`
    })
    .join('')
}
