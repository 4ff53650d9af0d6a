import { mkdtemp, rm } from 'node:fs/promises'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runCommand } from '../../support/program.ts'
import { isTestable } from './client.ts'
import { canTrace, readAddresses, traceInto } from './connect-trace.ts'

test.runIf(isTestable('strace', canTrace))(
  'a request that goes past the proxy is seen: of a process of a process, over IPv6, and of a name',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tufgate-trace-'))
    const server = createServer((socket) => socket.destroy())
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as AddressInfo
    const script = `import socket, subprocess, sys
child = "import socket; socket.create_connection(('127.0.0.1', ${port}))"
subprocess.run([sys.executable, "-c", child], check=True)
def udp(family): return socket.socket(family, socket.SOCK_DGRAM)
udp(socket.AF_INET).connect(("127.0.0.53", 53))
udp(socket.AF_INET).sendto(b"x", ("127.0.0.54", 53))
try: udp(socket.AF_INET6).connect(("::1", 443))
except OSError: pass
`
    try {
      const [command = '', ...args] = await traceInto(folder)
      const finished = await runCommand(command, [...args, 'python3', '-c', script])
      expect(finished).toMatchObject({ code: 0 })
      expect(await readAddresses(folder)).toEqual(
        [`127.0.0.1:${port}`, '127.0.0.53:53', '127.0.0.54:53', '::1:443'].toSorted(),
      )
    } finally {
      server.close()
      await rm(folder, { recursive: true, force: true })
    }
  },
)
