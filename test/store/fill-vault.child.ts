/** Puts files into a vault: `<folder>` until killed, `<folder> <count> <maxBytes>`, or `<folder> large`. */

import { createHash, randomBytes } from 'node:crypto'
import { TufgateError } from '../../src/base/errors.ts'
import { Vault } from '../../src/store/vault.ts'

const [folder = '', count = '100000', maxBytes = '100000000'] = process.argv.slice(2)
const vault = await Vault.open(folder, { maxBytes: Number(maxBytes) })
if (count === 'large') await putTooLarge()
else await putMany(Number(count))
await vault.close()
if (process.connected) process.disconnect()

async function putMany(files: number): Promise<void> {
  for (let at = 0; at < files; at += 1) {
    // Both processes put the same sizes; some of the content is the same too.
    const bytes = at % 3 === 0 ? Buffer.alloc(50_000, at) : randomBytes(10_000 + at * 997)
    const sha256 = await vault.put(bytes)
    process.send?.(at)
    await requireWhole(sha256)
  }
}

async function requireWhole(sha256: string): Promise<void> {
  const file = await vault.open(sha256)
  // The other process may have evicted it by now.
  if (file === undefined) return
  const found = createHash('sha256')
    .update(await file.readAll())
    .digest('hex')
  await file.close()
  if (found !== sha256) throw new Error(`${sha256} has the content of ${found}`)
}

async function putTooLarge(): Promise<void> {
  try {
    await vault.put(randomBytes(4_000_000))
  } catch (error) {
    if (!(error instanceof TufgateError)) throw error
    process.stdout.write(
      `${error.code} ${error.facts.found} ${error.message} ${error.facts.next}\n`,
    )
  }
  await vault.put(Buffer.from('small'))
  process.stdout.write('then kept a small one\n')
}
