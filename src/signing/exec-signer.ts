/**
 * A key that only a command can use: a hardware token, a key service, an agent. The command gets the
 * bytes on standard input and answers with the signature, raw or in hexadecimal or base64.
 *
 * Its answer is verified before it is used: what it says is not believed. Recipes: `signer-file.ts`.
 */

import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeHex, encodeHex, type Bytes } from '../base/bytes.ts'
import { ConfigError } from '../base/errors.ts'
import { findVerifier, type Verifier } from '../tuf/signatures.ts'
import { derInteger, derSequence } from './der.ts'
import type { NamedKey, PublicKey } from './public-key.ts'
import { describeProgram, fail, runCommand } from './run-command.ts'
import type { Signer } from './signer.ts'

export interface ExecCommand {
  /** The program and its parameters; `{file}` stands for a file that holds the input. */
  readonly command: readonly string[]
  readonly folder: string
  /** The bytes themselves, or the digest that the scheme makes of them. */
  readonly input: 'message' | 'digest'
  /** Names of variables that it gets besides those that every command gets. */
  readonly environment: readonly string[]
  readonly timeLimitMs: number
}

export const defaultTimeLimitMs = 60_000

const filePlaceholder = '{file}'

/** Throws KEY_INVALID where a digest is to be signed with a key that signs messages alone. */
export function buildExecSigner(command: ExecCommand, { key, keyid }: NamedKey): Signer {
  if (command.input === 'digest' && key.scheme === 'ed25519') {
    throw new ConfigError('KEY_INVALID', 'Ed25519 signs the message itself, never a digest of it', {
      expected: '"input": "message"',
      next: 'Leave "input" out, or use an ECDSA or RSA key.',
    })
  }
  return { key, keyid, sign: (bytes) => signWith(command, key, bytes) }
}

async function signWith(command: ExecCommand, key: PublicKey, bytes: Bytes): Promise<string> {
  const [program = ''] = command.command
  const input = command.input === 'digest' ? digestFor(key, bytes) : bytes
  const answer = await answerOf(command, input)
  const verifier = findVerifier(key.keytype, key.scheme, key.keyval.public)
  const signature = verifier && findSignature(verifier, { key, bytes, answer })
  if (signature !== undefined) return encodeHex(signature)
  throw fail(
    `The answer of ${describeProgram(program).replace('The', 'the')} is not a signature by the named key`,
    {
      expected: expectedForms[key.scheme],
      found: `${answer.length} bytes`,
      next: 'See that "public-key" names the key that the command signs with, and which scheme it uses.',
    },
  )
}

const expectedForms = {
  ed25519: 'a pure Ed25519 signature of standard input',
  'ecdsa-sha2-nistp256': 'ECDSA with SHA-256, as DER',
  'ecdsa-sha2-nistp384': 'ECDSA with SHA-384, as DER',
  'rsassa-pss-sha256': 'RSASSA-PSS with SHA-256, MGF1 with SHA-256, a salt of 32 bytes',
} satisfies Record<PublicKey['scheme'], string>

function digestFor({ scheme }: PublicKey, bytes: Bytes): Bytes {
  const name = scheme === 'ecdsa-sha2-nistp384' ? 'sha384' : 'sha256'
  return createHash(name).update(bytes).digest()
}

/** With `{file}` too it is on standard input, so that a command may read whichever it likes. */
async function answerOf(command: ExecCommand, input: Bytes): Promise<Bytes> {
  const [program = '', ...parameters] = command.command
  const { folder, timeLimitMs } = command
  const environment = pickEnvironment(command.environment)
  const run = (given: readonly string[]): Promise<Bytes> =>
    runCommand({ program, parameters: given, folder, environment, timeLimitMs }, input)
  if (!parameters.some((parameter) => parameter.includes(filePlaceholder))) return run(parameters)
  const temporary = await mkdtemp(join(tmpdir(), 'tufgate-sign-'))
  try {
    const path = join(temporary, 'input')
    await writeFile(path, input, { mode: 0o600 })
    return await run(parameters.map((parameter) => parameter.replaceAll(filePlaceholder, path)))
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}

/**
 * What finds programs, agents, terminals and the network, and nothing else: under a timer a command
 * then does what it did at a terminal, and our own secrets are not handed on.
 */
const commonVariables =
  'PATH HOME USER LOGNAME TMPDIR TZ LANG LC_ALL TERM GPG_TTY GNUPGHOME SSH_AUTH_SOCK DISPLAY ' +
  'WAYLAND_DISPLAY DBUS_SESSION_BUS_ADDRESS XDG_RUNTIME_DIR HTTPS_PROXY https_proxy NO_PROXY no_proxy'

function pickEnvironment(named: readonly string[]): Record<string, string> {
  const picked: Record<string, string> = {}
  for (const name of [...commonVariables.split(' '), ...named]) {
    const value = process.env[name]
    if (value !== undefined) picked[name] = value
  }
  return picked
}

function findSignature(
  verifier: Verifier,
  { key, bytes, answer }: { key: PublicKey; bytes: Bytes; answer: Bytes },
): Bytes | undefined {
  return listReadings(answer)
    .flatMap((reading) => [reading, ...listDerForms(key, reading)])
    .find((signature) => verifier.verify(bytes, signature))
}

/** As it is, and as text. Only one of them verifies, so the order is no matter. */
function listReadings(answer: Bytes): Bytes[] {
  const text = Buffer.from(answer).toString('latin1').replaceAll(/\s/g, '')
  const hex = decodeHex(text)
  const isBase64 = /^[A-Za-z0-9+/_-]+={0,2}$/.test(text)
  return [
    answer,
    ...(hex === undefined ? [] : [hex]),
    ...(isBase64 ? [new Uint8Array(Buffer.from(text, 'base64'))] : []),
  ]
}

/** Tokens (PKCS #11) answer with both integers one behind the other; metadata has them as DER. */
function listDerForms({ keytype, scheme }: PublicKey, signature: Bytes): Bytes[] {
  const size = scheme === 'ecdsa-sha2-nistp384' ? 48 : 32
  if (keytype !== 'ecdsa' || signature.length !== 2 * size) return []
  const halves = [signature.subarray(0, size), signature.subarray(size)]
  return [derSequence(...halves.map((half) => derInteger(half)))]
}

/** `exec:PROGRAM PARAMETER...`, as it is given on a command line; relative to where that is. */
export function parseExecReference(reference: string): ExecCommand {
  const raw = reference.slice('exec:'.length)
  const command = raw.split(/\s+/).filter((word) => word !== '')
  if (command.length > 0 && !/["'\\]/.test(raw)) {
    const environment: string[] = []
    return {
      command,
      folder: process.cwd(),
      input: 'message',
      environment,
      timeLimitMs: defaultTimeLimitMs,
    }
  }
  throw new ConfigError('KEY_INVALID', 'exec: takes a program and its parameters, without quotes', {
    expected: 'exec:PROGRAM PARAMETER...',
    next: 'For anything longer write a file NAME.signer: {"public-key": "NAME.pub", "exec": ["PROGRAM", "PARAMETER", ...]}',
  })
}
