/** What the tests of the vault do with its files. */

import { createHash } from 'node:crypto'
import { chmodSync, existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Vault } from '../../src/store/vault.ts'

export const mebibyte = 1024 * 1024

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

export function pathIn(folder: string, sha256: string): string {
  return join(folder, 'sha256', sha256.slice(0, 2), sha256)
}

/** As an intruder would: the file is read-only. */
export function overwrite(path: string, bytes: string | Uint8Array): void {
  chmodSync(path, 0o600)
  writeFileSync(path, bytes)
}

export async function openVault(
  folder: string,
  warnings: string[] = [],
  maxBytes = 100 * mebibyte,
): Promise<Vault> {
  return Vault.open(folder, { maxBytes, onWarning: (message) => warnings.push(message) })
}

export async function readFrom(vault: Vault, sha256: string): Promise<Uint8Array | undefined> {
  const file = await vault.open(sha256)
  const bytes = await file?.readAll()
  await file?.close()
  return bytes
}

export function listFiles(folder: string): string[] {
  const root = join(folder, 'sha256')
  if (!existsSync(root)) return []
  return readdirSync(root).flatMap((name) =>
    readdirSync(join(root, name)).map((file) => join(root, name, file)),
  )
}
