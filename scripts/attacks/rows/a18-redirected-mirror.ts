/** A18, by the mirror's web server: it sends the proxy to addresses that only this machine reaches. */

import { redirect, serve, startHostileServer } from '../../../test/support/hostile-server.ts'
import type { Attack } from '../attack.ts'
import { inMirrorWorld } from '../hostile-mirror.ts'
import { requireCode } from '../judge.ts'
import { lieAboutEach, listServed } from '../list-parts.ts'

export const redirectedMirror: readonly Attack[] = [
  {
    row: 'A18',
    name: 'the mirror redirects each part of the list to an internal service',
    pips: 'machine',
    alone: 'pip follows redirects of an index to wherever they lead, and has no list',
    behind: () =>
      inMirrorWorld(async (mirror) => {
        const internal = await startHostileServer()
        try {
          internal.use(() => serve(Buffer.from('secret')))
          const tried = await lieAboutEach(mirror, redirect(internal.url('/latest/meta-data/')))
          const notes = tried.map(({ part, status }) => `${part}: ${status}`)
          const served = listServed(tried)
          const harm = internal.count() > 0 ? { harm: 'the internal service was asked' } : {}
          const happened = `${internal.count()} requests at the internal service`
          const missed = served.length > 0 ? { harm: `not refused: ${served.join(', ')}` } : {}
          const observed = {
            ...missed,
            ...harm,
            happened,
            exitCode: null,
            line: '',
            codes: [],
            notes,
          }
          return await mirror.addCodes(observed)
        } finally {
          await internal.close()
        }
      }),
    judge: (observed) => requireCode(observed, 'HOST_REFUSED'),
  },
]
