/** Records stand in the vault like files do: content by its sha256. */

import { describeError } from '../../base/errors.ts'
import type { ContentStore } from '../../client/record-loader.ts'
import type { Vault } from '../../store/vault.ts'

export function createContentStore(vault: Vault, warn: (message: string) => void): ContentStore {
  return {
    read: async (sha256, maxBytes) => {
      const file = await vault.open(sha256)
      if (file === undefined) return undefined
      try {
        return file.size > maxBytes ? undefined : await file.readAll()
      } finally {
        await file.close()
      }
    },
    put: (bytes) => {
      vault
        .put(bytes)
        .catch((error: unknown) => warn(`A record is not kept: ${describeError(error)}`))
    },
  }
}
