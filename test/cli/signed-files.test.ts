import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildWheel } from '../support/build-wheel.ts'
import { serveFolder, writeIndex, type ServedIndex } from '../support/folder-index.ts'
import { runProgram, startServe } from '../support/program.ts'

let folder: string
let index: ServedIndex
const wheel = buildWheel({ name: 'foo', version: '1.0' })

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tufgate-signed-files-'))
  await writeIndex(join(folder, 'index'), [{ name: 'foo', wheels: [wheel] }])
  index = await serveFolder(join(folder, 'index'))
})
afterAll(async () => {
  await index.close()
  await rm(folder, { recursive: true, force: true })
})

test('a proxy that demands signed files delivers those of a mirror that signs files, and no others', async () => {
  const mirror = join(folder, 'mirror')
  await runProgram('mirror', 'init', mirror)
  const sync = await runProgram('mirror', 'sync', mirror, '--index', index.url, '--all')
  expect(sync).toMatchObject({ code: 0 })
  const settings = join(folder, 'tufgate.toml')
  const lines = [
    `state-dir = ${JSON.stringify(join(folder, 'state'))}`,
    '[[index]]',
    'name = "default"',
    `url = "${index.url}"`,
    `mirror = [${JSON.stringify(join(mirror, 'public'))}]`,
    `root = ${JSON.stringify(join(mirror, 'public/metadata/1.root.json'))}`,
    'require-signed-files = true',
  ]
  await writeFile(settings, lines.join('\n'))
  const path = `/files/foo/${new URL(index.origin).host}/files/${wheel.filename}`
  const refusing = await startServe('--config', settings)
  const refused = await get(`${refusing.origin}${path}`)
  expect(refused).toMatchObject({ status: 403 })
  expect(refused.bytes.toString()).toContain('is not signed as a file of its own')
  expect(await get(`${refusing.origin}${path}.metadata`)).toMatchObject({ status: 200 })
  await refusing.stop()
  const shape = await runProgram('mirror', 'shape', mirror, '--sign-files', 'on')
  expect(shape).toMatchObject({ code: 0, stderr: '' })
  expect(shape.stdout).toBe('sign-files       on\nhtml-records     off\nsnapshot-hashes  auto\n')
  const serving = await startServe('--config', settings)
  const served = await get(`${serving.origin}${path}`)
  expect(served).toMatchObject({ status: 200 })
  expect(served.bytes).toEqual(wheel.bytes)
  await serving.stop()
}, 180_000)

async function get(url: string): Promise<{ status: number; bytes: Buffer }> {
  const response = await fetch(url)
  return { status: response.status, bytes: Buffer.from(await response.arrayBuffer()) }
}

test('verify-files says what differs, what to do, and ends with 3', async () => {
  const mirror = join(folder, 'verified')
  await runProgram('mirror', 'init', mirror)
  await runProgram('mirror', 'sync', mirror, '--index', index.url, '--all', '--no-sizes')
  const path = join(folder, 'index/files', wheel.filename)
  await writeFile(path, 'something else')
  try {
    const found = await runProgram('mirror', 'verify-files', mirror)
    expect(found).toMatchObject({ code: 3 })
    expect(found.stderr).toContain(`foo: ${wheel.filename} on the index is not the signed file`)
    expect(found.stderr).toContain(`expected ${wheel.sha256}`)
    expect(found.stdout).toContain('1 differ\nNothing that is signed was changed')
    const log = await runProgram('mirror', 'log', mirror, 'foo')
    expect(log.stdout).toContain(`${wheel.filename} was downloaded and differs (sha256): expected`)
  } finally {
    await writeFile(path, wheel.bytes)
  }
  const whole = await runProgram('mirror', 'sync', mirror, '--all', '--verify-files')
  expect(whole).toMatchObject({ code: 0, stderr: '' })
  expect(whole.stdout).toContain('1 file is what is signed (1 MB read)')
  const unknown = await runProgram('mirror', 'verify-files', mirror, '--project', 'nothing')
  expect(unknown).toMatchObject({ code: 2 })
  expect(unknown.stderr).toContain('The mirror has not signed anything of nothing')
}, 180_000)
