/** What can be seen of a proxy from outside: the wire and the vault on disk. */

import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256 } from './build-wheel.ts'
import { RawClient } from './raw-client.ts'

/** Of a file of a trial index, at the proxy. */
export function pathOf(
  { index }: { readonly index: { readonly origin: string } },
  project: string,
  filename: string,
): string {
  return `/files/${project}/${new URL(index.origin).host}/files/${filename}`
}

export interface RecordedAnswer {
  readonly status: number
  readonly headers: string
  readonly body: Buffer
}

/** One answer, and all of its body until the connection ends. */
export async function recordAnswer(
  port: number,
  target: string,
  headers: readonly string[] = [],
): Promise<RecordedAnswer> {
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
