/** A23: the index changes an old file; the later releases of its project must come all the same. */

import { renderJsonPage } from '../../../test/e2e/trial.ts'
import { serve } from '../../../test/support/hostile-server.ts'
import type { Attack, Observed } from '../attack.ts'
import { tellDenial } from '../denial.ts'
import { buildEvil, buildGenuine } from '../genuine.ts'
import { buildReleases, stageIndexAttack, type Staging } from '../index-attack.ts'
import { mustInstall, mustRefuse, requireNote } from '../judge.ts'
import { listPageFiles, offerFile, servePageWith } from '../page-lies.ts'

export const changedFile: readonly Attack[] = [
  stageIndexAttack({
    row: 'A23',
    name: 'an old file is changed, and a fixed release comes after it: who wants the newest',
    project: 'foo-a23-newest',
    isCore: true,
    change: changeOldAndRelease,
    judge: (observed) => [...mustInstall()(observed), ...requireConflict(observed)],
  }),
  stageIndexAttack({
    row: 'A23',
    name: 'an old file is changed: who wants the old one',
    project: 'foo-a23-old',
    pips: 'machine',
    install: { args: ['install', 'foo-a23-old==1.0'] },
    change: changeOldAndRelease,
    judge: (observed) => [
      ...mustRefuse({ code: 'DIGEST_MISMATCH', line: /Refused by tufgate/ })(observed),
      ...requireConflict(observed),
    ],
  }),
  stageIndexAttack({
    row: 'A23',
    name: 'an old file is changed on the page alone: who wants the old one gets what was signed',
    project: 'foo-a23-page',
    pips: 'machine',
    files: (project) => [buildGenuine(project, '1.0')],
    change: ({ trial }, project) => {
      const evil = buildEvil(project, '1.0')
      trial.index.on(`/other/${evil.filename}`, serve(evil.bytes))
      const [link = {}] = listPageFiles(project, [{ filename: evil.filename, bytes: evil.bytes }])
      const url = `../../other/${evil.filename}`
      trial.servePage(project, { ...renderJsonPage(project, []), files: [{ ...link, url }] })
    },
    judge: (observed) => [...mustInstall()(observed), ...requireConflict(observed)],
  }),
  stageIndexAttack({
    row: 'A23',
    name: 'links that cannot be read stand before a fixed release',
    project: 'foo-a23-odd',
    change: (world, project, files) => {
      const all = [...files, buildGenuine(project, '1.2')]
      world.publish(project, all)
      const honest = listPageFiles(project, all)
      const odd = [
        { filename: `${'x'.repeat(5000)}.whl`, url: 'http://[', hashes: {} },
        { filename: '../../etc/passwd', url: '../../files/passwd', hashes: {} },
        {
          filename: 'a\u0000b-1.0.tar.gz',
          url: '../../files/a%00b-1.0.tar.gz',
          hashes: { sha256: 'x' },
        },
        { filename: 7, url: {}, hashes: [] },
      ]
      world.trial.servePage(project, { ...renderJsonPage(project, []), files: [...odd, ...honest] })
    },
    judge: mustInstall(),
  }),
  stageIndexAttack({
    row: 'A23',
    name: 'the index says another size of a file that was signed',
    project: 'foo-a23-size',
    pips: 'machine',
    change: (world, project, files) => servePageWith(world, files, { project, file: { size: 7 } }),
    look: tellDenial,
    judge: (observed) => [...mustInstall()(observed), ...requireOtherSize(observed)],
  }),
  stageIndexAttack({
    row: 'A23',
    name: 'the index says a wrong size at the first look, and the right one later',
    project: 'foo-a23-size-first',
    pips: 'machine',
    more: (world) =>
      servePageWith(world, buildReleases('foo-a23-size-first'), {
        project: 'foo-a23-size-first',
        file: { size: 7 },
      }),
    change: (world, project, files) => servePageWith(world, files, { project }),
    look: tellDenial,
    judge: (observed) => [...mustInstall()(observed), ...requireOtherSize(observed)],
  }),
  stageIndexAttack({
    row: 'A23',
    name: 'another file comes under another spelling of a signed name',
    project: 'foo-a23-spelling',
    pips: 'machine',
    files: (project) => [buildGenuine(project, '1.0')],
    change: (world, project, files) => {
      const evil = buildEvil(project, '1.0')
      const filename = evil.filename.replace(/^foo/, 'Foo').replace('-1.0-', '-1.0.0-')
      const link = { filename, url: `../../files/${filename}`, hashes: { sha256: evil.sha256 } }
      world.trial.index.on(`/files/${filename}`, serve(evil.bytes))
      world.trial.servePage(project, {
        ...renderJsonPage(project, files),
        files: [...listPageFiles(project, files), link],
      })
    },
    judge: (observed) => [...mustInstall()(observed), ...requireConflict(observed)],
  }),
]

/** 1.0 is another file now, in bytes and on the page; 1.2 is a fix that everybody should get. */
function changeOldAndRelease(...[world, project]: Parameters<Staging>): void {
  const honest = [...buildReleases(project), buildGenuine(project, '1.2')]
  world.publish(project, honest)
  const evil = offerFile(world, buildEvil(project, '1.0'))
  world.trial.servePage(project, renderJsonPage(project, [evil, ...honest.slice(1)]))
}

function requireOtherSize(observed: Observed): readonly string[] {
  return requireNote(observed, /^the mirror: .*another size/)
}

function requireConflict(observed: Observed): readonly string[] {
  return requireNote(observed, 'the mirror: conflict')
}
