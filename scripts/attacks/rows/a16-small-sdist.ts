/** A16: a complete small evil source archive inside of a download that looks like the genuine one. */

import { buildSdist, padTo } from '../../../test/support/build-sdist.ts'
import { sha256 } from '../../../test/support/build-wheel.ts'
import { serve, stall, truncate, type Behaviour } from '../../../test/support/hostile-server.ts'
import { renderJsonPage, type TrialFile } from '../../../test/e2e/trial.ts'
import type { Attack } from '../attack.ts'
import { evilSetup } from '../genuine.ts'
import { mustRefuse, type Judge } from '../judge.ts'
import { stageOffer, type Offer } from '../offer.ts'
import { servePageWith } from '../page-lies.ts'

type Row = Pick<Offer, 'name' | 'project' | 'pips' | 'turn' | 'waitS' | 'isCore'> & {
  /** What becomes of the evil archive, which is as long as the genuine one. */
  readonly answer: (evil: Uint8Array) => Behaviour
  readonly judge: Judge
}

const otherDigest = mustRefuse({ code: 'DIGEST_MISMATCH', line: /sha256 of \S+ is not the signed/ })
const stopped = mustRefuse({ code: /^(?:BROKEN_OFF|TOO_SLOW)$/ })

const rows: readonly Row[] = [
  {
    name: 'padded to the genuine length, the page agrees',
    project: 'foo-a16-agreed',
    isCore: true,
    turn: ({ trial }, project, [genuine]) => {
      if (genuine === undefined) return
      const evil = { filename: genuine.filename, bytes: buildEvilArchive(project) }
      trial.servePage(project, renderJsonPage(project, [evil]))
    },
    answer: (evil) => serve(evil),
    judge: otherDigest,
  },
  {
    name: 'padded to the genuine length, the page is honest',
    project: 'foo-a16-honest',
    pips: 'machine',
    answer: (evil) => serve(evil),
    judge: otherDigest,
  },
  {
    name: 'stopped one byte short of it, and held',
    project: 'foo-a16-held',
    waitS: 20,
    answer: (evil) => stall(evil, evil.length - 1),
    judge: stopped,
  },
  {
    name: 'stopped one byte short of it, and cut; the page tells no hash',
    project: 'foo-a16-cut',
    waitS: 20,
    turn: (world, project, files) => servePageWith(world, files, { project, file: { hashes: {} } }),
    answer: (evil) => truncate(evil, evil.length - 1),
    judge: stopped,
  },
]

export const smallSdist: readonly Attack[] = rows.map((row) =>
  stageOffer({
    ...row,
    row: 'A16',
    what: 'file',
    files: buildGenuineArchive,
    // What builds it stands in the environment: an index of one project has no setuptools.
    install: { args: ['install', '--no-build-isolation', row.project] },
    answer: (_, project) => row.answer(buildEvilArchive(project)),
  }),
)

/** Longer than the evil one, and not to be made small by gzip. */
function buildGenuineArchive(project: string): readonly TrialFile[] {
  const lines = Array.from({ length: 40 }, (_, at) => `# ${sha256(Buffer.from([at]))}`)
  return [buildSdist({ name: project, version: '1.1', setup: lines.join('\n') })]
}

/** gzip ends where its data ends: the zeros behind it are nobody's. */
function buildEvilArchive(project: string): Buffer {
  const { bytes } = buildSdist({ name: project, version: '1.1', setup: evilSetup })
  return padTo(bytes, buildGenuineArchive(project)[0]?.bytes.length ?? bytes.length)
}
