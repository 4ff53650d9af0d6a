import { X509Certificate } from 'node:crypto'
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  cleanEnvironment,
  type Finished,
  main,
  runCommand,
  runProgram,
  startServeIn,
} from '../support/program.ts'
import { tlsCertificate } from '../support/tls-identity.ts'

let folder: string
let config: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tufgate-ca-'))
  config = await writeSettings('[intercept]\nenabled = true')
})

afterEach(async () => {
  await rm(folder, { recursive: true })
})

async function writeSettings(text: string): Promise<string> {
  const path = join(folder, 'tufgate.toml')
  const index = '[[index]]\nname = "pypi"\nurl = "https://pypi.org/simple/"'
  await writeFile(path, `state-dir = "${join(folder, 'state')}"\n${text}\n${index}\n`)
  return path
}

function ca(...args: readonly string[]): Promise<Finished> {
  return runProgram('ca', ...args, '--config', config)
}

test('export prints the certificate, for the hosts of the index, and nothing else', async () => {
  const { code, stdout, stderr } = await ca('export')

  expect(stderr).toBe('')
  expect(code).toBe(0)
  expect(stdout).not.toContain('PRIVATE KEY')
  expect(new X509Certificate(stdout).subject).toMatch(/^CN=tufgate local authority /)
  expect((await ca('export')).stdout).toBe(stdout)
})

test('export --bundle says how each installer is told, and that the system is left alone', async () => {
  const file = join(folder, "it's a bundle.pem")

  const { code, stdout, stderr } = await ca('export', '--bundle', '-o', file)

  expect(code).toBe(0)
  expect(stdout).toBe('')
  expect(stderr).toContain("Nothing was put into the system's trust store")
  expect(stderr).toContain(`  export PIP_CERT='${folder}/it'\\''s a bundle.pem'  # pip, and`)
  expect(stderr).toContain('  export SSL_CERT_FILE=')
  expect((await stat(file)).mode & 0o777).toBe(0o644)
  expect(await readFile(file, 'utf8')).toContain((await ca('export')).stdout)
})

test('export without --bundle warns that such a file is trusted alone', async () => {
  const { stderr } = await ca('export', '-o', join(folder, 'ca.pem'))

  expect(stderr).toContain('an installer that is told of this file trusts no other host')
})

test('export --format env gives a shell its variables, whatever the path is', async () => {
  const file = join(folder, 'a $(touch pwned) b.pem')
  const { code, stdout } = await ca('export', '--format', 'env', '-o', file)
  expect(code).toBe(0)

  const shell = await runCommand('sh', ['-c', `${stdout}\nprintf %s "$PIP_CERT|$SSL_CERT_FILE"`], {
    cwd: folder,
  })

  expect(shell.stdout).toBe(`${file}|${file}`)
  expect(await readdir(folder)).not.toContain('pwned')
})

test('export --format env needs a file', async () => {
  const { code, stderr } = await ca('export', '--format', 'env')

  expect(code).toBe(2)
  expect(stderr).toContain('Say where to write it: --output FILE')
})

test('the bundle has what variables named before, and says what it could not take over', async () => {
  const company = join(folder, 'company.pem')
  await writeFile(company, tlsCertificate)
  const file = join(folder, 'bundle.pem')
  const { code, stderr } = await runCommand(
    process.execPath,
    [main, 'ca', 'export', '--bundle', '-o', file, '--config', config],
    { env: cleanEnvironment({ REQUESTS_CA_BUNDLE: company, CURL_CA_BUNDLE: folder }) },
  )

  expect(code).toBe(0)
  expect(stderr).toContain(
    `CURL_CA_BUNDLE names ${folder}, which is left out of the bundle: it is a folder`,
  )
  const body = tlsCertificate.split('\n').slice(1, -1).join('\n')
  expect(await readFile(file, 'utf8')).toContain(body)
})

test('where interception is off there is nothing to export, and no key is made', async () => {
  config = await writeSettings('')

  const { code, stderr } = await ca('export')

  expect(code).toBe(2)
  expect(stderr).toContain('There is no local authority: interception is off')
  expect(stderr).toContain('expected: an authority for files.pythonhosted.org, pypi.org')
  expect(stderr).toContain('Set enabled = true under [intercept]')
  expect(await readdir(folder)).toEqual(['tufgate.toml'])
})

test('show tells all but the key', async () => {
  expect((await ca('show')).stdout).toBe(
    `There is no local authority in ${join(folder, 'state')}\n`,
  )
  const certificate = new X509Certificate((await ca('export')).stdout)

  const { stdout } = await ca('show')

  expect(stdout).toContain(`  sha256  ${certificate.fingerprint256}`)
  expect(stdout).toContain('  hosts   files.pythonhosted.org, pypi.org')
  expect(stdout).not.toContain('PRIVATE')
  const json: unknown = JSON.parse((await ca('show', '--json')).stdout)
  expect(json).toMatchObject([
    {
      sha256: certificate.fingerprint256,
      hosts: ['files.pythonhosted.org', 'pypi.org'],
      notAfter: certificate.validToDate.toISOString().replace('.000', ''),
    },
  ])
})

test('forget deletes the key; the next export is of another authority', async () => {
  const first = (await ca('export')).stdout

  const { code, stdout } = await ca('forget')

  expect(code).toBe(0)
  expect(stdout).toContain('The local authority is forgotten, and its key deleted.')
  expect((await ca('export')).stdout).not.toBe(first)
})

test('a key that others can read is refused, with what mends it', async () => {
  await ca('export')
  const authorities = join(folder, 'state', 'authority')
  const [name = ''] = (await readdir(authorities)).filter((one) => one.endsWith('.json'))
  await chmod(join(authorities, name), 0o644)

  const serve = ['serve', '--listen', '127.0.0.1:0']
  for (const command of [['ca', 'export'], ['ca', 'show'], serve]) {
    const { code, stdout, stderr } = await runProgram(...command, '--config', config)
    expect(code).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toContain(`chmod 600 ${join(authorities, name)}`)
  }
  expect((await ca('forget')).code).toBe(0)
})

/** Says which modules of certificates a process loads. */
const hook = `
import { registerHooks } from 'node:module'
const built = '// node_modules/@peculiar/'
registerHooks({
  load(url, context, next) {
    const loaded = next(url, context)
    const isOfThem = /src.ca.|@peculiar/.test(url) || Buffer.from(loaded.source ?? '').includes(built)
    if (isOfThem) process.stderr.write('loaded ' + url + '\\n')
    return loaded
  },
})`

test.each([
  ['off, serve loads nothing of it', '', false],
  ['on, serve loads it, and says so', '[intercept]\nenabled = true', true],
])('where interception is %s', async (_what, text, isLoaded) => {
  config = await writeSettings(text)
  const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(hook)}`

  const proxy = await startServeIn({ NODE_OPTIONS }, '--config', config)
  const { stdout, stderr } = await proxy.stop()

  expect(stderr.includes('loaded ')).toBe(isLoaded)
  expect(stdout.includes('TLS to files.pythonhosted.org, pypi.org is ended here')).toBe(isLoaded)
})
