/**
 * A17: a tampered beginning, then the connection is cut; the second request gets the honest rest. A
 * client that resumes puts them together. Behind the proxy the answer begins before the file is checked.
 */

import type { TrialFile } from '../../../test/e2e/trial.ts'
import type { Behaviour } from '../../../test/support/hostile-server.ts'
import type { Attack, Observed, Scene } from '../attack.ts'
import { buildEvil } from '../genuine.ts'
import { buildReleases } from '../index-attack.ts'
import { install } from '../install.ts'
import { require, requireCode, requireNote, type Judge } from '../judge.ts'
import { servePageWith } from '../page-lies.ts'
import { inWorld, type World } from '../world.ts'

interface Variant {
  readonly name: string
  /** What comes before the cut, of an evil wheel that is as long as the genuine one. */
  readonly begin: (evil: Buffer) => Buffer
  /** What the index says of the file by now. */
  readonly page?: (world: World, files: readonly TrialFile[]) => void
}

const project = 'foo-a17'

const variants: readonly Variant[] = [
  {
    name: 'a beginning whose first byte is another, then the genuine rest',
    begin: (evil) => Buffer.concat([Buffer.from('E'), evil.subarray(1, evil.length >> 1)]),
  },
  {
    name: 'half of an evil wheel, then the genuine rest; the page tells no hash',
    begin: (evil) => evil.subarray(0, evil.length >> 1),
    page: withoutHash,
  },
  {
    name: 'all of an evil wheel but its last byte, and the page tells no hash',
    begin: (evil) => evil.subarray(0, -1),
    page: withoutHash,
  },
]

/** A pip that asks again gets the genuine file; an older one ends with nothing. */
const judgeSplice: Judge = (observed) => [
  ...require(observed.happened ===
    (observed.exitCode === 0
      ? `${project} 1.1 installed`
      : 'nothing installed'), observed.happened),
  ...requireCode(observed, 'BROKEN_OFF'),
  ...requireNote(observed, /^\d+ of \d+ bytes left before the cut$/),
]

export const splice: readonly Attack[] = variants.map((variant, at) => ({
  row: 'A17',
  name: variant.name,
  ...(at === variants.length - 1 && { isCore: true as const }),
  waitS: 20,
  pips: 'each',
  alone: (scene) => runSplice(scene, variant, false),
  behind: (scene) => runSplice(scene, variant, true),
  judge: judgeSplice,
}))

async function runSplice(scene: Scene, variant: Variant, isBehind: boolean): Promise<Observed> {
  return inWorld(async (world) => {
    const files = buildReleases(project)
    world.publish(project, files)
    if (isBehind) {
      await world.sign()
      await world.startProxy({ settings: 'hold-for = "300ms"' })
    }
    const path = turn(world, files, variant)
    const observed = await install(scene, project, { world })
    const { index } = world.trial
    const resumed = index.requests.filter(
      (request) => request.path === path && request.headers.range !== undefined,
    )
    const asked = `the file was asked for ${index.count(path)}x, resumed ${resumed.length}x`
    const notes = [...tellBegun(world), asked]
    return { ...observed, notes: [...observed.notes, ...notes] }
  })
}

/** Of the answer that had begun; the one after it is whole. */
function tellBegun({ relay }: World): string[] {
  const begun = relay?.answers().find(({ path }) => path.endsWith('.whl'))
  const promised = begun?.headers.get('content-length')
  return begun?.status === 200
    ? [`${begun.body.length} of ${promised} bytes left before the cut`]
    : []
}

function turn(world: World, files: readonly TrialFile[], { begin, page }: Variant): string {
  const { bytes, filename } = files.at(-1) ?? buildEvil(project, '1.1')
  const path = `/files/${filename}`
  const isBegun = (): Promise<void> =>
    world.relay?.waitFor((answer) => answer.path.endsWith(filename) && answer.body.length > 0) ??
    Promise.resolve()
  world.trial.index.on(path, cutThenHonest(begin(buildEvil(project, '1.1').bytes), bytes, isBegun))
  page?.(world, files)
  return path
}

/** What a file host that is resumed from says: as good as any (RFC 9110 13.1.5, 14.2). */
function cutThenHonest(
  evil: Uint8Array,
  honest: Uint8Array,
  isBegun: () => Promise<void>,
): Behaviour {
  const headers = { etag: '"one"', 'accept-ranges': 'bytes' }
  return (request, response, earlier) => {
    const [, start] = /^bytes=(\d+)-$/.exec(request.headers.range ?? '') ?? []
    if (earlier === 0) {
      response.writeHead(200, { ...headers, 'content-length': honest.length })
      response.write(evil, () => void isBegun().then(() => response.socket?.end()))
    } else if (start === undefined) {
      response.writeHead(200, { ...headers, 'content-length': honest.length }).end(honest)
    } else {
      const rest = honest.subarray(Number(start))
      const range = `bytes ${start}-${honest.length - 1}/${honest.length}`
      const part = { ...headers, 'content-length': rest.length, 'content-range': range }
      response.writeHead(206, part).end(rest)
    }
  }
}

function withoutHash(world: World, files: readonly TrialFile[]): void {
  servePageWith(world, files, { project, file: { hashes: {} } })
}
