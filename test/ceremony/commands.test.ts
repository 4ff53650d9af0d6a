import { spawn } from 'node:child_process'
import { copyFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeUtf8 } from '../../src/base/bytes.ts'
import { parseRootNewFlags, type RootNewFlags } from '../../src/cli/mirror/ceremony-flags.ts'
import { openFileSigner } from '../../src/signing/signer.ts'
import { readPublicKeyFile } from '../../src/signing/public-key-file.ts'
import { refusalOf } from '../support/expect-refusal.ts'
import { cleanEnvironment, collect, type Finished, main, runCommand } from '../support/program.ts'
import { atTerminal, type AtTerminal } from '../support/terminal.ts'
import { alter } from './loose-change.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tufgate-ceremony-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** As an operator types it, in one folder. */
function tufgate(line: string): Promise<Finished> {
  const args = line.split(' ').filter((word) => word !== '')
  return runCommand(process.execPath, [main, ...args], { cwd: folder, env: cleanEnvironment() })
}

async function succeed(line: string): Promise<string> {
  const { code, stdout, stderr } = await tufgate(line)
  expect(code, `${line}\n${stdout}${stderr}`).toBe(0)
  return stdout
}

async function fail(line: string, code: number): Promise<string> {
  const finished = await tufgate(line)
  expect(finished.code, `${line}\n${finished.stdout}${finished.stderr}`).toBe(code)
  return finished.stderr
}

const keyidOf = async (path: string): Promise<string> =>
  (await openFileSigner(join(folder, path))).keyid
const publicKeyid = async (path: string): Promise<string> =>
  (await readPublicKeyFile(join(folder, path))).keyid

describe('from the quick start to custody by three people, and on', () => {
  test('a quick start says what it is', async () => {
    const { stderr } = await tufgate('mirror init m --bins 4')
    expect(stderr).toContain('There is one root key: whoever steals it owns every client')
    expect(stderr).toContain('put it into the hands of several people: each makes a key of his own')
    expect(stderr).toContain('docs/mirror-runbook.md shows how')
  }, 60_000)

  test('each of them makes a key on his own machine', async () => {
    await writeFile(join(folder, 'passphrase'), 'correct horse\n', { mode: 0o600 })
    const [alice] = await Promise.all([
      succeed('mirror root key alice/alice.pem --passphrase-file passphrase'),
      succeed('mirror root key bob/bob.pem --type ecdsa-p256 --no-passphrase'),
      succeed('mirror root key carol/carol.pem --no-passphrase --json'),
    ])
    expect(alice).toContain(`key id ${await publicKeyid('alice/alice.pub')}`)
    expect(alice).toContain('alice/alice.pem: the private key, encrypted; it stays with you.')
    expect(await readFile(join(folder, 'alice/alice.pem'), 'utf8')).toContain('ENCRYPTED')
    expect((await stat(join(folder, 'bob/bob.pem'))).mode & 0o777).toBe(0o600)
  }, 60_000)

  test('the operator prepares the change', async () => {
    const quick = await keyidOf('m-offline-keys/root-1.pem')
    const people = 'root=alice/alice.pub root=bob/bob.pub root=carol/carol.pub'
    const said = await succeed(
      `mirror root new m --add-key ${people} --remove-key root=${quick.slice(0, 8)} --threshold root=2 -o change.json`,
    )
    expect(said).toContain('root: 2 of 3 keys (before: one key)')
    expect(said).toContain(`missing  ${await keyidOf('carol/carol.pem')} (carol)`)
    expect(said).toContain('Not ready: root not signed by enough keys.')
    expect(await fail('mirror root new m --renew -o change.json', 2)).toContain(
      'change.json exists already',
    )
  }, 60_000)

  test('they sign copies of it, offline, with an own copy of the root', async () => {
    const [, alice] = await Promise.all([
      succeed(
        'mirror root sign change.json --key m-offline-keys/root-1.pem --yes --out quick.json',
      ),
      succeed(
        'mirror root sign change.json --key alice/alice.pem --passphrase-file passphrase --yes --out a.json --root m/public/metadata/1.root.json',
      ),
    ])
    expect(alice).toContain('It descends from m/public/metadata/1.root.json (root 1).')
    expect(alice).toContain('needs 1 of 1 key of root version 1: 1 is missing')
    const bob = await succeed('mirror root sign change.json --key bob/bob.pem --yes --out b.json')
    expect(bob).toContain(`You sign root with the key ${await keyidOf('bob/bob.pem')}.`)
    expect(bob).toContain('Give a copy of your own with --root')
  }, 60_000)

  test('nobody signs without having said yes', async () => {
    const said = await fail('mirror root sign change.json --key carol/carol.pem', 2)
    expect(said).toContain('Nobody is at a terminal to say yes')
    const status = JSON.parse(await succeed('mirror root status change.json --json')) as object
    expect(status).toMatchObject({
      ready: false,
      documents: [{ role: 'root', version: 2, requirements: [{ lacking: 1 }, { lacking: 2 }] }],
    })
  }, 60_000)

  test('who signs in a file in which somebody else signs at the same time keeps both signatures', async () => {
    const [change, alice] = [join(folder, 'change.json'), join(folder, 'a.json')]
    const shared = join(folder, 'shared.json')
    const sign = `openssl dgst -sha256 -sign ${join(folder, 'bob/bob.pem')}`
    await writeFile(join(folder, 'slow.sh'), `cp ${alice} ${shared}\n${sign}\n`)
    await copyFile(change, shared)
    const key = ['--key', 'exec:sh slow.sh', '--public-key', 'bob/bob.pub', '--yes']
    const args = [main, 'mirror', 'root', 'sign', 'shared.json', ...key]
    const run = (): Promise<Finished> =>
      runCommand(process.execPath, args, { cwd: folder, env: cleanEnvironment() })
    const { code, stderr } = await run()
    expect(code, stderr).toBe(0)
    const status = JSON.parse(await succeed('mirror root status shared.json --json')) as object
    expect(status).toMatchObject({
      documents: [{ requirements: [{ lacking: 1 }, { lacking: 0 }] }],
    })
  }, 60_000)

  test('too few signatures are refused with who is missing', async () => {
    const said = await fail('mirror root publish m quick.json a.json', 1)
    expect(said).toContain('root needs 1 more signature by the keys of root version 2')
    expect(said).toContain(`${await keyidOf('bob/bob.pem')} (bob)`)
    expect(await fail('mirror root publish m change.json', 1)).toContain(
      'root needs 1 more signature by the keys of root version 1; root needs 2 more signatures by the keys of root version 2',
    )
  }, 60_000)

  test('it is published from all the copies together', async () => {
    expect(await succeed('mirror root publish m quick.json a.json b.json')).toContain(
      'Published: root version 2; timestamp 2',
    )
    expect(await succeed('mirror root publish m quick.json a.json b.json')).toContain(
      'Published before: root version 2',
    )
  }, 60_000)

  test('a stolen key of the mirror is replaced by two of them, one with a signing command', async () => {
    const said = await succeed('mirror root new m --stolen timestamp -o stolen.json')
    expect(said).toContain('m/keys/timestamp.next.*: the new key of timestamp')
    await succeed('mirror root sign stolen.json --key carol/carol.pem --yes')
    const command = ['openssl', 'dgst', '-sha256', '-sign', join(folder, 'bob/bob.pem')].join(' ')
    const args = ['mirror', 'root', 'sign', 'stolen.json', '--yes', '--json']
    const signed = await runCommand(
      process.execPath,
      [main, ...args, '--key', `exec:${command}`, '--public-key', 'bob/bob.pub'],
      { cwd: folder, env: cleanEnvironment() },
    )
    expect(signed.code, signed.stderr).toBe(0)
    expect(JSON.parse(signed.stdout)).toMatchObject({ ready: true, signed: ['root'] })
    const published = await succeed('mirror root publish m stolen.json --json')
    expect(JSON.parse(published)).toMatchObject({
      documents: [{ role: 'root', version: 3 }],
      newKeys: ['timestamp'],
      isRepeated: false,
    })
  }, 60_000)

  test('a key that has no say is refused', async () => {
    await succeed('mirror root new m --bins 8 -o bins.json')
    const said = await fail('mirror root sign bins.json --key carol/carol.pem --yes', 2)
    expect(said).toContain('has no say in this change')
    expect(said).toContain(`expected: bins: ${await keyidOf('m-offline-keys/bins.pem')}`)
    expect(said).toContain(`found:    ${await keyidOf('carol/carol.pem')}`)
  }, 60_000)
})

const readAltered = (): Promise<string> => readFile(join(folder, 'altered.json'), 'utf8')

describe('a change that was altered after others had signed it', () => {
  const sign = 'mirror root sign altered.json --key frank/frank.pem'
  let alice = ''
  let quick = ''
  beforeAll(async () => {
    await succeed('mirror init t --bins 2')
    await succeed('mirror root key erin/erin.pem --no-passphrase')
    await succeed('mirror root key frank/frank.pem --no-passphrase')
    const people = 'root=erin/erin.pub root=frank/frank.pub'
    await succeed(`mirror root new t --add-key ${people} --threshold root=2 -o altered.json`)
    await succeed('mirror root sign altered.json --key t-offline-keys/root-1.pem --yes')
    await succeed('mirror root sign altered.json --key erin/erin.pem --yes')
    const path = join(folder, 'altered.json')
    const altered = alter(await readFile(path), (file) => {
      file.documents.root.signed.roles.root.threshold = 1
    })
    await writeFile(path, altered)
    alice = `${await keyidOf('erin/erin.pem')} (erin)`
    quick = await keyidOf('t-offline-keys/root-1.pem')
  }, 60_000)

  const signAtTerminal = (...answers: readonly string[]): AtTerminal =>
    atTerminal(['sh', '-c', `cd ${folder} && exec ${process.execPath} ${main} ${sign}`], ...answers)

  test('is not signed with --yes, and whose signatures do not fit is said', async () => {
    const before = await readAltered()
    const said = await fail(`${sign} --yes`, 2)
    expect(said).toContain(quick)
    expect(said).toContain(alice)
    expect(said).toContain(
      'do not fit what this file says: it was changed after they signed\n  Do not sign. Ask them what they have signed, by another way than the one this file came.',
    )
    expect(await fail(sign, 2)).toContain('it was changed after they signed')
    expect(await readAltered()).toBe(before)
    expect(await succeed('mirror root status altered.json')).toContain(
      'do not fit what this file says: it was changed after they signed.',
    )
  }, 60_000)

  test('is not signed by whoever does not say so to a question of its own', async () => {
    const before = await readAltered()
    const { stdout, status } = signAtTerminal('n\\r')
    expect(stdout.indexOf('root: 1 of 3 keys')).toBeLessThan(stdout.indexOf('do not fit what'))
    expect(stdout).toContain('Sign what it says now all the same? [y/N]')
    expect(stdout).toContain('Nothing was signed.')
    expect(status).toBe(2)
    const hesitant = signAtTerminal('y\\r', 'n\\r')
    expect(hesitant.stdout).toContain('Sign this? [y/N]')
    expect(hesitant.status).toBe(1)
    expect(await readAltered()).toBe(before)
  }, 60_000)

  test('is still said to be altered to whoever signs next', async () => {
    const { stdout, status } = signAtTerminal('y\\r', 'y\\r')
    expect(stdout).toContain('Signed: altered.json')
    expect(status).toBe(0)
    const said = await fail('mirror root sign altered.json --key erin/erin.pem --yes', 2)
    expect(said).toContain(alice)
    expect(await fail('mirror root publish t altered.json', 1)).toContain(
      'altered.json: The signatures of',
    )
  }, 60_000)

  test('is found too where the file has taken the say from who had signed', async () => {
    const path = join(folder, 'taken.json')
    const taken = alter(encodeUtf8(await readAltered()), (file) => {
      const [signature] = file.documents.root.signatures
      const keyid = '0'.repeat(64)
      file.documents.root.signatures = [{ sig: signature?.sig ?? '', keyid }]
    })
    await writeFile(path, taken)
    const said = await fail('mirror root sign taken.json --key frank/frank.pem --yes', 2)
    expect(said).toContain(`The signature of ${'0'.repeat(64)} does not fit what this file says`)
  }, 60_000)
})

describe('what is typed wrongly is explained', () => {
  test('a folder that is not there, before a key that waits is replaced', async () => {
    await succeed('mirror init w --bins 2')
    await succeed('mirror root new w --rotate snapshot -o w.json')
    const waiting = await readFile(join(folder, 'w/keys/snapshot.next.pem'), 'utf8')
    const said = await fail('mirror root new w --rotate snapshot -o nowhere/x.json', 2)
    expect(said).toContain('nowhere cannot be used')
    expect(await readFile(join(folder, 'w/keys/snapshot.next.pem'), 'utf8')).toBe(waiting)
  }, 60_000)

  test('a root of one’s own that is none', async () => {
    await writeFile(join(folder, 'none.json'), '{"a": 1}')
    await succeed('mirror init v --bins 2')
    await succeed('mirror root new v --renew -o v.json')
    const key = 'v-offline-keys/root-1.pem'
    const said = await fail(`mirror root sign v.json --yes --key ${key} --root none.json`, 1)
    expect(said).toContain('none.json is not a signed document')
    expect(said).not.toContain('at ')
    const none = await fail(`mirror root sign /dev/zero --yes --key ${key}`, 2)
    expect(none).toContain('/dev/zero is not a file of this kind')
  }, 60_000)

  const cases: [string, Omit<RootNewFlags, 'output'>, string][] = [
    ['--rotate root', { rotate: ['root'] }, 'People hold this key: replace it with --add-key'],
    ['--add-key snapshot=a.pub', { addKey: ['snapshot=a.pub'] }, 'replace it with --rotate ROLE'],
    ['--add-key root', { addKey: ['root'] }, '--add-key root lacks its value'],
    ['--add-key root=nothing.pub', { addKey: ['root=nothing.pub'] }, 'nothing.pub does not exist'],
    ['--threshold root=0', { threshold: ['root=0'] }, '--threshold: "0" is not a number'],
    ['--stolen everything', { stolen: ['everything'] }, '"everything" is no role for it'],
    ['--expires 365', { expires: '365' }, '--expires 365 is not a duration'],
    ['--bins many', { bins: 'many' }, '--bins: "many" is not a number'],
  ]

  test.each(cases)('root new %s', async (_what, flags, message) => {
    const refusal = await refusalOf(() => parseRootNewFlags({ output: 'x.json', ...flags }))
    expect(`${refusal.message} ${refusal.facts.next}`).toContain(message)
    expect(refusal.facts.next).toMatch(/\w/)
  })

  test('as the command says it', async () => {
    const [rotated, nothing, unnamed, other, folderless] = await Promise.all([
      fail('mirror root new m --add-key root=bob/bob.pem -o x.json', 2),
      fail('mirror root new m -o x.json', 2),
      fail('mirror root new m --renew', 2),
      fail('mirror root status passphrase', 2),
      fail('mirror root publish a.json b.json', 2),
    ])
    expect(rotated).toContain('holds a private key')
    expect(nothing).toContain('Nothing would change')
    expect(unnamed).toContain("required option '-o, --output <change>' not specified")
    expect(other).toContain('passphrase is not a change file')
    expect(folderless).toContain(
      'a.json is a file, and no folder of a mirror\n  Is the path right?',
    )
  }, 60_000)

  test('a key without a passphrase, where nobody can be asked', async () => {
    // A session of its own has no terminal.
    const { code, stderr } = await collect(
      spawn(process.execPath, [main, 'mirror', 'root', 'key', 'dora/dora.pem'], {
        cwd: folder,
        env: cleanEnvironment(),
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    )
    expect(code, stderr).toBe(2)
    expect(stderr).toContain('There is no passphrase for dora/dora.pem')
  }, 60_000)

  test('every command has help with an example', async () => {
    const commands = ['', 'key', 'new', 'sign', 'status', 'publish']
    await Promise.all(
      commands.map(async (command) => {
        const help = await succeed(`mirror root ${command} --help`)
        expect(help, command).toMatch(/Examples?:\n {2}tufgate/)
      }),
    )
  }, 60_000)
})
