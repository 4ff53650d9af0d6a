/** nginx with the same bytes as static files: what is possible on this machine. */

import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { startChild, type Child } from './child.ts'

const places = ['/usr/sbin/nginx', '/usr/local/sbin/nginx', '/usr/bin/nginx']
const program =
  places.find((path) => existsSync(path)) ??
  (spawnSync('nginx', ['-v']).error === undefined ? 'nginx' : undefined)

export const hasNginx = program !== undefined

export interface StaticServer extends Child {
  readonly origin: string
}

/** Serves `folder`; a file whose name ends in `.gzip` is sent as gzip. */
export async function startNginx(folder: string, state: string): Promise<StaticServer> {
  if (program === undefined) throw new Error('nginx is not installed')
  await mkdir(state, { recursive: true })
  const port = await findFreePort()
  const path = join(state, 'nginx.conf')
  await writeFile(path, renderSettings(folder, state, port))
  const args = ['-p', state, '-e', join(state, 'error.log'), '-c', path]
  const child = await startChild(program, args, /using the "(epoll)" event method/)
  return { ...child, origin: `http://127.0.0.1:${port}` }
}

/** One process, whose processor time is all there is; with an access log, as the proxy has a log. */
function renderSettings(folder: string, state: string, port: number): string {
  const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `  ${name}_temp_path ${state}/${name};`)
    .join('\n')
  return `master_process off;
daemon off;
error_log stderr notice;
pid ${state}/nginx.pid;
events { worker_connections 1024; }
http {
${folders}
  access_log ${state}/access.log combined buffer=64k flush=1s;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  types { application/vnd.pypi.simple.v1+json json; text/html html; }
  default_type application/octet-stream;
  server {
    listen 127.0.0.1:${port};
    root ${folder};
    location ~ \\.gzip$ { add_header Content-Encoding gzip; }
  }
}
`
}

async function findFreePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise<void>((resolve) => void server.close(() => resolve()))
  return port
}
