import { execFileSync } from 'node:child_process'
import { lstatSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { encodeUtf8 } from '../../src/base/bytes.ts'
import { writeOutput } from '../../src/cli/write-output.ts'

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tufgate-output-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

test('a file is replaced, and so is a link to one', async () => {
  const folder = makeFolder()
  const [file, link] = [join(folder, 'old.xml'), join(folder, 'report.xml')]
  writeFileSync(file, 'old')
  symlinkSync(file, link)
  await writeOutput(link, encodeUtf8('new'))
  expect(readFileSync(link, 'utf8')).toBe('new')
  expect(readFileSync(file, 'utf8')).toBe('old')
})

test('a pipe is written into, and stays one', async () => {
  const pipe = join(makeFolder(), 'pipe')
  execFileSync('mkfifo', [pipe])
  execFileSync('sh', ['-c', `cat "${pipe}" > "${pipe}.copy" & :`], { stdio: 'ignore' })
  await writeOutput(pipe, encodeUtf8('report'))
  expect(lstatSync(pipe).isFIFO()).toBe(true)
  await expect.poll(() => readFileSync(`${pipe}.copy`, 'utf8')).toBe('report')
})

test.each(['/dev/null', '/dev/stdout'])(
  '%s stays what it is, though root could put a file in its place',
  async (path) => {
    const before = lstatSync(path).mode
    await writeOutput(path, encodeUtf8('')).catch(() => undefined)
    expect(lstatSync(path).mode).toBe(before)
  },
)
