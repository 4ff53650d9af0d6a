/** Raises the timestamp's floor again and again, and fails where it ever sees it lower. */

import { FloorStore } from '../../src/store/floors.ts'

const [path = '', offset = '0'] = process.argv.slice(2)
const store = FloorStore.open(path)
let highest = 0
for (let version = 1 + Number(offset); version <= 400; version += 1) {
  const seen = store.read().versions.get('timestamp') ?? 0
  if (seen < highest) throw new Error(`went down from ${highest} to ${seen}`)
  highest = seen
  if (version >= seen) raiseTo(version)
  process.stdout.write(`${highest}\n`)
}
store.close()

function raiseTo(version: number): void {
  try {
    store.raise(
      { versions: new Map([['timestamp', version]]), signedAt: 0, epoch: 0 },
      () => undefined,
    )
    highest = version
  } catch (error) {
    if (!String(error).includes('is older than')) throw error
  }
}
