/** Who runs a program of which the files are not: permissions do not bind root, whom containers run tests as. */

import { chmod, chown, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

export const nobody = 65_534

export interface Runner {
  /** For a note: whose permissions were tried. */
  readonly name: string
  /** For the process. */
  readonly environment: Readonly<Record<string, string>>
  /** Gives him what is in the folder. */
  own(folder: string): Promise<void>
}

export const isRoot = process.getuid?.() === 0

/** `nobody` where this process may become him, else whoever it runs as. */
export function chooseRunner(): Runner {
  if (!isRoot) return { name: 'the same user', environment: {}, own: async () => undefined }
  const preload = pathToFileURL(join(import.meta.dirname, 'as-nobody.ts')).href
  return {
    name: 'user nobody',
    environment: { NODE_OPTIONS: `--import=${preload}` },
    own: (folder) => visit(folder, (path) => chown(path, nobody, nobody)),
  }
}

/** Takes the right to write from the folders in it, itself first, or gives it back. */
export function setWritable(folder: string, isWritable: boolean): Promise<void> {
  return visitFolders(folder, (path) => chmod(path, isWritable ? 0o700 : 0o500))
}

async function visit(path: string, act: (path: string) => Promise<void>): Promise<void> {
  await act(path)
  for (const name of await readdir(path, { recursive: true })) await act(join(path, name))
}

async function visitFolders(path: string, act: (path: string) => Promise<void>): Promise<void> {
  await act(path)
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  for (const one of entries.filter((entry) => entry.isDirectory()))
    await act(join(one.parentPath, one.name))
}
