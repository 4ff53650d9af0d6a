/** A12: a release that was signed, and that the index does not show any more, one way or another. */

import { jsonType, renderJsonPage } from '../../../test/e2e/trial.ts'
import { serve, status } from '../../../test/support/hostile-server.ts'
import type { Attack } from '../attack.ts'
import { tellDenial } from '../denial.ts'
import { buildGenuine } from '../genuine.ts'
import { buildReleases, stageIndexAttack, type Staging } from '../index-attack.ts'
import { mustInstall, require, requireNote } from '../judge.ts'
import { servePageWith } from '../page-lies.ts'

export const withheld: readonly Attack[] = [
  stageIndexAttack({
    row: 'A12',
    name: 'the page omits the newest release',
    project: 'foo-a12-omit',
    isCore: true,
    turn: ({ trial }, project, files) =>
      trial.servePage(project, renderJsonPage(project, files.slice(0, -1))),
    judge: mustInstall(),
  }),
  stageIndexAttack({
    row: 'A12',
    name: 'the page says that the newest release was yanked',
    project: 'foo-a12-yank',
    pips: 'machine',
    turn: (world, project, files) =>
      servePageWith(world, files, { project, file: { yanked: true } }),
    judge: mustInstall(),
  }),
  stageIndexAttack({
    row: 'A12',
    name: 'the page says that the newest release needs Python 99',
    project: 'foo-a12-python',
    pips: 'machine',
    turn: (world, project, files) =>
      servePageWith(world, files, { project, file: { 'requires-python': '>=99' } }),
    judge: mustInstall(),
  }),
  stageIndexAttack({
    row: 'A12',
    name: 'the newest release has a hash that fits nothing',
    project: 'foo-a12-hash',
    pips: 'machine',
    turn: (world, project, files) =>
      servePageWith(world, files, { project, file: { hashes: { sha256: '0'.repeat(64) } } }),
    judge: mustInstall(),
  }),
  stageIndexAttack({
    row: 'A12',
    name: 'the mirror is shown an older page, with its older serial',
    project: 'foo-a12-serial',
    pips: 'machine',
    files: (project) => [buildGenuine(project, '1.0')],
    // The first look sees 200 and both releases.
    more: (world) => {
      world.publish('foo-a12-serial', buildReleases('foo-a12-serial'))
      serveWithSerial(200)(world, 'foo-a12-serial', buildReleases('foo-a12-serial'))
    },
    change: serveWithSerial(100),
    judge: (observed) => [
      ...mustInstall()(observed),
      ...requireNote(observed, /^the mirror: failed/),
    ],
  }),
  stageIndexAttack({
    row: 'A12',
    name: 'the newest release is yanked where the mirror sees it, which signs that by default',
    project: 'foo-a12-yank-seen',
    pips: 'machine',
    change: (world, project, files) =>
      servePageWith(world, files, { project, file: { yanked: 'no reason' } }),
    limit:
      'a yank is for the index to say: the mirror signs it, and tells; a setting holds it back',
    judge: (observed) => [
      ...require(observed.happened === 'foo-a12-yank-seen 1.0 installed', observed.happened),
      ...requireNote(observed, /^the mirror: warning: .*was yanked/),
    ],
  }),
  ...[
    { was: 'any', project: 'foo-a12-python-any', file: {} },
    { was: '3.6', project: 'foo-a12-python-seen', file: { 'requires-python': '>=3.6' } },
  ].map(({ was, project, file }) =>
    stageIndexAttack({
      row: 'A12',
      name: `the newest release needs Python 99 where the mirror sees it, and ${was} before`,
      project,
      pips: was === 'any' ? 'each' : 'machine',
      more: (world) => servePageWith(world, buildReleases(project), { project, file }),
      change: (world, _, files) =>
        servePageWith(world, files, { project, file: { 'requires-python': '>=99' } }),
      judge: (observed) => [
        ...mustInstall()(observed),
        ...require(observed.happened === `${project} 1.1 installed`, observed.happened),
        ...requireNote(observed, /^the mirror: warning: .*another requires-python.*not taken over/),
      ],
    }),
  ),
  denied({
    row: 'A12',
    name: 'the page of the project is gone: 404',
    project: 'foo-a12-gone',
    turn: ({ trial }, project) => trial.index.on(`/simple/${project}/`, status(404)),
    judge: mustInstall(),
  }),
  denied({
    row: 'A12',
    name: 'the page of the project is empty',
    project: 'foo-a12-empty',
    pips: 'machine',
    turn: ({ trial }, project) => trial.servePage(project, renderJsonPage(project, [])),
    judge: mustInstall(),
  }),
  denied({
    row: 'A12',
    name: 'the page of the project is garbage',
    project: 'foo-a12-garbage',
    pips: 'machine',
    turn: ({ trial }, project) =>
      trial.index.on(`/simple/${project}/`, serve(Buffer.from('not a page'))),
    judge: mustInstall(),
  }),
  ...['quarantined', 'archived'].map((state) =>
    denied({
      row: 'A12',
      name: `the page says that the project is ${state} (PEP 792), and lists nothing`,
      project: `foo-a12-${state}`,
      pips: 'machine',
      turn: ({ trial }, project) =>
        trial.servePage(project, {
          ...renderJsonPage(project, []),
          'project-status': { status: state, reason: 'malware' },
        }),
      judge: mustInstall(),
    }),
  ),
]

/** With harm to whoever gets nothing. */
function denied(attack: Parameters<typeof stageIndexAttack>[0]): Attack {
  const staged = stageIndexAttack(attack)
  const { alone } = staged
  if (typeof alone === 'string') return staged
  return { ...staged, alone: async (scene) => tellDenial(await alone(scene)) }
}

/** As PyPI tells which change of its own a page knows. */
function serveWithSerial(serial: number): Staging {
  return ({ trial }, project, files) => {
    const headers = { ...jsonType, 'x-pypi-last-serial': serial }
    const page = Buffer.from(JSON.stringify(renderJsonPage(project, files)))
    trial.index.on(`/simple/${project}/`, serve(page, headers))
  }
}
