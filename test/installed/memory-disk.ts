/** A folder that exists in the test alone. */

import type { Disk, DiskFile } from '../../src/installed/disk.ts'
import { sha256 } from '../support/build-wheel.ts'

export function makeDisk(
  contents: Readonly<Record<string, string | Uint8Array | Partial<DiskFile>>>,
): Disk {
  const bytes = new Map<string, Uint8Array>()
  const files = new Map<string, DiskFile>()
  for (const [path, content] of Object.entries(contents)) {
    const isContent = typeof content === 'string' || content instanceof Uint8Array
    if (isContent) bytes.set(path, Buffer.from(content))
    const size = bytes.get(path)?.length ?? 0
    const file = { kind: 'file', size, mtimeSeconds: 1000 } as const
    files.set(path, isContent ? file : { ...file, ...content })
  }
  return {
    files,
    digest: (path) => {
      const found = bytes.get(path)
      return Promise.resolve(found === undefined ? undefined : sha256(found))
    },
    read: (path, maxBytes) => Promise.resolve(bytes.get(path)?.subarray(0, maxBytes)),
  }
}
