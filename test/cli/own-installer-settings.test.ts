import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { writeOwnSettings } from '../../src/cli/session/own-installer-settings.ts'

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tufgate-settings-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

test('a pip.conf that is too large to be read is refused: pip would read it, and follow it past the proxy', () => {
  const [home, into] = [makeFolder(), makeFolder()]
  mkdirSync(join(home, '.pip'))
  const text = '[install]\nconstraint = https://a.example/c.txt\n'
  writeFileSync(join(home, '.pip', 'pip.conf'), text + '#'.repeat(10_000_000))
  const context = { environment: { HOME: home }, folder: home, indexUrl: 'http://p/', into }
  expect(() => writeOwnSettings(context)).toThrow(
    expect.objectContaining({
      code: 'CONFIG_INVALID',
      message: `${home}/.pip/pip.conf is too large for a file of settings.`,
    }),
  )
  expect(readdirSync(into)).toEqual([])
})
