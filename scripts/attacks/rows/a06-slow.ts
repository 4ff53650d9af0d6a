/** A6: a byte now and then, or none: what keeps a client waiting, above and below the floor of speed. */

import { jsonType, renderJsonPage } from '../../../test/e2e/trial.ts'
import { dripHead, pour, silence, stall, status } from '../../../test/support/hostile-server.ts'
import type { Attack, Observed, Scene } from '../attack.ts'
import { buildGenuine } from '../genuine.ts'
import { buildReleases } from '../index-attack.ts'
import { install } from '../install.ts'
import { mustInstall, mustRefuse, type Judge } from '../judge.ts'
import { renderBytes, stageOffer, type Offer } from '../offer.ts'
import { inWorld } from '../world.ts'

type Row = Pick<
  Offer,
  'name' | 'project' | 'pips' | 'files' | 'answer' | 'judge' | 'isCore' | 'waitS'
>

const tooSlow = mustRefuse({ code: 'TOO_SLOW' })
/** An answer that has begun when the host is given up ends: the next one tells why. */
const tooSlowAtLast = mustRefuse({ code: /^(?:TOO_SLOW|BROKEN_OFF)$/ })

/** Before pip gives up, which does so after 15 s, with a traceback. */
const noByte = mustRefuse({
  code: 'TIMED_OUT',
  line: /Not served by tufgate: the file host has not sent a byte in \d+ s/,
})

/** A release with so much in it that its speed matters. */
function buildLarge(project: string, dataBytes: number) {
  const data = new Map([['data.bin', Buffer.alloc(dataBytes, project)]])
  return [buildGenuine(project, '1.1', { data })]
}

/** The shared proxy has the default floor, 8 kB/s, but looks at it after a second. */
const files: readonly Row[] = [
  {
    name: 'a file at 1 byte a second',
    project: 'foo-a6-file',
    isCore: true,
    waitS: 20,
    answer: (honest) => pour(honest, 1),
    judge: tooSlow,
  },
  {
    name: 'a file of which nothing comes but the headers',
    project: 'foo-a6-stall',
    pips: 'machine',
    waitS: 20,
    answer: (honest) => stall(honest, 0),
    judge: tooSlow,
  },
  {
    name: 'a file just below the floor',
    project: 'foo-a6-below',
    pips: 'machine',
    waitS: 20,
    files: (project) => buildLarge(project, 200_000),
    answer: (honest) => pour(honest, 6000),
    judge: tooSlow,
  },
  {
    name: 'a file that is slow, but above the floor',
    project: 'foo-a6-above',
    waitS: 20,
    files: (project) => buildLarge(project, 200_000),
    answer: (honest) => pour(honest, 40_000),
    judge: mustInstall(),
  },
  {
    name: 'a file that is never answered',
    project: 'foo-a6-silence',
    waitS: 20,
    answer: () => silence(),
    judge: noByte,
  },
  {
    name: 'a file behind a header at 1 byte a second',
    project: 'foo-a6-head',
    pips: 'machine',
    waitS: 20,
    answer: () => dripHead(1000),
    judge: noByte,
  },
  {
    name: 'a file whose host asks to come again in a day',
    project: 'foo-a6-later',
    pips: 'machine',
    waitS: 20,
    answer: () => status(503, { 'retry-after': 86_400 }),
    judge: mustRefuse({ code: 'BAD_STATUS' }),
  },
]

const pages: readonly Omit<Row, 'judge' | 'waitS'>[] = [
  {
    name: 'a page at 1 byte a second',
    project: 'foo-a6-page',
    answer: (_, project) => pour(renderPage(project), 1, jsonType),
  },
  {
    name: 'a page of which nothing comes but the headers',
    project: 'foo-a6-page-stall',
    pips: 'machine',
    answer: (_, project) => pour(renderPage(project), 0, jsonType),
  },
  {
    name: 'a page whose host asks to come again in a day',
    project: 'foo-a6-page-later',
    pips: 'machine',
    answer: () => status(503, { 'retry-after': 86_400 }),
  },
]

function renderPage(project: string): Buffer {
  return Buffer.from(JSON.stringify(renderJsonPage(project, buildReleases(project))))
}

interface DefaultRow {
  readonly name: string
  readonly bytesPerSecond: number
  readonly dataBytes: number
  readonly judge: Judge
}

/** With the settings as they come: 8 kB/s over 10 s, and 8 s until an answer begins. */
const byDefault: readonly DefaultRow[] = [
  {
    name: 'a file at 1 byte a second, default settings',
    bytesPerSecond: 1,
    dataBytes: 200_000,
    judge: tooSlowAtLast,
  },
  {
    name: 'a file at 7 kB/s, default settings',
    bytesPerSecond: 7000,
    dataBytes: 200_000,
    judge: tooSlowAtLast,
  },
  {
    name: 'a file at 9 kB/s, default settings',
    bytesPerSecond: 9000,
    dataBytes: 100_000,
    judge: mustInstall(),
  },
]

export const slowRetrieval: readonly Attack[] = [
  ...files.map((row) => stageOffer({ ...row, row: 'A6', what: 'file' })),
  ...pages.map((row) =>
    stageOffer({ ...row, row: 'A6', what: 'page', waitS: 20, judge: mustInstall() }),
  ),
  ...byDefault.map((row): Attack => ({
    row: 'A6',
    name: row.name,
    waitS: 40,
    pips: 'machine',
    alone: (scene) => installSlowly(scene, row, false),
    behind: (scene) => installSlowly(scene, row, true),
    judge: row.judge,
  })),
]

async function installSlowly(scene: Scene, row: DefaultRow, isBehind: boolean): Promise<Observed> {
  const project = 'foo-a6-default'
  return inWorld(async (world) => {
    const large = buildLarge(project, row.dataBytes)
    world.publish(project, large)
    if (isBehind) {
      await world.sign()
      await world.startProxy()
    }
    const { index } = world.trial
    for (const { filename, bytes } of large)
      index.on(`/files/${filename}`, pour(bytes, row.bytesPerSecond))
    const observed = await install(scene, project, { world })
    const path = `/files/${large[0]?.filename}`
    const note = `the file was asked for ${index.count(path)}x, ${renderBytes(index.sentBytes(path))} taken`
    return { ...observed, notes: [...observed.notes, note] }
  })
}
