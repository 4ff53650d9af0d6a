/** Writes one version of metadata after the other, as a refresh does, until it is killed. */

import { join } from 'node:path'
import { FloorStore } from '../../src/store/floors.ts'
import { MetadataDirectory } from '../../src/store/metadata-directory.ts'

const [folder = ''] = process.argv.slice(2)
const metadata = await MetadataDirectory.open(join(folder, 'metadata'))
const floors = FloorStore.open(join(folder, 'floors.db'))
for (let version = (floors.read().versions.get('timestamp') ?? 0) + 1; ; version += 1) {
  const bytes = Buffer.from(JSON.stringify({ version, filling: 'x'.repeat(20_000), end: true }))
  const snapshot = await metadata.stageTop('snapshot', bytes)
  const timestamp = await metadata.stageTop('timestamp', bytes)
  const versions = new Map([
    ['snapshot', version],
    ['timestamp', version],
  ])
  floors.raise({ versions, signedAt: version, epoch: 0 }, () => {
    snapshot.publish()
    timestamp.publish()
  })
  process.send?.(version)
}
