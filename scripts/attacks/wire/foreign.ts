/** Requests for what is none of the client's business: other names, other sites, other servers. */

import { jsonType, renderJsonPage } from '../../../test/e2e/trial.ts'
import {
  redirect,
  serve,
  startHostileServer,
  type HostileServer,
} from '../../../test/support/hostile-server.ts'
import { foreignHosts, foreignOrigins } from '../../../test/support/odd-requests.ts'
import type { Observed, Scene } from '../attack.ts'
import { install } from '../install.ts'
import { movePage } from './bench.ts'
import { evilBytes } from './evil-bytes.ts'
import { tellTimes, type WireRow } from './wire-row.ts'

const needsNoTricks = 'a server that is hostile itself needs no tricks'
const unlisted = [
  'wire_w18-9.9.tar.gz',
  'wire_w18-1.0.tar.gz.metadata',
  'wire_w18-1.0.tar.gz.asc',
  'wire_w18-1.0.tar.gz.sig',
  'other-1.0.tar.gz',
  'Wire_W18-1.0.tar.gz',
  'wire-w18-1.0.tar.gz',
  'sub/wire_w18-1.0.tar.gz',
]

export const foreign: readonly WireRow[] = [
  {
    row: 'W16',
    name: 'names that normalize alike, or only look alike',
    files: 1,
    alone: needsNoTricks,
    send: async (bench, tap) => {
      const path = bench.path(0)
      const names = [
        'Wire-W16',
        'wire_w16',
        'wire.w16',
        'wire--w16',
        'w%C4%B1re-w16',
        'wire-w16%E2%80%8B',
        '%EF%BD%97ire-w16',
      ]
      for (const name of names) {
        await tap.ask(path.replace('/wire-w16/', `/${name}/`))
        await tap.ask(`/simple/${name}/`, [], 'HEAD')
      }
      for (const name of ['Wire_W16', 'wire-w16', 'wire.w16'])
        await tap.ask(path.replace('wire_w16', name))
      // Decoded once it is the very same.
      await tap.ask(path.replace('wire', '%77ire'))
    },
    expected: { answers: '4 x 301, 1 x 403, 13 x 404', asked: 1, codes: ['DIGEST_MISMATCH'] },
  },
  {
    row: 'W17',
    name: 'Host and Origin of another site, also for what is in the vault',
    files: 2,
    alone: needsNoTricks,
    send: async (bench, tap) => {
      bench.turn(1, serve(bench.project.files[1]?.bytes ?? evilBytes))
      await tap.ask(bench.path(1))
      for (const at of [0, 1]) {
        for (const host of foreignHosts)
          await tap.say(`GET ${bench.path(at)} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
        for (const header of foreignOrigins) await tap.ask(bench.path(at), [header])
      }
    },
    expected: { answers: '1 x 200, 12 x 403, 12 x 421', asked: 1, codes: [] },
  },
  {
    row: 'W18',
    name: 'a file URL that no record has',
    files: 1,
    alone: needsNoTricks,
    send: async (bench, tap) => {
      const { host, project } = bench
      const folder = bench.path(0).slice(0, bench.path(0).lastIndexOf('/'))
      for (const name of unlisted) {
        host.on(`/files/${name}`, serve(evilBytes))
        await tap.ask(`${folder}/${name}`)
      }
      const place = new URL(host.origin).host
      for (const other of [
        `localhost:${host.port}`,
        '127.0.0.1',
        `127.1:${host.port}`,
        'evil.test',
      ])
        await tap.ask(bench.path(0).replace(place, other))
      await tap.ask(bench.path(0).replace(project.name, 'wire-warm-up'))
      await tap.ask(bench.path(0).replace(project.name, 'wire-unknown'))
      const reached = unlisted.filter((name) => host.count(`/files/${name}`) > 0)
      return [`${reached.length} of ${unlisted.length} unlisted files were fetched`]
    },
    expected: {
      answers: '14 x 404',
      asked: 0,
      codes: ['NOT_FOUND'],
      notes: ['0 of 8 unlisted files were fetched'],
    },
  },
  {
    row: 'W19',
    name: 'a record URL on another server of the own network (SSRF)',
    isCore: true,
    files: 2,
    isElsewhere: true,
    alone: (scene) => followAlone(scene, 'wire-w19', 'page'),
    send: async ({ path, behind }, tap) => {
      for (const method of ['GET', 'HEAD']) await tap.ask(path(0), [], method)
      await tap.ask(path(1), ['Range: bytes=0-10'])
      await tap.ask(`${path(1)}.metadata`)
      return [tellInner(behind?.inner.count() ?? 0)]
    },
    expected: {
      answers: '3 x 403, 1 x 404',
      asked: 0,
      codes: ['HOST_REFUSED', 'NOT_FOUND'],
      notes: [tellInner(0)],
    },
  },
  {
    row: 'W20',
    name: 'a file URL that is redirected to another server of the own network (SSRF)',
    files: 12,
    alone: (scene) => followAlone(scene, 'wire-w20', 'file host'),
    send: async (bench, tap) => {
      const before = bench.behind?.inner.count() ?? 0
      const targets = listRedirects(bench.behind?.inner.port ?? 0, bench.host)
      for (const [at, target] of targets.entries()) {
        bench.turn(at, redirect(target))
        await tap.ask(bench.path(at), at % 2 === 0 ? [] : ['Range: bytes=0-99'])
      }
      return [tellInner((bench.behind?.inner.count() ?? 0) - before)]
    },
    expected: {
      answers: '12 x 403',
      asked: 12,
      codes: ['HOST_REFUSED', 'DIGEST_MISMATCH'],
      notes: [tellInner(0)],
    },
  },
]

function listRedirects(innerPort: number, host: HostileServer): readonly string[] {
  host.on('/files/evil-elsewhere', serve(evilBytes))
  return [
    `http://127.0.0.1:${innerPort}/secret`,
    `//127.0.0.1:${innerPort}/secret`,
    `http://localhost:${innerPort}/secret`,
    `http://[::1]:${innerPort}/secret`,
    `http://0.0.0.0:${innerPort}/secret`,
    `http://2130706433:${innerPort}/secret`,
    `http://[::ffff:127.0.0.1]:${innerPort}/secret`,
    'http://169.254.169.254/latest/meta-data/',
    `http://user:secret@127.0.0.1:${host.port}/files/evil-elsewhere`,
    'file:///etc/passwd',
    'ftp://127.0.0.1/secret',
    // Allowed, and no help: what comes is not what is signed.
    '/files/evil-elsewhere',
  ]
}

function tellInner(count: number): string {
  return `the other server was asked ${tellTimes(count)}`
}

/** pip, with a hostile page or file before it, and a server beside it that only this machine reaches. */
async function followAlone(
  scene: Scene,
  project: string,
  hostile: 'page' | 'file host',
): Promise<Observed> {
  const [index, inner] = await Promise.all([startHostileServer(), startHostileServer()])
  try {
    const filename = `${project.replaceAll('-', '_')}-1.0.tar.gz`
    const honest = renderJsonPage(project, [{ filename, bytes: evilBytes }])
    const page = hostile === 'page' ? movePage(honest, inner) : honest
    index.on(`/simple/${project}/`, serve(Buffer.from(JSON.stringify(page)), jsonType))
    index.on(`/files/${filename}`, redirect(inner.url(`/files/${filename}`)))
    const seen = await install(scene, project, { indexUrl: index.url('/simple/') })
    return { ...seen, ...(inner.count() > 0 && { harm: tellInner(inner.count()) }) }
  } finally {
    await Promise.all([index.close(), inner.close()])
  }
}
