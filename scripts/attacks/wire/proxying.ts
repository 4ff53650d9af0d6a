/** The proxy as an HTTP proxy, and one that belongs to a single command: what others get out of them. */

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { collect, spawnProgram } from '../../../test/support/program.ts'
import type { HostileServer } from '../../../test/support/hostile-server.ts'
import { pathOf } from '../../../test/support/proxy-witness.ts'
import type { SharedProxy } from './bench.ts'
import { tellTimes, type WireRow } from './wire-row.ts'

export const proxying: readonly WireRow[] = [
  {
    row: 'W21',
    name: 'absolute-form and authority-form request targets (forward mode)',
    isCore: true,
    files: 3,
    alone: 'a server that is hostile itself gives its file under any name',
    send: async (bench, tap) => {
      const { host, project } = bench
      const before = host.count()
      const inner = bench.behind?.inner ?? host
      const urls = project.files.map(({ filename }) => host.url(`/files/${filename}`))
      const place = { host, inner, url: urls[0] ?? '', other: urls[1] ?? '' }
      for (const { target, ...parts } of [...listUrls(place), ...listOthers(place)])
        await tap.say(renderRequest(target, parts))
      // What would come through a tunnel is looked at by nobody.
      for (const authority of [...listTunnels(place), `127.0.0.1:${tap.port}`])
        await tap.say(
          `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n${renderRequest(place.url)}`,
        )
      const release = bench.holdBack(2)
      const slow = await tap.open()
      slow.send(renderRequest(urls[2] ?? '', { lines: ['Range: bytes=49-'] }))
      await slow.bodyBytes(1)
      release()
      await tap.hear(slow)
      return [tellOthers(host.count() - before - bench.countAsked())]
    },
    expected: {
      answers: '1 x 200, 7 x 400, 10 x 403, 8 x 404, 3 x 405, 4 x 421',
      asked: 3,
      codes: ['DIGEST_MISMATCH'],
      notes: [tellOthers(0)],
    },
  },
  {
    row: 'W22',
    name: 'the proxy of one command, without its access token or with a wrong one',
    files: 2,
    alone: 'without tufgate there is nothing that one command alone may use',
    send: async ({ behind, project }, tap) => {
      if (behind === undefined) return []
      const { index } = behind.trial
      const [file = '', other = ''] = project.files.map(({ filename }) => filename)
      const path = pathOf(behind.trial, project.name, file)
      const run = await startRun(behind)
      tap.port = run.port
      try {
        for (const guess of listGuesses(run.token, project.name))
          await tap.ask(guess.replace('FILE', path))
        for (const lines of listProofs(run.token)) {
          await tap.ask(path, lines)
          await tap.say(renderRequest(index.url(`/files/${file}`), { lines }))
        }
        await tap.say(renderRequest(new URL(index.origin).host, { method: 'CONNECT' }))
        // With it, all is as ever.
        await tap.ask(`/${run.token}${pathOf(behind.trial, project.name, other)}`)
        return [await tellOfToken(run.state, run.token)]
      } finally {
        await run.stop()
      }
    },
    expected: {
      answers: '1 x 403, 22 x 404, 5 x 407',
      asked: 1,
      codes: [],
      notes: ['the token is in none of its files'],
    },
  },
]

interface ForwardPlace {
  readonly host: HostileServer
  readonly inner: HostileServer
  readonly url: string
  readonly other: string
}

interface RequestParts {
  /** In `Host`; default: what the URL says. */
  readonly named?: string
  readonly method?: string
  readonly lines?: readonly string[]
}

type ForwardRequest = RequestParts & { readonly target: string }

/** The evil file by its own URL, and by others that somebody might take for it. */
function listUrls({ host, url, other }: ForwardPlace): readonly ForwardRequest[] {
  const { host: place } = new URL(host.origin)
  const spellings = [`localhost:${host.port}`, `user@${place}`, `127.1:${host.port}`, '127.0.0.1']
  return [
    { target: url },
    { target: url, method: 'HEAD' },
    { target: other, lines: ['Range: bytes=0-99'] },
    { target: url.replace('http:', 'HTTP:'), lines: ['If-None-Match: *'] },
    { target: url, named: 'localhost' },
    { target: url, named: 'evil.test' },
    ...spellings.map((named) => ({ target: url.replace(place, named), named })),
    ...[`${url}?x`, `${url}#x`, `${url}%00`, `${url}.metadata`].map((target) => ({ target })),
    { target: url.replace('/files/', '/files/../files/') },
    { target: url.replace('/files/', '/files%2F') },
    { target: url.replace('http:', 'https:') },
    ...['POST', 'PUT', 'TRACE'].map((method) => ({ target: url, method })),
  ]
}

/** What no record names, and other servers. */
function listOthers({ host, inner }: ForwardPlace): readonly ForwardRequest[] {
  const urls = [
    host.url('/files/secret'),
    host.url('/'),
    host.url('/simple/'),
    inner.url('/secret'),
  ]
  return [...urls, 'http://169.254.169.254/latest/meta-data/'].map((target) => ({ target }))
}

function listTunnels({ host, inner }: ForwardPlace): readonly string[] {
  const servers = [host, inner].map(({ origin }) => new URL(origin).host)
  return [...servers, '169.254.169.254:80', 'evil.test:443', 'evil.test', '*']
}

function renderRequest(
  target: string,
  { named, method = 'GET', lines = [] }: RequestParts = {},
): string {
  const host = named ?? URL.parse(target)?.host ?? target
  return [
    `${method} ${target} HTTP/1.1`,
    `Host: ${host}`,
    'Connection: close',
    ...lines,
    '',
    '',
  ].join('\r\n')
}

function tellOthers(count: number): string {
  return `the file host was asked for other things ${tellTimes(count)}`
}

/** FILE: the path of the evil file. */
function listGuesses(token: string, project: string): readonly string[] {
  const wrong = [token.slice(0, -1), `${token}0`, `${token.toUpperCase()}x`, token.slice(1)]
  return [
    'FILE',
    '/FILE',
    ...[...wrong, `%${token}`, `x/${token}`, `./${token}`, `/${token}`].map(
      (part) => `/${part}FILE`,
    ),
    '/',
    '/-/',
    '/-/health',
    '/-/ready',
    '/-/metrics',
    `/simple/${project}/`,
    `/simple/?${token}`,
    `/#${token}`,
  ]
}

/** Headers that are to show that one may. */
function listProofs(token: string): readonly (readonly string[])[] {
  const right = `Proxy-Authorization: Basic ${encode(`tufgate:${token}`)}`
  return [
    [],
    [`Proxy-Authorization: Basic ${encode('tufgate:x')}`],
    [`Proxy-Authorization: Bearer ${token}`, `Cookie: ${token}`],
    [right, right],
  ]
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64')
}

interface Run {
  readonly port: number
  readonly token: string
  readonly state: string
  stop(): Promise<unknown>
}

/** `tufgate run` with a command that tells its address and stays. */
async function startRun({ trial }: SharedProxy): Promise<Run> {
  const { config, state } = await trial.writeSettings()
  const command = ['sh', '-c', 'echo "$PIP_INDEX_URL"; exec sleep 60']
  const child = trial.watch(spawnProgram({}, 'run', '--config', config, '--', ...command))
  const finished = collect(child)
  const told = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', resolve)
    finished.then(({ stderr }) => reject(new Error(`run ended: ${stderr}`)), reject)
  })
  const { port, pathname } = new URL(told.trim())
  return {
    port: Number(port),
    token: pathname.split('/')[1] ?? '',
    state,
    stop: () => {
      child.kill('SIGTERM')
      return finished
    },
  }
}

async function tellOfToken(state: string, token: string): Promise<string> {
  const entries = await readdir(state, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  const texts = await Promise.all(
    files.map(({ parentPath, name }) => readFile(join(parentPath, name), 'latin1')),
  )
  const count = texts.filter((text) => text.includes(token)).length
  return `the token is in ${count === 0 ? 'none' : count} of its files`
}
