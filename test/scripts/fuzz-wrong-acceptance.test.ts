/** That the fuzzer sees a verifier that accepts too much: one check at a time is taken out of it. */

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { readTape } from '../../scripts/fuzz/dice.ts'
import { makeInput, tryInput } from '../../scripts/fuzz/run-target.ts'
import type { FuzzTarget } from '../../scripts/fuzz/target.ts'
import { openConnection, sendInPieces } from '../../scripts/fuzz/targets/wire-client.ts'
import { awaited, stored, WireProxy } from '../../scripts/fuzz/targets/wire-proxy.ts'
import { sha256Hex } from '../../src/base/digest.ts'
import { filePath } from '../support/memory-gateway.ts'

const maxInputs = 100
const nothing = (): void => undefined

interface Fault {
  readonly module: string
  /** In place of its own. */
  readonly functions: object
  readonly expected: RegExp
  readonly from?: number
}

/** With these functions of a module in place of its own. */
async function loadWorkflow(module: string, faulty: object): Promise<FuzzTarget> {
  vi.resetModules()
  vi.doMock(module, async (load) => ({ ...(await load<object>()), ...faulty }))
  const { workflowTarget } = await import('../../scripts/fuzz/targets/workflow.ts')
  return workflowTarget
}

/** The first of all; `from` where it is known to be near, so that the test is short. */
async function findFault(target: FuzzTarget, from: number): Promise<string | undefined> {
  for (let number = from; number < from + maxInputs; number += 1) {
    const input = makeInput(target, [], { seed: 1, number })
    // oxlint-disable-next-line no-await-in-loop -- until one is found
    const { fault } = await tryInput(target, input)
    if (fault?.kind === 'rule' || fault?.kind === 'exception') return fault.message
  }
  return undefined
}

afterEach(() => {
  vi.doUnmock('../../src/tuf/threshold.ts')
  vi.doUnmock('../../src/tuf/floors.ts')
  vi.doUnmock('../../src/tuf/freshness.ts')
  vi.doUnmock('../../src/tuf/content.ts')
  vi.doUnmock('../../src/tuf/rotation.ts')
  vi.resetModules()
})

describe('a verifier is found out', () => {
  test.each<readonly [string, Fault]>([
    [
      'that checks no signature',
      {
        module: '../../src/tuf/threshold.ts',
        functions: { requireThreshold: nothing },
        expected: /was accepted with too few signatures/,
      },
    ],
    [
      'that lets versions go back',
      {
        module: '../../src/tuf/floors.ts',
        functions: { requireAtLeast: nothing, requireListedRoles: nothing },
        expected: /an older \w+ (?:was accepted|than before)|or without it/,
      },
    ],
    [
      'that forgets what was listed',
      {
        module: '../../src/tuf/floors.ts',
        functions: { requireListedRoles: nothing },
        expected: /a snapshot with an older \w+, or without it|does not heal/,
        from: 235,
      },
    ],
    [
      'that uses what has expired',
      {
        module: '../../src/tuf/freshness.ts',
        functions: { requireCurrent: nothing, requireUnexpired: nothing },
        expected: /an answer although \w+ has expired/,
      },
    ],
    [
      'that does not compare hashes',
      {
        module: '../../src/tuf/content.ts',
        functions: { requireContent: nothing },
        expected: /nobody has published/,
      },
    ],
    [
      'that keeps what stolen keys drove high',
      {
        module: '../../src/tuf/rotation.ts',
        functions: { isTrustReduced: () => false },
        expected: /an honest mirror does not heal/,
        from: 55,
      },
    ],
  ])('%s', async (_name, { module, functions, expected, from = 0 }) => {
    expect(await findFault(await loadWorkflow(module, functions), from)).toMatch(expected)
  })
})

test('tuf-js tells of a verifier that checks no signature', async () => {
  vi.resetModules()
  vi.doMock('../../src/tuf/threshold.ts', () => ({ requireThreshold: nothing }))
  const { tufJsTarget } = await import('../../scripts/fuzz/targets/tuf-js.ts')
  const close = await tufJsTarget.open?.()
  try {
    expect(await findFault(tufJsTarget, 0)).toMatch(/tufgate finds .*, tuf-js refuses .*signed by/)
  } finally {
    await close?.()
  }
})

describe('a proxy is found out', () => {
  const { filename, content } = awaited
  const request = `GET ${filePath('foo', filename)} HTTP/1.1\r\nHost: localhost\r\n\r\n`
  const inOnePiece = readTape(new Uint8Array())
  let wire: WireProxy

  beforeEach(async () => {
    wire = await WireProxy.start()
    wire.prepare(inOnePiece)
  })
  afterEach(async () => wire.proxy.stop())

  async function ask(): Promise<Buffer> {
    return sendInPieces(await openConnection(wire.proxy.port), Buffer.from(request), inOnePiece)
  }

  test('that hands out another file than the signed one', async () => {
    const { vault } = wire.proxy.gateway
    vault.set(sha256Hex(content), Buffer.alloc(content.length, 'forged 1\n'))
    const received = await ask()
    expect(() => wire.check(received)).toThrow('a forged file is whole to the client')
  })

  test('that mixes two files', async () => {
    const mixed = Buffer.concat([content.subarray(0, 1500), stored.content.subarray(1500)])
    wire.proxy.gateway.vault.set(sha256Hex(content), mixed)
    const received = await ask()
    expect(() => wire.check(received)).toThrow('bytes that are in no file')
  })

  test('that sends more than 48 bytes before a file is verified, or no HTTP', async () => {
    const head = 'HTTP/1.1 200 OK\r\nContent-Length: 3900\r\n\r\n'
    const early = Buffer.from(`${head}${'forged 1\n'.repeat(6)}`)
    expect(() => wire.check(early)).toThrow('more than 48 unverified bytes have left')
    expect(() => wire.check(Buffer.from('hello\r\n\r\n'))).toThrow('an answer that begins with')
    expect(() => wire.check(Buffer.from('HTTP/1.1 200 OK\r\nA: b\r\na: c\r\n\r\n'))).toThrow(
      'a stands twice',
    )
  })
})
