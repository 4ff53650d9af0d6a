/** A7: what a file needs, whom it fits and whether it is withdrawn, forged beside the file: `.metadata` and page. */

import { renderJsonPage, type TrialFile } from '../../../test/e2e/trial.ts'
import { buildSdist } from '../../../test/support/build-sdist.ts'
import { sha256 } from '../../../test/support/build-wheel.ts'
import { serve } from '../../../test/support/hostile-server.ts'
import { runProgram } from '../../../test/support/program.ts'
import type { Attack } from '../attack.ts'
import { buildEvil, buildGenuine, evilSetup } from '../genuine.ts'
import { buildReleases, stageIndexAttack } from '../index-attack.ts'
import { mustInstall, mustRefuse, require, requireNote } from '../judge.ts'
import type { World } from '../world.ts'
import { offerFile, servePageWith } from '../page-lies.ts'

const forgedMetadata = mustRefuse({
  code: 'DIGEST_MISMATCH',
  line: /Refused by tufgate: sha256 of \S+\.metadata is not the signed one|length of \S+\.metadata/,
})

const unyanked = 'foo-a7-unyank'

export const dependencies: readonly Attack[] = [
  stageIndexAttack({
    row: 'A7',
    name: 'one more Requires-Dist in the .metadata, the page as it was',
    project: 'foo-a7-sidecar',
    turn: (world, project, files) => {
      world.trial.index.on(...serveForged(project, files))
      offerEvil(world, project)
    },
    judge: forgedMetadata,
  }),
  stageIndexAttack({
    row: 'A7',
    name: 'one more Requires-Dist in the .metadata, and its hash on the page',
    project: 'foo-a7-agreed',
    isCore: true,
    turn: leadToEvil,
    judge: forgedMetadata,
  }),
  stageIndexAttack({
    row: 'A7',
    name: 'the same, and what it requires is a project that the mirror has signed',
    project: 'foo-a7-known',
    // Not by world.publish: it is evil from the beginning.
    more: ({ trial }) =>
      trial.publish(evilOf('foo-a7-known'), [buildEvil(evilOf('foo-a7-known'), '1.0')]),
    turn: agreeOnForged,
    judge: forgedMetadata,
  }),
  stageIndexAttack({
    row: 'A7',
    name: 'a .metadata for a wheel that has none (core-metadata)',
    project: 'foo-a7-invented',
    files: buildBare,
    turn: leadToEvil,
    judge: mustInstall(),
  }),
  stageIndexAttack({
    row: 'A7',
    name: 'a .metadata for a wheel that has none (data-dist-info-metadata, in HTML)',
    project: 'foo-a7-html',
    files: buildBare,
    turn: (world, project, files) => {
      serveForgedHtml(world, project, files)
      offerEvil(world, project)
    },
    judge: mustInstall(),
  }),
  stageIndexAttack({
    row: 'A7',
    name: 'requires-python that no Python has, on the newest release',
    project: 'foo-a7-python',
    pips: 'machine',
    turn: (world, project, files) =>
      servePageWith(world, files, { project, file: { 'requires-python': '>=99' } }),
    judge: mustInstall(),
  }),
  stageIndexAttack({
    row: 'A7',
    name: 'the newest release yanked on the page',
    project: 'foo-a7-yank',
    isCore: true,
    turn: (world, project, files) =>
      servePageWith(world, files, { project, file: { yanked: 'do not use' } }),
    judge: mustInstall(),
  }),
  stageIndexAttack({
    row: 'A7',
    name: 'a yank taken back: an evil release that was withdrawn is offered again',
    project: unyanked,
    files: (project) => [buildEvil(project, '1.1'), buildGenuine(project, '1.0')],
    more: (world) => serveBroken(world, true),
    turn: (world) => serveBroken(world, false),
    judge: mustInstall(),
  }),
  stageIndexAttack({
    row: 'A7',
    name: 'the mirror sees another .metadata for a file that it has signed',
    project: 'foo-a7-later',
    change: leadToEvil,
    judge: mustInstall(),
  }),
  stageLieFromTheStart(),
  stageIndexAttack({
    row: 'A7',
    name: 'the same from the first look on, and what it requires is a source archive',
    project: 'foo-a7-source',
    more: (world) => {
      const [project, name] = ['foo-a7-source', evilOf('foo-a7-source')]
      signForged(world, project)
      world.trial.publish(name, [buildSdist({ name, version: '1.0', setup: evilSetup })])
    },
    install: { args: ['install', '--no-build-isolation', 'foo-a7-source'] },
    limit:
      'pip runs setup.py of what it plans with before it asks for the wheel that gives the lie away',
    judge: ({ happened, harm }) => [
      ...require(harm === 'EVIL code ran', `harm: ${harm}`),
      ...require(happened === 'nothing installed', happened),
    ],
  }),
]

/** The mirror has never seen the honest one and signs what it is shown: the wheel itself tells. */
function stageLieFromTheStart(): Attack {
  const project = 'foo-a7-start'
  const staged = stageIndexAttack({
    row: 'A7',
    name: 'the index lies in the .metadata from the first look on',
    project,
    more: (world) => {
      signForged(world, project)
      const { filename, bytes } = buildEvil(evilOf(project), '1.0')
      world.trial.publish(evilOf(project), [{ filename, bytes }])
    },
    // pip 26 alone reads the wheel again and refuses it; pip 23 alone installs what is forged.
    judge: (observed) => [
      ...mustRefuse({
        code: 'CORE_METADATA_MISMATCH',
        line: /Refused by tufgate: METADATA in \S+\.whl differs from \S+\.whl\.metadata/,
      })(observed),
      ...requireNote(observed, /^mirror verify-files: exit code 3/),
    ],
  })
  const { behind } = staged
  return {
    ...staged,
    behind: async (scene) => {
      const observed = await behind(scene)
      const { mirror } = scene.world.trial
      const { code } = await runProgram('mirror', 'verify-files', mirror, '--project', project)
      return { ...observed, notes: [...observed.notes, `mirror verify-files: exit code ${code}`] }
    },
  }
}

/** It is signed as it is shown. */
function signForged(world: World, project: string): void {
  const files = buildReleases(project)
  agreeOnForged(world, project, files)
  world.addSigned(forge(project, newestOf(files)))
}

function serveBroken(world: World, isYanked: boolean): void {
  const files = [buildGenuine(unyanked, '1.0'), buildEvil(unyanked, '1.1')]
  const file = { yanked: isYanked ? 'stolen account' : false }
  servePageWith(world, files, { project: unyanked, file })
}

function evilOf(project: string): string {
  return `evil-of-${project}`
}

/** Nobody has signed it: the index lists it from now on. */
function offerEvil(world: World, project: string): void {
  const name = evilOf(project)
  world.trial.servePage(name, renderJsonPage(name, [offerFile(world, buildEvil(name, '1.0'))]))
}

function forge(project: string, { metadata = Buffer.alloc(0) }: TrialFile): Buffer {
  const honest = Buffer.from(metadata).toString().trimEnd()
  return Buffer.from(`${honest}\nRequires-Dist: ${evilOf(project)}\n\n`)
}

function newestOf(files: readonly TrialFile[]): TrialFile {
  const newest = files.at(-1)
  if (newest === undefined) throw new Error('a project without files')
  return newest
}

function serveForged(
  project: string,
  files: readonly TrialFile[],
): [path: string, behaviour: ReturnType<typeof serve>] {
  const newest = newestOf(files)
  return [`/files/${newest.filename}.metadata`, serve(forge(project, withMetadata(newest)))]
}

function agreeOnForged(world: World, project: string, files: readonly TrialFile[]): void {
  world.trial.index.on(...serveForged(project, files))
  const forged = forge(project, withMetadata(newestOf(files)))
  servePageWith(world, files, { project, file: { 'core-metadata': { sha256: sha256(forged) } } })
}

function leadToEvil(world: World, project: string, files: readonly TrialFile[]): void {
  agreeOnForged(world, project, files)
  offerEvil(world, project)
}

/** Of one that is published without it, what stands in the wheel. */
function withMetadata(file: TrialFile): TrialFile {
  const [name = '', version = ''] = file.filename.split('-')
  const { metadata } = buildGenuine(name.replaceAll('_', '-'), version)
  return { ...file, metadata: file.metadata ?? metadata }
}

function buildBare(project: string): readonly TrialFile[] {
  return buildReleases(project).map(({ filename, bytes }) => ({ filename, bytes }))
}

function serveForgedHtml({ trial }: World, project: string, files: readonly TrialFile[]): void {
  trial.index.on(...serveForged(project, files))
  const newest = newestOf(files)
  const digest = sha256(forge(project, withMetadata(newest)))
  const told = `data-dist-info-metadata="sha256=${digest}" data-core-metadata="sha256=${digest}"`
  const links = files.map((file) => {
    const href = `../../files/${file.filename}#sha256=${sha256(file.bytes)}`
    return `<a href="${href}" ${file === newest ? told : ''}>${file.filename}</a>`
  })
  const html = `<!DOCTYPE html><html><body>${links.join('\n')}</body></html>`
  const type = { 'content-type': 'text/html' }
  trial.index.on(`/simple/${project}/`, serve(Buffer.from(html), type))
}
