/** With trust on first use: files that are asked for by URL alone, as lock files name them. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TestIndex } from '../notary/test-index.ts'
import { startServe } from '../support/program.ts'

describe('a lock file, whose installer asks for no page', () => {
  let folder: string
  let index: TestIndex

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tufgate-lock-file-'))
    index = await TestIndex.start()
  })
  afterAll(async () => {
    await index.close()
    await rm(folder, { recursive: true, force: true })
  })

  function put(...files: readonly string[]): void {
    index.put('locked', files)
    for (const file of files) index.putFile(file, file)
  }

  async function ask(file: string, method: 'GET' | 'HEAD'): Promise<[number, string]> {
    const proxy = await startServe('--index', index.url, '--state-dir', join(folder, 'state'))
    try {
      const path = `/files/locked/${new URL(index.url).host}/files/${file}`
      const response = await fetch(`${proxy.origin}${path}`, { method })
      expect(response.headers.get('x-tufgate-trust')).toMatch(/^first-use /)
      const { stdout, stderr } = await proxy.stop()
      expect(stdout + stderr).not.toMatch(/\b(?:signed|verified)\b/i)
      return [response.status, await response.text()]
    } finally {
      await proxy.stop('SIGKILL')
    }
  }

  test.each(['HEAD', 'GET'] as const)('gets by %s what was never looked at', async (method) => {
    put('locked-1.0.tar.gz')
    await rm(join(folder, 'state'), { recursive: true, force: true })
    const body = method === 'GET' ? 'locked-1.0.tar.gz' : ''
    expect(await ask('locked-1.0.tar.gz', method)).toEqual([200, body])
  })

  test('gets what came after the last look', async () => {
    put('locked-1.0.tar.gz', 'locked-1.1.tar.gz')
    expect(await ask('locked-1.1.tar.gz', 'GET')).toEqual([200, 'locked-1.1.tar.gz'])
  })

  test('does not get what the index has changed, nor what it does not list', async () => {
    index.putFile('locked-1.0.tar.gz', 'evil')
    await rm(join(folder, 'state'), { recursive: true, force: true })
    expect((await ask('locked-1.0.tar.gz', 'GET'))[0]).toBe(403)
    expect((await ask('locked-7.0.tar.gz', 'GET'))[0]).toBe(404)
  })
})
