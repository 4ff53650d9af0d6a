/**
 * Every address that a command and all that it starts connect or send to, from the system calls
 * themselves: what goes past the proxy is seen, whoever does it, name servers included.
 */

import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isRunnable, type Wrapper } from './client.ts'

// Containers may forbid it to look at other processes.
export const canTrace = isRunnable('strace', ['-f', '-e', 'trace=connect', 'true'])

/** One file for each process. */
export async function traceInto(folder: string): Promise<Wrapper> {
  await mkdir(folder, { recursive: true })
  const calls = 'trace=connect,sendto,sendmsg,sendmmsg'
  const output = join(folder, 'calls')
  return ['strace', '-ff', '--seccomp-bpf', '-qq', '-s', '0', '-e', calls, '-o', output]
}

/** `host:port` of each, once; sockets within the machine (AF_UNIX, AF_NETLINK) are no requests. */
export async function readAddresses(folder: string): Promise<string[]> {
  const found = new Set<string>()
  for (const name of await readdir(folder)) {
    const text = await readFile(join(folder, name), 'utf8')
    for (const [, family = '', rest = ''] of text.matchAll(/sa_family=(AF_INET6?), ([^}]*)\}/g)) {
      const port = /sin6?_port=htons\((\d+)\)/.exec(rest)?.[1] ?? '?'
      const address = /inet_(?:addr|pton)\((?:AF_INET6, )?"([^"]+)"/.exec(rest)?.[1] ?? family
      found.add(`${address}:${port}`)
    }
  }
  return [...found].toSorted()
}
