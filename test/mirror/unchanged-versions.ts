/** A version of a role, once published, is the same for ever: clients tell content by it alone. */

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'

/** Compares what is published with what was seen before, by role and version, and adds it to that. */
export async function requireUnchangedVersions(
  published: string,
  seen: Map<string, string>,
): Promise<void> {
  const folder = join(published, 'metadata')
  for (const file of await readdir(folder)) {
    if (file.endsWith('.gz')) continue
    const text = await readFile(join(folder, file), 'utf8')
    const { version } = (JSON.parse(text) as { signed: { version: number } }).signed
    const name = file === 'timestamp.json' ? `${version}.${file}` : file
    expect(seen.get(name) ?? text, name).toBe(text)
    seen.set(name, text)
  }
}
