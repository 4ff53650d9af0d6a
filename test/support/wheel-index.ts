/** An index of wheels in memory, which may answer 401 to whoever does not bring user name and password. */

import { sha256, type Wheel } from './build-wheel.ts'
import {
  serve,
  startHostileServer,
  status,
  type Behaviour,
  type HostileServer,
} from './hostile-server.ts'

export interface WheelIndex {
  readonly server: HostileServer
  /** `http://127.0.0.1:PORT/simple/` */
  readonly url: string
  /** `USER:PASSWORD` that lets in; `undefined`: everybody. May change. */
  secret: string | undefined
}

export async function startWheelIndex(
  wheels: readonly Wheel[],
  secret?: string,
): Promise<WheelIndex> {
  const server = await startHostileServer()
  const paths = new Map<string, Behaviour>(
    wheels.map(({ filename, bytes }) => [`/files/${filename}`, serve(bytes)]),
  )
  const projects = Map.groupBy(wheels, ({ filename }) => projectOf(filename))
  for (const [project, files] of projects) paths.set(`/simple/${project}/`, servePage(files))
  const names = Array.from(projects.keys(), (name) => `<a href="${name}/">${name}</a>`)
  paths.set('/simple/', serveHtml(names))
  const index: WheelIndex = { server, url: server.url('/simple/'), secret }
  server.use((path) => letIn(index, paths.get(path) ?? status(404)))
  return index
}

/** Nobody else learns even that something is not there. */
function letIn(index: WheelIndex, then: Behaviour): Behaviour {
  return (request, response, earlier) => {
    const { secret } = index
    const wanted =
      secret === undefined ? undefined : `Basic ${Buffer.from(secret).toString('base64')}`
    if (request.headers.authorization === wanted) then(request, response, earlier)
    else status(401, { 'www-authenticate': 'Basic realm="index"' })(request, response, earlier)
  }
}

function servePage(files: readonly Wheel[]): Behaviour {
  return serveHtml(
    files.map(
      ({ filename, bytes }) =>
        `<a href="../../files/${filename}#sha256=${sha256(bytes)}">${filename}</a>`,
    ),
  )
}

function serveHtml(lines: readonly string[]): Behaviour {
  const page = `<!DOCTYPE html><html><body>\n${lines.join('\n')}\n</body></html>\n`
  return serve(Buffer.from(page), { 'content-type': 'text/html' })
}

function projectOf(filename: string): string {
  return (filename.split('-')[0] ?? '').replaceAll('_', '-')
}
