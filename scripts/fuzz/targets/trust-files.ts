/** Keys and signatures that are bent, and what a machine keeps of trust in files. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeHex, encodeUtf8, type Bytes } from '../../../src/base/bytes.ts'
import { readMember, readObject, readString } from '../../../src/base/decode.ts'
import { isMalformed } from '../../../src/base/decode.ts'
import { parseJson } from '../../../src/base/strict-json.ts'
import { readKeyFile } from '../../../src/signing/key-file.ts'
import { FloorStore } from '../../../src/store/floors.ts'
import { findVerifier } from '../../../src/tuf/signatures.ts'
import { readWatchRecord } from '../../../src/watch/health-file.ts'
import { createSigner } from '../../../test/support/tuf-signers.ts'
import { isCodedError, requireRule, type FuzzTarget } from '../target.ts'

const message = 'what was signed'
const kinds = ['ed25519', 'ecdsa-p256', 'ecdsa-p384-hex', 'rsa-pss-sha256', 'rsa-pkcs1v15'] as const
let signers: ReturnType<typeof createSigner>[] = []

const signature: FuzzTarget = {
  name: 'tuf-signature',
  rule: 'a signature holds for the message and the key that it was made with, and for nothing else',
  open: async () => {
    signers = kinds.map((kind) => createSigner(kind))
    return async () => undefined
  },
  seeds: () =>
    signers.map((signer) =>
      JSON.stringify({
        ...signer.key,
        keyval: signer.key.keyval.public,
        message,
        sig: signer.sign(encodeUtf8(message)),
      }),
    ),
  words: ['ed25519', 'ecdsa', 'rsa', 'rsassa-pss-sha512', '00', 'ff', '-----BEGIN PUBLIC KEY-----'],
  share: 0.3,
  isRefusal: isMalformed,
  run: (input) => {
    const object = readObject(parseJson(input))
    const read = (name: string): string => readMember(object, name, readString)
    const verifier = findVerifier(read('keytype'), read('scheme'), read('keyval'))
    const sig = decodeHex(read('sig'))
    if (verifier === undefined || sig === undefined) return 'no key, or no signature'
    if (!verifier.verify(encodeUtf8(read('message')), sig)) return 'not verified'
    requireRule(read('message') === message, 'another message is verified')
    const values = signers.map(
      ({ key }) => findVerifier(key.keytype, key.scheme, key.keyval.public)?.value,
    )
    requireRule(values.includes(verifier.value), 'a key that nobody has verifies')
    return 'verified'
  },
}

let folder = ''
const openFolder = async (): Promise<() => Promise<void>> => {
  folder = mkdtempSync(join(tmpdir(), 'tufgate-fuzz-'))
  return async () => rmSync(folder, { recursive: true, force: true })
}

const roleVersions = new Map([
  ['root', 3],
  ['timestamp', 41],
  ['snapshot', 40],
  ['targets', 7],
  ['bins-0', 9],
])

function buildFloors(): Bytes {
  const path = join(folder, 'seed.db')
  rmSync(path, { force: true })
  const store = FloorStore.open(path)
  store.raise({ versions: roleVersions, signedAt: 1_700_000_000_000, epoch: 2 }, () => undefined)
  store.close()
  const bytes = readFileSync(path)
  for (const end of ['', '-wal', '-shm', '.known']) rmSync(`${path}${end}`, { force: true })
  return bytes
}

const floors: FuzzTarget = {
  name: 'floors-file',
  rule: 'a damaged file of floors is refused or set aside; no floor that is read of it is another one',
  open: openFolder,
  seeds: () => [buildFloors()],
  share: 0.02,
  run: (input) => {
    const own = mkdtempSync(join(folder, 'case-'))
    try {
      writeFileSync(join(own, 'floors.db'), input, { mode: 0o600 })
      return readFloors(join(own, 'floors.db'))
    } finally {
      rmSync(own, { recursive: true, force: true })
    }
  },
}

function readFloors(path: string): string {
  const damages: string[] = []
  const store = FloorStore.open(path, { onDamaged: (damage) => void damages.push(damage) })
  try {
    const { versions } = store.read()
    for (const [role, version] of versions) {
      requireRule(roleVersions.get(role) === version, `another floor of ${role}`)
    }
    return damages.length > 0 ? 'set aside' : `${versions.size} floors`
  } finally {
    store.close()
  }
}

const instant = '2026-01-02T03:04:05Z'
const job = { startedAt: instant, succeededAt: instant, nextDue: instant, failuresInARow: 0 }

const health: FuzzTarget = {
  name: 'health-file',
  rule: 'what a watch says of itself is read, or is damaged',
  open: openFolder,
  seeds: () => [
    JSON.stringify({
      v: 1,
      watch: { version: '1.0.0', writtenAt: instant, isStopped: false, sync: job, renew: job },
    }),
  ],
  share: 0.2,
  run: (input) => {
    writeFileSync(join(folder, 'health.json'), input)
    const found = readWatchRecord(folder)
    return typeof found === 'object' ? 'read' : (found ?? 'nothing')
  },
}

const privateKey: FuzzTarget = {
  name: 'private-key',
  rule: 'a file with a private key is read or refused',
  open: openFolder,
  seeds: () =>
    (['ed25519', 'ecdsa-p256'] as const).map((kind) =>
      createSigner(kind).privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    ),
  words: ['-----BEGIN PRIVATE KEY-----', '-----BEGIN ENCRYPTED PRIVATE KEY-----', '-----END', '\r'],
  share: 0.1,
  isRefusal: isCodedError,
  run: async (input) => {
    writeFileSync(join(folder, 'key.pem'), input, { mode: 0o600 })
    await readKeyFile(join(folder, 'key.pem'), async () => 'passphrase')
  },
}

export const trustFileTargets: readonly FuzzTarget[] = [signature, floors, health, privateKey]
