import { beforeEach, describe, expect, test } from 'vitest'
import type { AuditEvent } from '../../src/audit/event.ts'
import type { Appended } from '../../src/audit/log.ts'
import { StorageError } from '../../src/base/errors.ts'
import { createGatewayOps, type GatewayParts } from '../../src/cli/serve/gateway-ops.ts'
import { RefusalNotes } from '../../src/cli/serve/refusal-notes.ts'
import type { GatewayOps } from '../../src/proxy/gateway.ts'

const refusal: AuditEvent = { kind: 'refused', code: 'DENIED', project: 'six', id: 'r-w2t4pa5q' }

let lines: string[] = []
let outcome: () => Promise<Appended>
let ops: GatewayOps
beforeEach(() => {
  lines = []
  outcome = () => Promise.resolve('written')
  const parts = {
    indexes: [{}],
    append: () => outcome(),
    clock: () => 0,
    audit: { folder: '' },
    notes: new RefusalNotes(
      (_level, line) => void lines.push(line),
      () => 0,
    ),
  }
  // Of the log alone: no index, vault or download is asked for anything.
  ops = createGatewayOps(parts as unknown as GatewayParts)
})

describe('of a refusal on standard error', () => {
  test('nothing is said before it is in the log', async () => {
    const { promise, resolve } = Promise.withResolvers<Appended>()
    outcome = () => promise
    const appending = ops.append(refusal)
    expect(lines).toEqual([])
    resolve('written')
    await appending
    expect(lines).toHaveLength(1)
  })

  test('nothing is said where the log cannot be written', async () => {
    outcome = () => Promise.reject(new StorageError('AUDIT_FAILED', 'the disk is full'))
    await expect(ops.append(refusal)).rejects.toMatchObject({ code: 'AUDIT_FAILED' })
    expect(lines).toEqual([])
  })

  test('nothing is said of one that is only counted: its id stands nowhere', async () => {
    outcome = () => Promise.resolve('counted')
    await ops.append(refusal)
    expect(lines).toEqual([])
  })

  test('nothing is said of pages and files that were handed out', async () => {
    await ops.append({ ...refusal, kind: 'page' })
    await ops.append({ ...refusal, kind: 'released' })
    expect(lines).toEqual([])
  })
})
