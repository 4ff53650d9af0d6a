/** What can be seen of a proxy from outside: the wire, the vault on disk, the audit log. */

import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { sha256 } from '../support/build-wheel.ts'
import { runProgram } from '../support/program.ts'
import { RawClient } from '../support/raw-client.ts'
import type { Trial, TrialProxy } from './trial.ts'

/** Of a file of the trial index, at the proxy. */
export function pathOf({ index }: Trial, project: string, filename: string): string {
  return `/files/${project}/${new URL(index.origin).host}/files/${filename}`
}

/** One answer, and all of its body until the connection ends. */
export async function recordAnswer(
  port: number,
  target: string,
  headers: readonly string[] = [],
): Promise<{ status: number; headers: string; body: Buffer }> {
  const client = await RawClient.open(port)
  try {
    client.ask(target, ['Connection: close', ...headers])
    await client.ended()
    const end = client.received.indexOf('\r\n\r\n')
    const head = client.received.toString('latin1', 0, end)
    const body = client.received.subarray(end + 4)
    return { status: Number(head.slice(9, 12)), headers: head, body }
  } finally {
    client.close()
  }
}

/** The sha256 of every file. Throws where a name and a content differ. */
export async function hashVault(stateFolder: string): Promise<ReadonlySet<string>> {
  const folder = join(stateFolder, 'vault/sha256')
  if (!existsSync(folder)) return new Set()
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const names = new Set<string>()
  for (const entry of entries.filter((one) => !one.isDirectory())) {
    const path = join(entry.parentPath, entry.name)
    const found = sha256(await readFile(path))
    if (found !== entry.name) throw new Error(`${path} has the sha256 ${found}`)
    names.add(found)
  }
  return names
}

/** Every file under the sha256 of its content; what was begun is kept or gone. */
export async function requireCleanVault({ folder }: Pick<TrialProxy, 'folder'>): Promise<void> {
  // A fetch goes on when the client that asked for it has left.
  await expect.poll(() => readdir(join(folder, 'vault/tmp')), { timeout: 20_000 }).toEqual([])
  await hashVault(folder)
}

/** As `audit show --json` prints it. */
export async function readLog(
  { state }: Pick<TrialProxy, 'state'>,
  ...filter: readonly string[]
): Promise<Record<string, unknown>[]> {
  const shown = await runProgram('audit', 'show', '--json', '--state-dir', state, ...filter)
  expect(shown).toMatchObject({ code: 0, stderr: '' })
  const lines = shown.stdout.split('\n').filter((line) => line !== '')
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}
