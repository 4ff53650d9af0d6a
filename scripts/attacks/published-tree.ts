import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { serve, status, type Behaviour } from '../../test/support/hostile-server.ts'

/** What an honest web server of the tree answers, as it is now. */
export function serveFrom(tree: string, path: string): Behaviour {
  const file = join(tree, path)
  const isFile = statSync(file, { throwIfNoEntry: false })?.isFile() === true
  return isFile ? serve(readFileSync(file)) : status(404)
}
