/**
 * `NAME.signer`: a key that is not in a file, and the command that signs with it. Private like a key:
 * whoever can write to it decides what runs.
 *
 *     {"public-key": "NAME.pub", "exec": ["PROGRAM", "PARAMETER", ...]}
 */

import { dirname, resolve } from 'node:path'
import { encodeUtf8, toPrintable } from '../base/bytes.ts'
import {
  DecodeError,
  readArray,
  readInteger,
  readMember,
  readObject,
  readOptional,
  readString,
  type JsonObject,
} from '../base/decode.ts'
import { ConfigError, describeError } from '../base/errors.ts'
import { requireStrictJson, parseJson } from '../base/strict-json.ts'
import { buildExecSigner, defaultTimeLimitMs, type ExecCommand } from './exec-signer.ts'
import { adviseToMove, readPrivateFile, requirePrivateFolder } from './private-file.ts'
import { parsePublicKey, readPublicKeyFile } from './public-key-file.ts'
import type { Signer } from './signer.ts'

const maxSignerFileBytes = 64 * 1024
const maxWords = 1000
const maxTimeoutSeconds = 600
const members = ['public-key', 'exec', 'input', 'env', 'timeout-seconds']

/**
 * Throws KEY_INVALID where the file is not private or not right; runs nothing yet.
 *
 * `public-key` is a path, seen from the folder of the file, or the PEM text itself. May be added:
 * `"input": "digest"` (standard input is the SHA-256 or SHA-384 digest, not the message),
 * `"env": ["AWS_PROFILE"]` (variables to hand on), `"timeout-seconds": 120`. In a parameter `{file}`
 * stands for a file with the input, for programs that read no pipe. There is no shell. Recipes:
 *
 *     openssl, Ed25519     openssl pkeyutl -sign -rawin -inkey K.pem -in {file}
 *     openssl, ECDSA       openssl dgst -sha256 -sign K.pem              (P-384: -sha384)
 *     openssl, RSA         openssl dgst -sha256 -sign K.pem -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32
 *     digest, ECDSA        openssl pkeyutl -sign -inkey K.pem -in {file}
 *     digest, RSA          openssl pkeyutl -sign -inkey K.pem -in {file} -pkeyopt digest:sha256
 *                          -pkeyopt rsa_padding_mode:pss -pkeyopt rsa_pss_saltlen:32
 *     a token, PKCS #11    pkcs11-tool --module M.so --sign --id 01 -m ECDSA-SHA256 -i {file} -o /dev/stdout
 *     AWS KMS, digest      aws kms sign --key-id K --message-type DIGEST --signing-algorithm ECDSA_SHA_256
 *                          --message fileb://{file} --query Signature --output text
 */
export async function openSignerFile(path: string): Promise<Signer> {
  const folder = dirname(resolve(path))
  const { publicKey, ...command } = await readSigner(path)
  const key = isPem(publicKey)
    ? parsePublicKey(publicKey, path)
    : await readPublicKeyFile(resolve(folder, publicKey))
  return buildExecSigner({ ...command, folder }, key)
}

/** Where the public key of a signer file stands; `undefined` where it is in the file itself. */
export async function findPublicKeyPath(path: string): Promise<string | undefined> {
  const { publicKey } = await readSigner(path)
  return isPem(publicKey) ? undefined : resolve(dirname(resolve(path)), publicKey)
}

async function readSigner(path: string): Promise<SignerFile> {
  const text = await readPrivateFile(path, {
    kind: 'signer file',
    maxFileBytes: maxSignerFileBytes,
    next: 'Put it back from its backup, or name the folder in which it is.',
  })
  await requirePrivateFolder(dirname(resolve(path)), adviseToMove(path))
  return parseSignerFile(text, path)
}

function isPem(publicKey: string): boolean {
  return publicKey.includes('-----BEGIN')
}

type SignerFile = Omit<ExecCommand, 'folder'> & { readonly publicKey: string }

function parseSignerFile(text: string, path: string): SignerFile {
  try {
    const value = parseJson(encodeUtf8(text))
    requireStrictJson(text)
    return readSignerFile(readObject(value))
  } catch (cause) {
    const isExpected =
      cause instanceof DecodeError || cause instanceof SyntaxError || cause instanceof TypeError
    if (!isExpected) throw cause
    throw new ConfigError(
      'KEY_INVALID',
      `${path} is not a signer file: ${describeProblem(cause)}`,
      {
        expected: '{"public-key": "NAME.pub", "exec": ["PROGRAM", "PARAMETER", ...]}',
        next: 'Correct the file.',
        cause,
      },
    )
  }
}

/** Where it is wrong, and never what stands there: it can be a PIN, and messages go to logs. */
function describeProblem(cause: Error): string {
  if (cause instanceof SyntaxError) return 'it is not JSON'
  return toPrintable(describeError(cause).replace(/, found .*$/s, ''))
}

function readSignerFile(object: JsonObject): SignerFile {
  const unknown = Object.keys(object).find((name) => !members.includes(name))
  if (unknown !== undefined)
    throw new DecodeError(`unknown member, known are ${members.join(', ')}`, [unknown])
  const seconds = readOptional(object, 'timeout-seconds', readTimeout)
  return {
    publicKey: readMember(object, 'public-key', readString),
    command: readMember(object, 'exec', readCommand),
    input: readOptional(object, 'input', readInput) ?? 'message',
    environment: readOptional(object, 'env', readWords) ?? [],
    timeLimitMs: seconds === undefined ? defaultTimeLimitMs : seconds * 1000,
  }
}

function readWords(value: unknown): string[] {
  const words = readArray(value, readString)
  if (words.length > maxWords) throw new DecodeError(`more than ${maxWords} items`)
  // An argument or a variable ends at it; Node.js throws on it.
  if (words.some((word) => word.includes('\0'))) throw new DecodeError('a NUL character')
  return words
}

function readCommand(value: unknown): string[] {
  const command = readWords(value)
  if ((command[0] ?? '') === '') throw new DecodeError('expected a program and its parameters')
  return command
}

function readInput(value: unknown): 'message' | 'digest' {
  const input = readString(value)
  if (input === 'message' || input === 'digest') return input
  throw new DecodeError('expected "message" or "digest"')
}

function readTimeout(value: unknown): number {
  const seconds = readInteger(value, 1)
  if (seconds > maxTimeoutSeconds) throw new DecodeError(`expected at most ${maxTimeoutSeconds}`)
  return seconds
}
