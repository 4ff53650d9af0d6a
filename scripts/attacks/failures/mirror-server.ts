import {
  startHostileServer,
  type Behaviour,
  type HostileServer,
} from '../../../test/support/hostile-server.ts'
import { serveFrom } from '../published-tree.ts'
import type { Place } from './place.ts'

/** The published tree over HTTP, until somebody changes it. */
export async function serveMirror(place: Place): Promise<HostileServer> {
  const mirror = await startHostileServer()
  mirror.use((path) => findPublished(place, path))
  return mirror
}

export function findPublished({ world }: Place, path: string): Behaviour {
  return serveFrom(world.trial.published, path)
}
