/** A proxy in memory in the middle of a working day: what its pages look like with something on them. */

import type { AuditEvent } from '../../src/audit/event.ts'
import { encodeUtf8 } from '../../src/base/bytes.ts'
import { version } from '../../src/cli/version.ts'
import { VerifyError } from '../../src/base/errors.ts'
import { parseDenyRule } from '../../src/policy/deny-rule.ts'
import { filePath, openPolicy, type MemoryGateway } from './memory-gateway.ts'
import { RunningProxy } from './running-proxy.ts'

const minute = 60_000

export interface Scene {
  readonly proxy: RunningProxy
  /** Of the refused file. */
  readonly id: string
}

export async function startScene(): Promise<Scene> {
  const proxy = await RunningProxy.start()
  const { gateway } = proxy
  setState(gateway)
  await deliver(proxy, 'flask', 'flask-3.1.2-py3-none-any.whl', 103_305)
  await deliver(proxy, 'numpy', 'numpy-2.3.5-cp313-cp313-manylinux_2_27_x86_64.whl', 16_648_221)
  for (const name of ['reqeusts', 'numpi', 'flask-login2']) await proxy.get(`/simple/${name}/`)
  gateway.time += 12 * minute
  gateway.policy = { ...openPolicy, deny: [parseDenyRule('ultralytics==8.3.41')] }
  await proxy.get(addFile(gateway, 'ultralytics', 'ultralytics-8.3.41-py3-none-any.whl'))
  gateway.time += 31 * minute
  gateway.policy = { ...openPolicy, minAgeMs: 3 * 24 * 60 * minute }
  addFile(gateway, 'urllib3', 'urllib3-2.6.1-py3-none-any.whl')
  await proxy.get('/simple/urllib3/')
  gateway.policy = openPolicy
  gateway.time += 4 * minute
  const id = await refuse(proxy)
  gateway.time += minute
  return { proxy, id }
}

function setState(gateway: MemoryGateway): void {
  const at = (days: number): number => gateway.time + days * 24 * 60 * minute
  gateway.time = Date.parse('2026-11-20T09:14:00Z')
  gateway.state = {
    ...gateway.state,
    version,
    startedAt: Date.parse('2026-11-17T07:30:00Z'),
    indexes: [
      {
        name: 'pypi',
        url: 'https://pypi.org/simple/',
        trustKind: 'signed',
        roles: [
          { role: 'root', version: 3, expires: at(212) },
          { role: 'timestamp', version: 4121, expires: at(0.9) },
          { role: 'snapshot', version: 4067, expires: at(6.2) },
          { role: 'targets', version: 7, expires: at(212) },
        ],
        indexSeenAt: Date.parse('2026-11-20T09:58:00Z'),
      },
    ],
    vault: { bytes: 4_310_000_000, maxBytes: 20_000_000_000 },
    audit: {
      folder: '/var/lib/tufgate/4f1c6a/audit',
      head: '20261117T073000124Z_1207.8.n1_9c04be57:48211:5b1f0c2e9d7a4c3388e6f0a1d2b3c4958677aabbccddeeff0011223344556677',
    },
  }
}

function addFile(gateway: MemoryGateway, project: string, filename: string): string {
  const uploadTime = '2026-11-19T20:00:00.000000Z'
  gateway.addProject(project, [{ filename, content: encodeUtf8(filename), uploadTime }])
  return filePath(project, filename)
}

async function deliver(
  proxy: RunningProxy,
  project: string,
  filename: string,
  size: number,
): Promise<void> {
  const content = new Uint8Array(size)
  proxy.gateway.addProject(project, [{ filename, content }])
  proxy.gateway.store(content)
  await proxy.get(`/simple/${project}/`)
  await proxy.get(filePath(project, filename))
}

async function refuse(proxy: RunningProxy): Promise<string> {
  const filename = 'litellm-1.82.8-py3-none-any.whl'
  const path = addFile(proxy.gateway, 'litellm', filename)
  const asking = proxy.get(path)
  while (proxy.gateway.fetches.length === 0) await new Promise(setImmediate)
  proxy.gateway.fetches.pop()!.fail(
    new VerifyError('DIGEST_MISMATCH', `sha256 of ${filename} is not the signed one`, {
      expected: '8f0a6b6c5e2d4e1b9c3a7d5f1e0b2c4d6e8f0a1b3c5d7e9f2a4b6c8d0e1f3a5b',
      found: 'c41d7f9e2b0a4c6d8e1f3a5b7c9d0e2f4a6b8c0d1e3f5a7b9c2d4e6f8a0b1c3d',
      next: 'Do not install it. Try again in a minute; if it stays so, the file was changed on its host or on the way.',
    }),
  )
  return (await asking).headers.get('x-request-id')!
}

/** What somebody might try to have shown. */
export const hostileEvent: AuditEvent = {
  kind: 'refused',
  id: 'r-aaaaaaaa',
  client: '127.0.0.1',
  code: 'DIGEST_MISMATCH',
  request: `GET /files/x/${'very-long-'.repeat(25)}`,
  project: 'x',
  file: `<script>document.title='owned'</script>\u202e\u2067${'w'.repeat(200)}.whl`,
  message: `</style></title><img src=http://elsewhere.test/x onerror=alert(1)>${'m'.repeat(200)}`,
  expected: 'e'.repeat(512),
  found: '\u0000\u001b[31m\u2028<b>',
}
