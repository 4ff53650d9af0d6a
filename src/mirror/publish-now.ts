/** One act of an operator that is published at once: keys and clock are looked at before it begins. */

import { catchUp } from './catch-up.ts'
import { openOnlineSigners } from './online-signers.ts'
import { openMirror, requireClock, type Mirror, type MirrorContext } from './open-mirror.ts'
import { publishMirror, type Published } from './publish.ts'

export type { Published } from './publish.ts'

export async function publishNow<T>(
  options: MirrorContext & { readonly directory: string },
  act: (mirror: Mirror, now: number) => Promise<T>,
): Promise<T & { readonly published: Published | undefined }> {
  const mirror = await openMirror(options.directory, options)
  try {
    const now = mirror.clock()
    requireClock(mirror, now)
    await catchUp(mirror)
    const signers = await openOnlineSigners(mirror)
    const done = await act(mirror, now)
    const published = await publishMirror(mirror, signers, { now, isTimestampDue: false })
    return { ...done, published }
  } finally {
    await mirror.close()
  }
}
