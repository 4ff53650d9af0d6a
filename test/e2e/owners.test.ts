/**
 * A maintainer signs for himself, and then every online key of the mirror is stolen: the commands as
 * processes, an ordinary index, the proxy, and real pip.
 */

import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { OnlineThief } from '../mirror/online-thief.ts'
import { buildWheel } from '../support/build-wheel.ts'
import { serveFolder, writeIndex, type ServedIndex } from '../support/folder-index.ts'
import {
  createPipEnvironment,
  hasPip,
  warnWithoutPip,
  type PipEnvironment,
} from '../support/pip.ts'
import { runProgram, startServe, type Finished, type RunningProxy } from '../support/program.ts'

warnWithoutPip()

const project = 'e2e-owned'
const wheels = ['1.0', '1.1'].map((version) => buildWheel({ name: project, version }))
const evil = buildWheel({ name: project, version: '6.6', code: 'raise SystemExit("owned")\n' })
const recordPath = `simple/${project}/index.json`

/** The program, which must succeed. */
async function run(...args: readonly string[]): Promise<string> {
  const finished = await runProgram(...args)
  expect(finished.stderr.replaceAll(/^warning:.*\n(?: {2}.*\n)*/gm, '')).toBe('')
  expect(finished.code).toBe(0)
  return finished.stdout
}

describe.runIf(hasPip)('a project that its maintainer signs', () => {
  let folder: string
  let index: ServedIndex
  let environment: PipEnvironment
  let proxy: RunningProxy | undefined
  let installs = 0

  const at = (...path: string[]): string => join(folder, ...path)

  async function startProxy(state = 'state'): Promise<RunningProxy> {
    await proxy?.stop()
    const source = [
      '--index',
      index.url,
      '--mirror',
      at('mirror/public'),
      '--root',
      at('1.root.json'),
    ]
    proxy = await startServe(...source, '--state-dir', at(state))
    return proxy
  }

  /** Into a folder of its own; pip forgets nothing of one run in the next otherwise. */
  function install(requirement: string): Promise<Finished> {
    const url = `${proxy?.origin}/simple/`
    const target = at(`installed-${(installs += 1)}`)
    return environment.pip('install', '--index-url', url, '--target', target, requirement)
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tufgate-owners-'))
    await writeIndex(at('index'), [{ name: project, wheels: wheels.slice(0, 1) }])
    index = await serveFolder(at('index'))
    environment = await createPipEnvironment(at('venv'))
    await run('mirror', 'init', at('mirror'), '--projects', '10')
    await run('mirror', 'sync', at('mirror'), '--index', index.url, '--all')
    await writeFile(at('1.root.json'), await readFile(at('mirror/public/metadata/1.root.json')))
    await writeFile(at('passphrase'), 'correct horse\n', { mode: 0o600 })
  }, 120_000)

  afterAll(async () => {
    await proxy?.stop()
    await index.close()
    await rm(folder, { recursive: true, force: true })
  })

  test('goes from the mirror to its maintainer, and into the offline role by a ceremony', async () => {
    // The maintainer: a key, a claim, a new version on the index, a release.
    const unlock = ['--passphrase-file', at('passphrase')]
    await run('owner', 'key', at('keys/me.pem'), ...unlock)
    expect(await readFile(at('keys/me.pem'), 'utf8')).toContain('ENCRYPTED')
    const key = ['--key', at('keys/me.pem'), ...unlock]
    await run('owner', 'claim', 'E2E_Owned', ...key, '-o', at('claim'))
    await writeIndex(at('index'), [{ name: project, wheels }])
    await mkdir(at('dist'))
    await writeFile(at('dist', wheels[1]!.filename), wheels[1]!.bytes)
    const source = ['--mirror', at('mirror/public'), '--root', at('1.root.json')]
    const dist = [at('dist', wheels[1]!.filename), '--project', project, '--state-dir', at('me')]
    const release = ['--index', index.url, '-o', at('release')]
    const signed = await run('owner', 'sign', ...dist, ...key, ...source, ...release)
    expect(signed).toContain(`checked byte for byte: 1\n    ${wheels[1]!.filename}`)
    expect(signed).toContain(`taken over, NOT CHECKED BY YOU: 1\n    ${wheels[0]!.filename}`)

    // The operator.
    await run('mirror', 'claims', 'add', at('mirror'), at('claim'))
    await run('mirror', 'claims', 'accept', at('mirror'), at('release'))
    await run('mirror', 'claims', 'promote', at('mirror'), '--all', '-o', at('change'))
    const offline = at('mirror-offline-keys', 'claimed.pem')
    await run('mirror', 'root', 'sign', at('change'), '--key', offline, '--yes')
    await run('mirror', 'root', 'publish', at('mirror'), at('change'))
    const listed = JSON.parse(
      await run('mirror', 'claims', 'list', at('mirror'), '--json'),
    ) as unknown
    expect(listed).toMatchObject([{ project, state: 'promoted', version: 1, expiresSoon: false }])

    await startProxy()
    expect(await install(project)).toMatchObject({ code: 0, stderr: '' })
    expect(await install(`${project}==1.0`)).toMatchObject({ code: 0 })
  }, 180_000)

  test('is not signed with the key of somebody else', async () => {
    await run('owner', 'key', at('keys/stranger.pem'), '--no-passphrase')
    const source = ['--mirror', at('mirror/public'), '--root', at('1.root.json')]
    const key = ['--key', at('keys/stranger.pem'), '--state-dir', at('stranger')]
    const flags = ['--project', project, '-o', at('stranger.release'), '--yank', '1.0']
    const refused = await runProgram('owner', 'sign', ...flags, ...source, ...key)
    expect(refused.code).toBe(2)
    expect(refused.stderr).toContain(`${project} is claimed with the key `)
    expect(refused.stderr).toContain('the mirror would refuse this release')
    const adding = ['--add', at('release'), '-o', at('stranger.release')]
    const added = await runProgram('owner', 'sign', ...adding, ...source, ...key)
    expect(added.code).toBe(2)
    await expect(readFile(at('stranger.release'))).rejects.toMatchObject({ code: 'ENOENT' })
  }, 120_000)

  test('is told apart from what the index shows otherwise', async () => {
    await writeIndex(at('index'), [{ name: project, wheels: [...wheels, evil] }])
    const sync = await runProgram('mirror', 'sync', at('mirror'))
    expect(sync.stderr).toContain('the index differs from what its maintainers have signed')
    expect((await install(`${project}==6.6`)).code).not.toBe(0)
  }, 120_000)

  test.each(['state', 'fresh-state'])(
    'is not taken from a thief who has every online key (%s)',
    async (state) => {
      await cp(at('mirror/public'), at('saved'), { recursive: true })
      const { meta } = await readSigned(at('mirror/public'), 'snapshot')
      const thief = await OnlineThief.rob(at('mirror'))
      const record = renderEvilRecord(index.origin)
      const target = await thief.putTarget(recordPath, record)
      const bins = Object.keys(meta).filter((name) => name.startsWith('bins-'))
      const inBins = bins.map((name) => [
        name.replace('.json', ''),
        (role: { targets: Record<string, unknown> }): void => {
          role.targets[recordPath] = target
        },
      ])
      try {
        // First where nobody who has not claimed would be safe, then in the owner's own name.
        await thief.publish(Object.fromEntries(inBins) as Parameters<OnlineThief['publish']>[0])
        await startProxy(state)
        expect((await install(`${project}==6.6`)).code).not.toBe(0)
        expect(await install(project)).toMatchObject({ code: 0 })
        await thief.publish({ [`owner-${project}`]: (role) => (role.targets[recordPath] = target) })
        await startProxy(state)
        for (const requirement of [project, `${project}==6.6`, `${project}==1.0`]) {
          const refused = await install(requirement)
          expect(refused.code).not.toBe(0)
          expect(refused.stderr).toContain('No matching distribution found')
        }
        const page = await fetchPage(proxy?.origin ?? '')
        expect(page.status).toBe(451)
        expect(page.body).toContain(`owner-${project} is signed by 0 of the 1 keys`)
      } finally {
        await proxy?.stop()
        proxy = undefined
        await rm(at('mirror/public'), { recursive: true })
        await cp(at('saved'), at('mirror/public'), { recursive: true })
        await rm(at(state), { recursive: true, force: true })
      }
    },
    180_000,
  )

  test('is withdrawn by the operator at once, file by file, and given back', async () => {
    const version = ['--version', '1.1']
    await run('mirror', 'deny', 'add', at('mirror'), project, ...version, '--reason', 'malware')
    await startProxy()
    const exact = await install(`${project}==1.1`)
    expect(exact.code).not.toBe(0)
    expect(exact.stderr).toMatch(/403 .*withdrawn .*malware/)
    const other = await install(project)
    expect(other).toMatchObject({ code: 0 })
    expect(other.stdout).toContain(`Successfully installed ${project}-1.0`)
    expect(await run('mirror', 'deny', 'list', at('mirror'))).toContain('malware')
    await run('mirror', 'deny', 'remove', at('mirror'), project)
    await startProxy()
    expect((await install(`${project}==1.1`)).code).toBe(0)
  }, 120_000)
})

interface Listed {
  readonly meta: Readonly<Record<string, { readonly version: number }>>
}

async function readSigned(folder: string, role: 'snapshot'): Promise<Listed> {
  const read = async (name: string): Promise<Listed> => {
    const text = await readFile(join(folder, 'metadata', `${name}.json`), 'utf8')
    return (JSON.parse(text) as { signed: Listed }).signed
  }
  const { meta } = await read('timestamp')
  return read(`${meta['snapshot.json']?.version}.${role}`)
}

function renderEvilRecord(origin: string): Buffer {
  const { filename, sha256, bytes } = evil
  const file = {
    filename,
    url: `${origin}/files/${filename}`,
    hashes: { sha256 },
    size: bytes.length,
  }
  const meta = { 'api-version': '1.4' }
  return Buffer.from(JSON.stringify({ meta, name: project, versions: ['6.6'], files: [file] }))
}

async function fetchPage(origin: string): Promise<{ status: number; body: string }> {
  const answer = await fetch(`${origin}/simple/${project}/`)
  return { status: answer.status, body: await answer.text() }
}
