/** An index that nobody has signed and no proxy looks at: where an attacker has his own. */

import { serve, startHostileServer, type HostileServer } from '../../test/support/hostile-server.ts'
import type { Observed } from './attack.ts'
import { buildEvil } from './genuine.ts'

/** It has 99.0, of what the victim wants. */
export async function withRogue(
  project: string,
  act: (other: HostileServer) => Promise<Observed>,
): Promise<Observed> {
  const other = await startHostileServer()
  try {
    const { filename, bytes } = buildEvil(project, '99.0')
    const page = `<html><body><a href="/files/${filename}">${filename}</a></body></html>`
    const served = serve(Buffer.from(page), { 'content-type': 'text/html' })
    for (const path of [`/simple/${project}/`, '/links/']) other.on(path, served)
    other.on(`/files/${filename}`, serve(bytes))
    return await act(other)
  } finally {
    await other.close()
  }
}
