/** A18: addresses of an inner network, which the mirror, the proxy or pip is made to ask (SSRF). */

import { jsonType, renderJsonPage, type TrialFile } from '../../../test/e2e/trial.ts'
import { sha256 } from '../../../test/support/build-wheel.ts'
import { redirect, serve } from '../../../test/support/hostile-server.ts'
import type { Attack, Observed, Scene } from '../attack.ts'
import { buildEvil } from '../genuine.ts'
import { stageIndexAttack, type IndexAttack, type Staging } from '../index-attack.ts'
import { mustInstall, mustRefuse, require, requireNote, type Judge } from '../judge.ts'
import { listPageFiles, serveOneMore } from '../page-lies.ts'
import type { World } from '../world.ts'

export const internalHost: readonly Attack[] = [
  stageInternal({
    row: 'A18',
    name: 'a link without a hash to an inner host',
    project: 'foo-a18-hashless',
    isCore: true,
    change: linkTo(({ internal }, file) => internal.url(pathOf(file))),
    judge: mustLeaveOut,
  }),
  stageInternal({
    row: 'A18',
    name: 'a link with a hash to an inner host',
    project: 'foo-a18-hash',
    pips: 'machine',
    change: linkTo(
      ({ internal }, file) => internal.url(pathOf(file)),
      ({ bytes }) => ({ sha256: sha256(bytes) }),
    ),
    judge: mustLeaveOut,
  }),
  stageInternal({
    row: 'A18',
    name: 'a link without a hash to the index, which redirects to an inner host',
    project: 'foo-a18-redirect',
    pips: 'machine',
    change: linkTo(({ trial, internal }, file) => {
      trial.index.on(`/files/${file.filename}`, redirect(internal.url(pathOf(file))))
      return trial.index.url(`/files/${file.filename}`)
    }),
    judge: mustLeaveOut,
  }),
  stageInternal({
    row: 'A18',
    name: 'the same inner host by a name: localhost',
    project: 'foo-a18-name',
    pips: 'machine',
    change: linkTo(({ internal }, file) => `http://localhost:${internal.port}${pathOf(file)}`),
    judge: mustLeaveOut,
  }),
  stageInternal({
    row: 'A18',
    name: 'links to the metadata service of clouds, to a file of the machine, and with a password',
    project: 'foo-a18-odd',
    pips: 'machine',
    change: (world, project, files) => {
      const [evil] = offer(world, project)
      const { filename } = evil
      const urls = [
        `http://169.254.169.254/latest/meta-data/${filename}`,
        `http://[::ffff:169.254.169.254]/${filename.replace('99.0', '99.1')}`,
        `file:///etc/${filename.replace('99.0', '99.2')}`,
        `http://user:secret@127.0.0.1:${world.internal.port}${pathOf(evil).replace('99.0', '99.3')}`,
      ]
      const links = urls.map((url) => ({ filename: url.split('/').at(-1), url, hashes: {} }))
      const listed = [...listPageFiles(project, files), ...links]
      world.trial.servePage(project, { ...renderJsonPage(project, []), files: listed })
    },
    judge: (observed) => [
      ...mustInstall()(observed),
      ...require(countLeftOut(observed) === 4, `${countLeftOut(observed)} of 4 links left out`),
    ],
  }),
  stageInternal({
    row: 'A18',
    name: 'the page redirects to an index on an inner host',
    project: 'foo-a18-page',
    pips: 'machine',
    change: ({ trial, internal }, project) => {
      const evil = buildEvil(project, '99.0')
      const path = `/${project}/simple/`
      internal.on(path, serve(renderInnerPage(project, evil), jsonType))
      internal.on(pathOf(evil), serve(evil.bytes))
      trial.index.on(`/simple/${project}/`, redirect(internal.url(path)))
    },
    judge: (observed) => [
      ...mustInstall()(observed),
      ...requireNote(observed, /^the mirror: failed/),
    ],
  }),
  stageInternal({
    row: 'A18',
    name: 'a file that was signed redirects to an inner host',
    project: 'foo-a18-file',
    turn: ({ trial, internal }, project, files) => {
      const newest = files.at(-1)
      if (newest === undefined) return
      const inner = pathOf({ ...newest, filename: `${project}-${newest.filename}` })
      internal.on(inner, serve(newest.bytes))
      trial.index.on(`/files/${newest.filename}`, redirect(internal.url(inner)))
    },
    judge: mustRefuse({ code: 'HOST_REFUSED' }),
  }),
]

/** Harm is that the inner host was asked at all; it notes who asked for what. */
function stageInternal(attack: Omit<IndexAttack, 'look'>): Attack {
  return stageIndexAttack({ ...attack, look: tellAsked })
}

function tellAsked(observed: Observed, { world }: Scene, project: string): Observed {
  const module = project.replaceAll('-', '_')
  const asked = world.internal.requests.filter(
    ({ path }) => path.includes(project) || path.includes(module),
  ).length
  const note = asked === 0 ? 'the inner host was not asked' : `the inner host was asked ${asked} x`
  const harm = observed.harm ?? (asked > 0 ? `an INNER HOST was asked` : undefined)
  return { ...observed, ...(harm !== undefined && { harm }), notes: [note, ...observed.notes] }
}

function mustLeaveOut(observed: Observed): ReturnType<Judge> {
  return [
    ...mustInstall()(observed),
    ...require(countLeftOut(observed) === 1, 'the mirror does not say that it left the link out'),
  ]
}

function countLeftOut({ notes }: Observed): number {
  return notes.filter((note) => note.includes('left-out')).length
}

function linkTo(
  findUrl: (world: World, file: TrialFile) => string,
  findHashes: (file: TrialFile) => object = () => ({}),
): Staging {
  return (world, project, files) => {
    const [evil] = offer(world, project)
    const { filename } = evil
    const link = { filename, url: findUrl(world, evil), hashes: findHashes(evil) }
    serveOneMore(world, files, { project, link })
  }
}

/** The inner host has it: whoever asks is served. */
function offer({ internal }: World, project: string): [evil: TrialFile] {
  const { filename, bytes } = buildEvil(project, '99.0')
  internal.on(pathOf({ filename, bytes }), serve(bytes))
  return [{ filename, bytes }]
}

function pathOf({ filename }: TrialFile): string {
  return `/inner/${filename}`
}

function renderInnerPage(project: string, { filename, bytes }: TrialFile): Buffer {
  const page = renderJsonPage(project, [{ filename, bytes }])
  return Buffer.from(JSON.stringify(page).replace('../../files/', '../../inner/'))
}
